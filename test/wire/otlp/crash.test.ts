import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createStore } from '../../../src/collector/tsdb/store.ts';
import { openJournal } from '../../../src/journal/journal.ts';
import { queueSchema } from '../../../src/journal/queue.ts';
import { createFakeClock, systemClock } from '../../../src/util/clock.ts';
import { agentSignals } from '../../../src/wire/catalogue/agent.ts';
import { parseOtlpEnvironment } from '../../../src/wire/otlp/environment.ts';
import { grpcTransport } from '../../../src/wire/otlp/grpc-transport.ts';
import { createOtlpSender } from '../../../src/wire/otlp/sender.ts';
import { eventOf, read, START } from '../../conformance/store.ts';
import { eventually } from '../../support/eventually.ts';

const FACTS = { node: 'n1', instance: 'n1:7639', version: '1' };
const KILLS = 8;

/** Starts the collector on `port` (0 for any) and answers its process and port once it listens. */
async function startCollector(path: string, port: number): Promise<{ child: ChildProcess; port: number }> {
  const script = join(import.meta.dirname, 'collector-child.ts');
  const child = spawn(process.execPath, [script, path, String(port), String(START + 100_000)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  return { child, port: Number(line.toString()) };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe('the receiving process, killed again and again while it is sent to', () => {
  it('loses nothing and doubles nothing, and the sender needs no help', { timeout: 120_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'podvitals-otlp-crash-'));
    const path = join(folder, 'collector.db');
    const spool = openJournal(join(folder, 'agent.db'), { clock: systemClock, schemas: [queueSchema] });
    let { child, port } = await startCollector(path, 0);
    const endpoints = parseOtlpEnvironment({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` })!;
    const sender = createOtlpSender({
      transport: grpcTransport({ ...endpoints.metrics!, timeoutMs: 2000 }),
      spool,
      // Retries at once instead of after seconds.
      clock: {
        ...systemClock,
        setTimer: (ms, run, options) => systemClock.setTimer(Math.min(ms, 30), run, options),
      },
      resource: FACTS,
    });
    try {
      let sent = 0;
      for (let n = 0; n < KILLS; n += 1) {
        const until = sent + 30;
        const killAt = sent + Math.floor(Math.random() * 30);
        for (; sent < until; sent += 1) {
          const memory = { signal: agentSignals.memoryBytes, labels: ['n1'], value: sent };
          await sender.sendRecords([eventOf(`e${sent}`, START + sent * 1000)]);
          await sender.sendPoints([memory], START + sent * 1000);
          if (sent === killAt) await kill(child);
        }
        await kill(child);
        ({ child } = await startCollector(path, port));
        const target = Math.floor((sent * (n + 1)) / (KILLS + 1));
        await eventually(() => sender.stats().sent.metrics >= target);
      }
      await eventually(() => sender.stats().queuedRequests === 0, 60_000);
      expect(sender.stats()).toMatchObject({
        dropped: { metrics: 0, logs: 0 },
        rejected: { metrics: 0, logs: 0 },
      });
      await kill(child);
      const store = createStore({ path, clock: createFakeClock(START + 100_000) });
      try {
        const all = Array.from({ length: sent }, (_, i) => i);
        expect(Object.values(read(store, [{ name: 'job', op: '=', value: 'kubelet' }]))).toEqual([
          all.map((i) => `${i}@${i}`).join(' '),
        ]);
        expect(store.events.events({ limit: 10_000 }).map(({ id }) => id)).toEqual(
          all.map((i) => `e${i}`).reverse(),
        );
      } finally {
        await store.close();
      }
    } finally {
      await sender.close();
      await spool.close();
      await kill(child);
      rmSync(folder, { recursive: true });
    }
  });
});
