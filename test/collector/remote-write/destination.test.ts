import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RemoteWrite, startRemoteWrite } from '../../../src/collector/remote-write/remote-write.ts';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import { createStore, type Tsdb } from '../../../src/collector/tsdb/store.ts';
import { encodeLabels, toLabels } from '../../../src/model/labels.ts';
import { type Clock, systemClock } from '../../../src/util/clock.ts';
import { createRemoteWriteClient } from '../../../src/wire/prometheus/remote-write-client.ts';
import { createRemoteWriteReceiver } from '../../../src/wire/prometheus/remote-write-receiver.ts';
import { eventually } from '../../support/eventually.ts';

type Answer = (response: ServerResponse) => void;
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(code, headers).end(`status ${code}`);

const start = Math.floor(Date.now() / 1000) * 1000 - 300_000;

let folder: string;
let store: Tsdb;
let receiving: Tsdb;
let server: Server;
let remoteWrite: RemoteWrite | undefined;
/** What the next requests are answered; then all are taken. */
let answers: Answer[];
let delays: number[];
/** Waits no longer than it must, and tells how long it would have. */
const hasty: Clock = {
  ...systemClock,
  setTimer(ms, run, options) {
    delays.push(ms);
    return systemClock.setTimer(Math.min(ms, 5), run, options);
  },
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'podvitals-destination-'));
  store = createStore({ path: join(folder, 'collector.db'), clock: systemClock });
  receiving = createMemoryStore({ clock: systemClock });
  answers = [];
  delays = [];
  const receiver = createRemoteWriteReceiver({ store: receiving, clock: systemClock });
  server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const answer = answers.shift();
    if (answer !== undefined) return answer(response);
    const { status, message } = await receiver.write({
      contentType: request.headers['content-type'],
      contentEncoding: request.headers['content-encoding'],
      body: Buffer.concat(parts),
    });
    return response.writeHead(status).end(message);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  await remoteWrite?.close();
  remoteWrite = undefined;
  await store.close();
  await receiving.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

async function send(
  names: readonly string[] = ['here'],
  maxBytes = 2 ** 20,
  clock: Clock = hasty,
): Promise<void> {
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
  const client = createRemoteWriteClient({ url, headers: {}, timeoutMs: 5_000 }, systemClock);
  remoteWrite = await startRemoteWrite({
    targets: names.map((name) => ({ name, client, maxBytes, maxAgeMs: 3_600_000 })),
    log: store.commits,
    keyValue: store.keyValue,
    clock,
    random: () => 0.5,
  });
}

async function commit(value: number): Promise<void> {
  const appender = store.appender();
  const ref = appender.reference(encodeLabels(toLabels({ __name__: 'orders' })));
  appender.append(ref, start + value * 1000, value);
  await appender.commit();
}

function arrived(): number[] {
  const [series] = receiving.querier().select([{ name: '__name__', op: '=', value: 'orders' }], 0, 8e15);
  if (series === undefined) return [];
  const { v, length } = series.samples(0, 8e15);
  return [...v.subarray(0, length)];
}
const allSent = () =>
  eventually(() => remoteWrite!.stats().every(({ waitingCommits }) => waitingCommits === 0));

describe('a receiver that is sent what is committed', () => {
  it('is asked again later and later while it cannot, and not before it said', async () => {
    await send();
    answers = [status(500), status(502), status(429, { 'retry-after': '7' }), status(503)];
    await commit(1);
    await allSent();
    expect(delays).toEqual([250, 500, 7_000, 2_000]);
    expect(arrived()).toEqual([1]);
    expect(remoteWrite!.stats()[0]).toMatchObject({ sent: 1, retries: 4, refused: 0, lastError: undefined });
  });

  it.each([400, 401, 404, 301])(
    'is not asked again after status %i, and gets what comes next',
    async (code) => {
      await send();
      answers = [status(code)];
      await commit(1);
      await allSent();
      expect(remoteWrite!.stats()[0]).toMatchObject({
        sent: 0,
        refused: 1,
        lastError: `HTTP ${code}: status ${code}`,
      });
      await commit(2);
      await allSent();
      expect(arrived()).toEqual([2]);
    },
  );

  it('gets the newest, when more waits for it than may, and the rest is counted', async () => {
    await send(['here'], 200);
    let open = false;
    const closed: Answer = (response) => {
      if (!open) answers.unshift(closed);
      status(503)(response);
    };
    answers = [closed];
    for (let value = 0; value < 100; value += 1) await commit(value);
    await eventually(() => remoteWrite!.stats()[0]!.dropped > 50);
    open = true;
    await allSent();
    const { sent, dropped } = remoteWrite!.stats()[0]!;
    expect(sent + dropped).toBe(100);
    expect(arrived()).toEqual(Array.from({ length: sent }, (_, i) => 100 - sent + i));
    expect(sent).toBeGreaterThan(5);
  });

  it('goes on where it was; one that is new gets what is committed from then on', async () => {
    await commit(1);
    await send(['first']);
    await commit(2);
    await allSent();
    await remoteWrite!.close();
    await commit(3);
    await send(['first', 'second']);
    await commit(4);
    await allSent();
    expect(remoteWrite!.stats().map(({ name, sent }) => [name, sent])).toEqual([
      ['first', 2],
      ['second', 1],
    ]);
    expect(arrived()).toEqual([2, 3, 4]);
    await remoteWrite!.close();
    await send(['second']);
    expect(store.keyValue.entries('remote-write/').map(([key]) => key)).toEqual(['remote-write/second']);
  });

  it('has everything once it is settled, and nobody waits for one that fails', async () => {
    await send(['here'], 2 ** 20, systemClock);
    await commit(1);
    await remoteWrite!.settled();
    expect(arrived()).toEqual([1]);
    const never: Answer = (response) => {
      answers.push(never);
      status(503)(response);
    };
    answers = [never];
    await commit(2);
    await remoteWrite!.settled();
    expect(arrived()).toEqual([1]);
    answers = [];
  });
});
