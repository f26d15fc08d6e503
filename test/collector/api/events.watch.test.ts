import { afterEach, describe, expect, it } from 'vitest';
import { eventRoutes } from '../../../src/collector/api/events.ts';
import type { EventLog } from '../../../src/collector/storage/storage.ts';
import { createHttpServer, type HttpServer } from '../../../src/http/server.ts';
import { createMemoryEventLog } from '../../support/memory-event-log.ts';
import { eventRecord, podRef } from '../../support/shop-records.ts';

const cart = podRef({ name: 'cart-1', workload: 'cart', createdAt: 0, state: {} });
const web = podRef({ name: 'web-1', workload: 'web', createdAt: 0, state: {} });

let server: HttpServer;
afterEach(() => server.close());

async function start(): Promise<{ url: string; log: EventLog }> {
  const log = createMemoryEventLog();
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
