import { afterEach, describe, expect, it } from 'vitest';
import { eventRoutes } from '../../../src/collector/api/events.ts';
import type { EventLog } from '../../../src/collector/storage/storage.ts';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import type { Tsdb } from '../../../src/collector/tsdb/store.ts';
import { createHttpServer, type HttpServer } from '../../../src/http/server.ts';
import { eventRecord, podRef } from '../../support/shop-records.ts';

const cart = podRef({ name: 'cart-1', workload: 'cart', createdAt: 0, state: {} });
const web = podRef({ name: 'web-1', workload: 'web', createdAt: 0, state: {} });

let server: HttpServer;
let store: Tsdb;
afterEach(async () => {
  await server.close();
  await store.close();
});

async function start(): Promise<{ url: string; log: EventLog }> {
  store = createMemoryStore();
  const log = store.events;
  server = await createHttpServer({ name: 'collector', listen: { host: '127.0.0.1', port: 0 } });
  server.app.register(eventRoutes({ log }));
  return { url: await server.listen(), log };
}

/** Reads a stream until `count` events have come. */
async function read(url: string, count: number, headers: Record<string, string> = {}, opened = () => {}) {
  const abort = new AbortController();
  const answer = await fetch(url, { headers, signal: abort.signal });
  opened();
  let text = '';
  for await (const part of answer.body!.pipeThrough(new TextDecoderStream())) {
    text += part;
    if ((text.match(/^data: .*\n\n/gm) ?? []).length >= count) break;
  }
  abort.abort();
  return [...text.matchAll(/^id: (.*)\nevent: event\ndata: (.*)$/gm)].map(([, id, data]) => ({
    id: id!,
    message: JSON.parse(data!).message as string,
  }));
}

describe('GET /api/events', () => {
  it('lists events newest first, of one pod when asked', async () => {
    const { url, log } = await start();
    await log.append([eventRecord(cart, 1, 'Died', 'one'), eventRecord(web, 2, 'Started', 'two')]);
    const messages = async (query: string) =>
      (
        (await (await fetch(`${url}/api/events${query}`)).json()) as { items: { message: string }[] }
      ).items.map((event) => event.message);
    expect(await messages('')).toEqual(['two', 'one']);
    expect(await messages('?pod=cart-1')).toEqual(['one']);
    expect(await messages('?workload=web&limit=1')).toEqual(['two']);
  });

  it('lists those between two times, of a kind of object, a type and a reason', async () => {
    const { url, log } = await start();
    const at = Date.parse('2026-01-02T03:04:05Z');
    const of = (ms: number, reason: string, message: string) => eventRecord(cart, at + ms, reason, message);
    const rollout = of(3_000, 'ScalingReplicaSet', 'four');
    const deployment = {
      ...rollout,
      event: { ...rollout.event, object: { kind: 'Deployment', name: 'cart' } },
    };
    await log.append([
      of(0, 'Died', 'one'),
      of(1_000, 'Started', 'two'),
      of(2_000, 'Died', 'three'),
      deployment,
    ]);
    const messages = async (query: string) =>
      (
        (await (await fetch(`${url}/api/events?${query}`)).json()) as { items: { message: string }[] }
      ).items.map((event) => event.message);
    expect(await messages('from=2026-01-02T03:04:06Z&kind=pod')).toEqual(['three', 'two']);
    expect(await messages(`from=${at / 1000 + 1}&to=${at / 1000 + 1}`)).toEqual(['two']);
    expect(await messages('to=2026-01-02T03:04:05Z')).toEqual(['one']);
    expect(await messages('reason=died')).toEqual(['three', 'one']);
    expect(await messages('reason=died&limit=1')).toEqual(['three']);
    expect(await messages('kind=Deployment')).toEqual(['four']);
    expect(await messages('type=nosuch')).toEqual([]);
    const wrong = await fetch(`${url}/api/events?from=yesterday`);
    expect(wrong.status).toBe(400);
    expect(await wrong.text()).toContain('from');
    const watched = await read(
      `${url}/api/events?watch=1&reason=Died`,
      1,
      {},
      () => void log.append([of(5_000, 'Started', 'five'), of(6_000, 'Died', 'six')]),
    );
    expect(watched.map(({ message }) => message)).toEqual(['six']);
  });

  it('sends events as they are recorded', async () => {
    const { url, log } = await start();
    await log.append([eventRecord(cart, 1, 'Died', 'before')]);
    const events = await read(
      `${url}/api/events?watch=1`,
      2,
      {},
      () => void log.append([eventRecord(cart, 5, 'Died', 'one'), eventRecord(web, 6, 'Died', 'two\nlines')]),
    );
    expect(events.map(({ message }) => message)).toEqual(['one', 'two\nlines']);
  });

  it('sends what a client missed when it comes back with the last id it saw', async () => {
    const { url, log } = await start();
    const first = await read(
      `${url}/api/events?watch=1`,
      1,
      {},
      () => void log.append([eventRecord(cart, 10, 'Died', 'seen')]),
    );
    await log.append([
      eventRecord(cart, 10, 'BackOff', 'at the same time'),
      eventRecord(cart, 11, 'Died', 'missed'),
    ]);
    const again = await read(`${url}/api/events?watch=1`, 2, { 'last-event-id': first[0]!.id });
    expect(again.map(({ message }) => message).sort()).toEqual(['at the same time', 'missed']);
  });

  it('sends only what was asked for', async () => {
    const { url, log } = await start();
    const events = await read(
      `${url}/api/events?watch=1&namespace=shop&pod=web-1`,
      1,
      {},
      () => void log.append([eventRecord(cart, 5, 'Died', 'cart'), eventRecord(web, 6, 'Died', 'web')]),
    );
    expect(events.map(({ message }) => message)).toEqual(['web']);
  });
});
