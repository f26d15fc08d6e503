import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createStore } from '../../../src/collector/tsdb/store.ts';
import { createFakeClock } from '../../../src/util/clock.ts';
import { read, START } from '../../conformance/store.ts';

const KILLS = 20;

/** Runs the child from batch `first` on, kills it after `acknowledged` more batches, answers the last it printed. */
async function runAndKill(path: string, first: number, acknowledged: number): Promise<number> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'crash-child.ts'), path, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  let last = first - 1;
  let rest = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) if (line !== 'open') last = Number(line);
    if (last - first >= acknowledged) child.kill('SIGKILL');
  });
  const [, signal] = await exit;
  expect(signal).toBe('SIGKILL');
  return last;
}

describe('durable store, killed at random moments', () => {
  it(`loses nothing it acknowledged and doubles nothing, ${KILLS} times over`, {
    timeout: 120_000,
  }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'podvitals-crash-'));
    const path = join(folder, 'collector.db');
    try {
      let next = 0;
      const acknowledged = new Set<number>();
      const begun = new Set<number>();
      for (let kill = 0; kill < KILLS; kill += 1) {
        const last = await runAndKill(path, next, Math.floor(Math.random() * 150));
        for (let n = next; n <= last; n += 1) acknowledged.add(n);
        // The batch under way when it died may be there or not, whole or not at all.
        for (let n = next; n <= last + 1; n += 1) begun.add(n);
        next = last + 2;
      }
      const store = createStore({ path, clock: createFakeClock(START + next * 15_000) });
      try {
        const found = read(store, [{ name: '__name__', op: '=~', value: 'm|churn' }], 0, START * 2);
        for (let series = 1; series < 5; series += 1) {
          const texts = found[`__name__=m,series=${series}`]!.split(' ');
          expect(new Set(texts).size).toBe(texts.length);
          for (const n of acknowledged) expect(texts).toContain(`${n}@${n * 15 + series / 1000}`);
          for (const text of texts) expect(begun.has(Number(text.split('@')[0]))).toBe(true);
        }
        const late = found['__name__=m,series=0']!.split(' ');
        for (const n of acknowledged) if (n > 10) expect(late).toContain(`${n}@${n * 15 - 97}`);
        const churned = Object.entries(found).filter(([labels]) => labels.startsWith('__name__=churn'));
        expect(new Set(churned.flatMap(([, texts]) => texts.split(' '))).size).toBeGreaterThanOrEqual(
          acknowledged.size,
        );
        const events = store.events.events({ limit: 10_000 }).map(({ id }) => Number(id.slice(1)));
        expect(new Set(events).size).toBe(events.length);
        for (const n of acknowledged) expect(events).toContain(n);
        for (const n of events) expect(begun.has(n)).toBe(true);
      } finally {
        await store.close();
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
