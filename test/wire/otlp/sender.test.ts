import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import type { Tsdb } from '../../../src/collector/tsdb/store.ts';
import { type Journal, openJournal } from '../../../src/journal/journal.ts';
import { queueSchema } from '../../../src/journal/queue.ts';
import { createFakeClock, type FakeClock, systemClock } from '../../../src/util/clock.ts';
import { agentSignals } from '../../../src/wire/catalogue/agent.ts';
import type { OtlpEndpoint } from '../../../src/wire/otlp/environment.ts';
import { createOtlpGrpcServer, type OtlpGrpcServer } from '../../../src/wire/otlp/grpc-server.ts';
import { grpcTransport } from '../../../src/wire/otlp/grpc-transport.ts';
import { internalTransport } from '../../../src/wire/otlp/internal-transport.ts';
import { encodePoints } from '../../../src/wire/otlp/points-writer.ts';
import { createOtlpReceiver } from '../../../src/wire/otlp/receiver.ts';
import { createOtlpSender, type OtlpSender } from '../../../src/wire/otlp/sender.ts';
import type { ExportOutcome, OtlpTransport } from '../../../src/wire/otlp/transport.ts';
import { eventOf, read, START } from '../../conformance/store.ts';
import { eventually } from '../../support/eventually.ts';

const FACTS = { node: 'n1', instance: 'n1:7639', version: '1' };
const cpu = (value: number) => [{ signal: agentSignals.cpuSeconds, labels: ['n1'], value }];
const CPU = '__name__=podvitals_agent_cpu_seconds_total,instance=n1:7639,job=kubelet,node=n1';

let folder: string;
let spool: Journal;
let clock: FakeClock;
const senders: OtlpSender[] = [];
const openSpool = () => {
  spool = openJournal(join(folder, 'agent.db'), { clock, schemas: [queueSchema] });
};
const send = (transport: OtlpTransport, more: { maxBytes?: number } = {}) => {
  const sender = createOtlpSender({ transport, spool, clock, resource: FACTS, random: () => 0.5, ...more });
  senders.push(sender);
  return sender;
};

/** Answers what `outcomes` says, in turn; then accepts. */
function scripted(...outcomes: ExportOutcome[]) {
  const seen: string[] = [];
  const transport: OtlpTransport = {
    async export(signal) {
      const outcome = outcomes.shift() ?? { kind: 'accepted', rejected: 0, message: '' };
      seen.push(`${signal} ${outcome.kind} at ${(clock.now() - START) / 1000} s`);
      return outcome;
    },
    async close() {},
  };
  return { transport, seen };
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'podvitals-sender-'));
  clock = createFakeClock(START);
  openSpool();
});
afterEach(async () => {
  for (const sender of senders.splice(0)) await sender.close();
  await spool.close();
  rmSync(folder, { recursive: true });
});

describe('OTLP sender', () => {
  it('sends in the order given: a death’s record before its counters', async () => {
    const { transport, seen } = scripted();
    const sender = send(transport);
    await Promise.all([sender.sendRecords([eventOf('e1', START)]), sender.sendPoints(cpu(11), START)]);
    expect(await eventually(() => sender.flush(5000))).toBe(true);
    expect(seen).toEqual(['logs accepted at 0 s', 'metrics accepted at 0 s']);
    expect(sender.stats()).toMatchObject({
      sent: { metrics: 1, logs: 1 },
      queuedRequests: 0,
      queuedBytes: 0,
    });
  });

  it('waits longer after each failure, as long as the receiver asks, and starts afresh after a success', async () => {
    const retry = { kind: 'retry', message: 'away' } as const;
    const { transport, seen } = scripted(
      retry,
      retry,
      { ...retry, afterMs: 30_000 },
      { kind: 'accepted', rejected: 0, message: '' },
      retry,
    );
    const sender = send(transport);
    await sender.sendPoints(cpu(11), START);
    await clock.advance(33_000);
    await sender.sendPoints(cpu(12), START);
    await clock.advance(120_000);
    expect(seen.map((line) => line.replace('metrics ', ''))).toEqual([
      'retry at 0 s',
      'retry at 1 s',
      'retry at 3 s',
      'accepted at 33 s',
      'retry at 33 s',
      'accepted at 34 s',
    ]);
  });

  it('sends what waits together: records first, then the points given before any later record', async () => {
    const { transport, seen } = scripted({ kind: 'retry', message: 'away' });
    const store = createMemoryStore({ clock });
    const receiver = internalTransport(createOtlpReceiver({ store, clock }));
    const sender = send({
      async export(signal, body, aborted) {
        const outcome = await transport.export(signal, body, aborted);
        return outcome.kind === 'retry' ? outcome : receiver.export(signal, body, aborted);
      },
      async close() {},
    });
    await sender.sendPoints(cpu(10), START);
    for (const i of [1, 2, 3]) {
      await sender.sendRecords([eventOf(`e${i}`, START)]);
      await sender.sendPoints(cpu(10 + i), START + i * 1000);
    }
    await clock.advance(2000);
    expect(await eventually(() => sender.flush(5000))).toBe(true);
    expect(seen.slice(1).map((line) => line.split(' ')[0])).toEqual(['logs', 'metrics']);
    expect(sender.stats().sent).toEqual({ logs: 3, metrics: 4 });
    expect(
      store.events
        .events({})
        .map(({ id }) => id)
        .sort(),
    ).toEqual(['e1', 'e2', 'e3']);
    expect(read(store, [{ name: 'job', op: '=', value: 'kubelet' }])).toEqual({
      [CPU]: '10@0 11@1 12@2 13@3',
    });
  });

  it('sends each by itself when one of those together is refused', async () => {
    const { transport, seen } = scripted(
      { kind: 'retry', message: 'away' },
      { kind: 'refused', message: 'no' },
      { kind: 'refused', message: 'no' },
    );
    const sender = send(transport);
    await sender.sendPoints(cpu(11), START);
    await sender.sendPoints(cpu(12), START);
    await clock.advance(2000);
    await eventually(() => sender.stats().queuedRequests === 0);
    expect(seen).toHaveLength(4);
    expect(sender.stats()).toMatchObject({ dropped: { metrics: 1 }, sent: { metrics: 1 } });
  });

  it('drops what is refused for good, counts it, and goes on', async () => {
    const { transport } = scripted({ kind: 'refused', message: 'HTTP 400: no' });
    const sender = send(transport);
    await sender.sendPoints(cpu(11), START);
    await eventually(() => sender.stats().dropped.metrics === 1);
    expect(sender.stats().lastError).toBe('HTTP 400: no');
    await sender.sendPoints(cpu(12), START);
    await eventually(() => sender.stats().sent.metrics === 1);
    expect(sender.stats().lastError).toBeUndefined();
  });

  it('counts what a partial success did not keep', async () => {
    const { transport } = scripted({ kind: 'accepted', rejected: 1, message: 'delta' });
    const sender = send(transport);
    await sender.sendPoints(cpu(11), START);
    await eventually(() => sender.stats().rejected.metrics === 1);
    expect(sender.stats()).toMatchObject({ sent: { metrics: 0 }, lastError: 'delta' });
  });

  it('keeps the newest when the spool is full, and counts what fell off', async () => {
    const away: OtlpTransport = {
      export: async () => ({ kind: 'retry', message: 'away' }),
      async close() {},
    };
    const sender = send(away, { maxBytes: 4000 });
    for (let i = 0; i < 40; i += 1) await sender.sendPoints(cpu(i), START + i);
    await eventually(() => sender.stats().queuedBytes <= 4000);
    const { dropped, queuedRequests } = sender.stats();
    expect(dropped.metrics + queuedRequests).toBe(40);
    expect(dropped.metrics).toBeGreaterThan(0);
  });

  it('takes no disk for points that the receiver takes at once', async () => {
    const store = createMemoryStore({ clock });
    const sender = send(internalTransport(createOtlpReceiver({ store, clock })));
    let written = 0;
    const write = spool.write.bind(spool);
    spool.write = (...args) => {
      written += 1;
      return write(...args);
    };
    for (let i = 0; i < 5; i += 1) await sender.sendPoints(cpu(i), START + i * 1000);
    await eventually(() => sender.stats().sent.metrics === 5);
    expect(written).toBe(0);
    expect(read(store, [])).toEqual({ [CPU]: '0@0 1@1 2@2 3@3 4@4' });
  });

  it('has on disk what it was sending when it is closed', async () => {
    const asked = Promise.withResolvers<void>();
    const first = send({
      export: (_signal, _body, aborted) =>
        new Promise((resolve) => {
          asked.resolve();
          aborted!.addEventListener('abort', () => resolve({ kind: 'retry', message: 'aborted' }));
        }),
      async close() {},
    });
    for (let i = 0; i < 5; i += 1) await first.sendPoints(cpu(i), START + i * 1000);
    await asked.promise;
    await first.close();
    const store = createMemoryStore({ clock });
    const again = send(internalTransport(createOtlpReceiver({ store, clock })));
    await eventually(() => again.stats().sent.metrics === 5);
    expect(read(store, [])).toEqual({ [CPU]: '0@0 1@1 2@2 3@3 4@4' });
  });

  it('counts points as lost that neither the receiver nor the disk takes, and goes on', async () => {
    const { transport } = scripted({ kind: 'retry', message: 'away' });
    const sender = send(transport);
    const write = spool.write.bind(spool);
    spool.write = () => Promise.reject(new Error('the disk is full'));
    await sender.sendPoints(cpu(11), START);
    await eventually(() => sender.stats().dropped.metrics === 1);
    expect(sender.stats()).toMatchObject({ lastError: 'away', queuedRequests: 0 });
    spool.write = write;
    await sender.sendPoints(cpu(12), START + 1000);
    await clock.advance(5000);
    await eventually(() => sender.stats().sent.metrics === 1);
  });

  it('lets who gives more points than it can send wait, and keeps their order', async () => {
    const gate = Promise.withResolvers<ExportOutcome>();
    const store = createMemoryStore({ clock });
    const receiver = internalTransport(createOtlpReceiver({ store, clock }));
    let first = true;
    const sender = send({
      export(signal, body, aborted) {
        const isFirst = first;
        first = false;
        return isFirst ? gate.promise : receiver.export(signal, body, aborted);
      },
      async close() {},
    });
    // Of a megabyte each.
    const large = (i: number) => ({
      count: 1,
      body: Buffer.concat([
        encodePoints(cpu(i), START + i * 1000, FACTS),
        // A field that no receiver knows: number 100, by its length.
        Buffer.from([0xa2, 0x06, 0x80, 0x80, 0x40]),
        Buffer.alloc(1 << 20),
      ]),
    });
    let given = 0;
    const giving = (async () => {
      for (let i = 0; i < 12; i += 1) {
        await sender.sendEncoded([large(i)]);
        given += 1;
      }
    })();
    await eventually(() => given >= 4);
    expect(sender.stats().queuedBytes).toBeLessThan(6 * 2 ** 20);
    expect(given).toBeLessThan(12);
    gate.resolve({ kind: 'retry', message: 'away' });
    await clock.advance(10_000);
    await giving;
    await eventually(() => sender.stats().sent.metrics === 12);
    expect(read(store, [])[CPU]).toBe(Array.from({ length: 12 }, (_, i) => `${i}@${i}`).join(' '));
  });

  it('goes on after a restart where it was, and the receiver has each sample once', async () => {
    const away: OtlpTransport = {
      export: async () => ({ kind: 'retry', message: 'away' }),
      async close() {},
    };
    const first = send(away);
    for (let i = 0; i < 5; i += 1) await first.sendPoints(cpu(i), START + i * 1000);
    await first.sendRecords([eventOf('e1', START)]);
    await first.close();
    await spool.close();
    openSpool();
    const store = createMemoryStore({ clock });
    const again = send(internalTransport(createOtlpReceiver({ store, clock })));
    await eventually(() => again.stats().queuedRequests === 0);
    expect(read(store, [{ name: 'job', op: '=', value: 'kubelet' }])).toEqual({
      [CPU]: '0@0 1@1 2@2 3@3 4@4',
    });
    expect(store.events.events({})).toHaveLength(1);
  });
});

describe('OTLP by gRPC over TCP', () => {
  let store: Tsdb;
  let server: OtlpGrpcServer;
  const endpoint = (more: Partial<OtlpEndpoint> = {}): OtlpEndpoint => ({
    protocol: 'grpc',
    url: new URL(`http://127.0.0.1:${server.port}`),
    headers: {},
    compression: 'none',
    timeoutMs: 10_000,
    insecure: true,
    tls: {},
    ...more,
  });
  const listen = async (port = 0, authorize?: (authorization: string | undefined) => boolean) => {
    const receiver = createOtlpReceiver({ store, clock, limits: { bodyBytes: 100_000 } });
    server = await createOtlpGrpcServer({
      host: '127.0.0.1',
      port,
      receiver,
      ...(authorize && { authorize }),
    });
  };

  beforeEach(async () => {
    store = createMemoryStore({ clock });
    await listen();
  });
  afterEach(async () => {
    await server.close();
    await store.close();
  });

  for (const compression of ['none', 'gzip'] as const) {
    it(`brings points and records over, compression ${compression}`, async () => {
      const sender = send(grpcTransport(endpoint({ compression })));
      await sender.sendRecords([eventOf('e1', START)]);
      await sender.sendPoints(cpu(11), START);
      await eventually(() => sender.stats().sent.metrics === 1);
      expect(read(store, [])).toEqual({ [CPU]: '11@0' });
      expect(store.events.events({}).map(({ id }) => id)).toEqual(['e1']);
    });
  }

  it('demands the token it was given', async () => {
    await server.close();
    await listen(0, (authorization) => authorization === 'Bearer abc');
    const without = grpcTransport(endpoint());
    const withToken = grpcTransport(endpoint({ headers: { authorization: 'Bearer abc' } }));
    try {
      expect(await without.export('metrics', new Uint8Array())).toEqual({
        kind: 'refused',
        message: 'gRPC UNAUTHENTICATED: a valid token is needed in the header authorization',
      });
      expect(await withToken.export('metrics', new Uint8Array())).toMatchObject({ kind: 'accepted' });
    } finally {
      await without.close();
      await withToken.close();
    }
  });

  it('refuses what is malformed and what is too large for good, and asks to wait when the store is away', async () => {
    const transport = grpcTransport(endpoint({ compression: 'gzip' }));
    try {
      expect(await transport.export('metrics', new Uint8Array([10, 200]))).toMatchObject({
        kind: 'refused',
        message: expect.stringContaining('INVALID_ARGUMENT'),
      });
      // Packed it is small: the bound holds for what it unpacks to.
      expect(await transport.export('logs', new Uint8Array(5_000_000))).toMatchObject({ kind: 'refused' });
      await store.close();
      expect(await transport.export('logs', await eventRequest())).toMatchObject({
        kind: 'retry',
        afterMs: 5000,
      });
    } finally {
      await transport.close();
    }
  });

  it('goes on by itself when the collector was away for a while, in order and without a gap', async () => {
    const { port } = server;
    await server.close();
    const sender = createOtlpSender({
      transport: grpcTransport(endpoint({ timeoutMs: 1000 })),
      spool,
      clock: { ...systemClock, setTimer: (ms, run) => systemClock.setTimer(Math.min(ms, 50), run) },
      resource: FACTS,
    });
    senders.push(sender);
    for (let i = 0; i < 20; i += 1) await sender.sendPoints(cpu(i), START + i * 1000);
    await eventually(() => sender.stats().lastError?.includes('UNAVAILABLE'));
    expect(sender.stats()).toMatchObject({ sent: { metrics: 0 }, queuedRequests: 20 });
    await listen(port);
    await eventually(() => sender.stats().queuedRequests === 0);
    expect(read(store, [])[CPU]).toBe(Array.from({ length: 20 }, (_, i) => `${i}@${i}`).join(' '));
    expect(store.stats()).toMatchObject({ samplesRejected: 0 });
  });

  it('says which address is taken', async () => {
    const { port } = server;
    const receiver = createOtlpReceiver({ store, clock });
    await expect(createOtlpGrpcServer({ host: '127.0.0.1', port, receiver })).rejects.toThrow(
      new RegExp(`cannot listen for OTLP/gRPC on 127.0.0.1:${port}`),
    );
  });
});

async function eventRequest(): Promise<Uint8Array> {
  const { encodeRecords } = await import('../../../src/wire/otlp/logs-writer.ts');
  return encodeRecords([eventOf('e1', START)], FACTS);
}
