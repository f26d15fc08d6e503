import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/collector/promql/engine.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { fixtures } from '../../support/parts.ts';
import { type RunOptions, runPromqlTest } from '../../support/promqltest/promqltest.ts';
import { createSampleStore } from '../../support/sample-store.ts';

/** Lines of a file that do not hold, with what is wrong, and how many were run. */
async function run(path: string, options: RunOptions & { readonly likeTheSuite: boolean }) {
  const store = createSampleStore();
  const engine = createEngine({
    querier: () => store.querier,
    clock: systemClock,
    ...(options.likeTheSuite ? { delayedNameRemoval: true, experimental: true } : {}),
  });
  const cases = await runPromqlTest(readFileSync(path, 'utf8'), engine, store, options);
  const ran = cases.filter(({ complaint }) => complaint !== null);
  const wrong = ran.filter(({ complaint }) => complaint !== undefined);
  return { ran: ran.length, wrong: wrong.map(({ line, complaint }) => `${line}: ${complaint}`) };
}

describe('our own cases hold', () => {
  for (const file of readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test'))) {
    it(file, async () => {
      const { ran, wrong } = await run(join(import.meta.dirname, file), {
        // As Prometheus is by default; all others assume what the suite of Prometheus does.
        likeTheSuite: file !== 'engine.test',
      });
      expect(wrong).toEqual([]);
      expect(ran).toBeGreaterThan(0);
    });
  }
});

/** Files of the suite about what Prometheus has behind flags. */
const BEHIND_FLAGS = new Set([
  'duration_expression.test',
  'extended_vectors.test',
  'fill-modifier.test',
  'info.test',
  'limit.test',
  'native_histograms.test',
  'start_timestamps.test',
]);

describe.skipIf(fixtures === undefined)(
  'cases of the suite of Prometheus hold, without native histograms',
  () => {
    const folder = join(fixtures ?? '', 'promqltest');
    const files = fixtures === undefined ? [] : readdirSync(folder).filter((name) => name.endsWith('.test'));
    for (const file of files.filter((name) => !BEHIND_FLAGS.has(name))) {
      it(file, async () => {
        const wants = (_: unknown, native: boolean) => !native;
        const { ran, wrong } = await run(join(folder, file), { likeTheSuite: true, wants });
        expect(wrong).toEqual([]);
        expect(ran).toBeGreaterThan(0);
      });
    }
  },
);
