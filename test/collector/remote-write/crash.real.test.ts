import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createQueryApi } from '../../../src/collector/query-api/query-api.ts';
import { createStore } from '../../../src/collector/tsdb/store.ts';
import { listOf } from '../../../src/model/sample.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { createRemoteWriteClient } from '../../../src/wire/prometheus/remote-write-client.ts';
import { eventually } from '../../support/eventually.ts';
import { missing } from '../../support/parts.ts';
import { createPeer } from '../../support/peer.ts';
import { writeRequest } from '../../support/write-request.ts';

const KILLS = 6;
const REQUESTS = 30;
const SERIES = 5;
const never = new AbortController().signal;
// Whole seconds of the last ten minutes, as nothing older is taken.
const start = Math.floor(Date.now() / 1000) * 1000 - 590_000;

const requestOf = (n: number) =>
  writeRequest(
    Array.from({ length: SERIES }, (_, series) => ({
      labels: [
        ['__name__', 'passed_on'],
        ['series', String(series)],
      ],
      samples: [[start + n * 1000, n] as const],
    })),
  );

describe.skipIf(missing('prometheus'))(
  'a process that takes remote write and sends it on to a real Prometheus',
  () => {
    it('is killed again and again, and nothing it acknowledged is missing in either', {
      timeout: 120_000,
    }, async () => {
      const peer = await createPeer('prometheus');
      const folder = mkdtempSync(join(tmpdir(), 'podvitals-remote-write-crash-'));
      const path = join(folder, 'collector.db');
      let child: ChildProcess | undefined;
      let url = '';
      const startChild = async () => {
        const script = join(import.meta.dirname, 'crash-child.ts');
        const port = url === '' ? '0' : new URL(url).port;
        child = spawn(process.execPath, [script, path, port, peer.writeUrl], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const [line] = (await once(child.stdout!, 'data')) as [Buffer];
        url = line.toString().trim();
      };
      const kill = async () => {
        if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
        child.kill('SIGKILL');
        await once(child, 'exit');
      };
      try {
        await peer.start();
        await startChild();
        const client = createRemoteWriteClient(
          { url: `${url}/api/v1/write`, headers: {}, timeoutMs: 5_000 },
          systemClock,
        );
        let n = 0;
        for (let round = 0; round < KILLS; round += 1) {
          const killAfterMs = Math.random() * 60;
          const killed = new Promise((resolve) => setTimeout(resolve, killAfterMs)).then(kill);
          for (let i = 0; i < REQUESTS; i += 1) {
            // As a sender does: the same again until it is taken.
            await eventually(async () => {
              const outcome = await client.write(requestOf(n), never);
              if (outcome.kind === 'retry' && child!.signalCode !== null) await startChild();
              expect(outcome.kind).not.toBe('refused');
              return outcome.kind === 'accepted';
            });
            n += 1;
          }
          await killed;
          if (child!.signalCode !== null) await startChild();
        }
        const all = Array.from({ length: n }, (_, i) => i);
        const api = createQueryApi({ url: peer.url, headers: {}, clock: systemClock });
        const passedOn = async () => {
          const { value } = await api.query('passed_on[20m]', start + 600_000);
          return value.type === 'matrix'
            ? value.series.map(({ samples }) => listOf(samples).map(({ v }) => v))
            : [];
        };
        await eventually(async () => {
          expect(await passedOn()).toEqual(Array.from({ length: SERIES }, () => all));
          return true;
        });
        await kill();
        const store = createStore({ path, clock: systemClock });
        const matchers = [{ name: '__name__', op: '=', value: 'passed_on' }] as const;
        const kept = [...store.querier().select(matchers, start, start + 600_000)].map((series) => {
          const { v, length } = series.samples(start, start + 600_000);
          return [...v.subarray(0, length)];
        });
        await store.close();
        expect(kept).toEqual(Array.from({ length: SERIES }, () => all));
      } finally {
        await kill();
        await peer.remove();
        rmSync(folder, { recursive: true });
      }
    });
  },
);
