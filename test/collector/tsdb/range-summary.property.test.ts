import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addResets,
  addSamples,
  createSummary,
  type RangeSummary,
} from '../../../src/collector/storage/range-summary.ts';
import type { MovingSeries, MovingWindows, StoredSeries } from '../../../src/collector/storage/storage.ts';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import { createStore, type Tsdb } from '../../../src/collector/tsdb/store.ts';
import type { Matcher } from '../../../src/model/matcher.ts';
import { isStaleAt, wordsOf } from '../../../src/model/stale-marker.ts';
import { createFakeClock } from '../../../src/util/clock.ts';
import { bytesOf, START } from '../../conformance/store.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const RANGES = [5 * MINUTE, 2 * HOUR, 40 * HOUR];
const matchers: Matcher[] = [{ name: '__name__', op: '=', value: 'm' }];

/** Values of a series: a counter with and without fractions, a gauge, and everything a float can be. */
const VALUES: readonly ((before: number, drawn: number) => number)[] = [
  (before, drawn) => (drawn % 41 === 0 ? drawn % 3 : before + (drawn % 7)),
  (before, drawn) => (drawn % 37 === 0 ? drawn / 100 : before + (drawn % 5) / 3),
  (_, drawn) => (drawn - 500) / 7,
  (before, drawn) =>
    [before, Number.NaN, Number.POSITIVE_INFINITY, -0, 0, 1e300, -1e300, 5e-324][drawn % 61] ?? drawn,
];

const append = fc.record({
  kind: fc.constant('append' as const),
  // Seconds since the newest: most go on, some come late, some leave a gap.
  step: fc.oneof(
    { arbitrary: fc.constantFrom(15, 60, 600), weight: 8 },
    { arbitrary: fc.constantFrom(-500, -60, 9_000), weight: 2 },
  ),
  gap: fc.constantFrom(5, 15, 15, 60),
  count: fc.constantFrom(1, 1, 1, 4, 150, 700),
  series: fc.subarray([0, 1, 2, 3], { minLength: 1 }),
  seed: fc.nat(10_000),
  stale: fc.boolean(),
});
const ask = fc.record({
  kind: fc.constant('ask' as const),
  // Seconds the window moves on: mostly a tick, sometimes it skips some or goes back; and then how far ahead it looks.
  move: fc.oneof(
    { arbitrary: fc.constantFrom(0, 15, 60), weight: 8 },
    { arbitrary: fc.constantFrom(-3_600, 900, 30_000), weight: 2 },
  ),
  toNewest: fc.boolean(),
});
const command = fc.oneof(
  { arbitrary: append, weight: 8 },
  { arbitrary: ask, weight: 8 },
  { arbitrary: fc.constant({ kind: 'maintain' as const }), weight: 4 },
  { arbitrary: fc.constant({ kind: 'reopen' as const }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('wait' as const), hours: fc.constantFrom(1, 30) }), weight: 1 },
);

/** What every sample says, one by one. */
function decoded(series: StoredSeries, minT: number, maxT: number): RangeSummary {
  const { t, v, length } = series.samples(minT, maxT);
  const words = wordsOf(v);
  const summary = createSummary();
  for (let i = 0; i < length; i += 1)
    if (!(Number.isNaN(v[i]!) && isStaleAt(words, i))) addSamples(summary, t, v, i, i + 1);
  return structuredClone(summary);
}

function expectSame(got: RangeSummary, want: RangeSummary): void {
  expect(got.count).toBe(want.count);
  if (want.count === 0) return;
  for (const field of ['firstT', 'firstV', 'lastT', 'lastV', 'changes', 'resets', 'whole', 'finite'] as const)
    expect(got[field], field).toBe(want[field]);
  const difference = want.lastV - want.firstV;
  const total = addResets(got, difference);
  if (!got.combined || (want.whole && Math.abs(want.resetSum) < 2 ** 50 && want.min >= 0))
    expect(total, 'resets').toBe(addResets(want, difference));
  if (!want.finite) return;
  expect(got.min).toBe(want.min);
  expect(got.max).toBe(want.max);
  if (!Number.isFinite(want.magnitude)) return;
  expect(Math.abs(got.sum + got.c - (want.sum + want.c))).toBeLessThanOrEqual(
    want.magnitude * 1e-22 + Math.abs(want.sum + want.c) * 1e-15,
  );
}

async function run(drawn: readonly Command[], durable: boolean) {
  const folder = mkdtempSync(join(tmpdir(), 'podvitals-summary-'));
  const still = createFakeClock(START);
  let waitedMs = 0;
  const clock = { ...still, now: () => still.now() + waitedMs };
  const retention = { timeMs: 60 * HOUR, bytes: 2 ** 30 };
  const open = (): Tsdb =>
    durable
      ? createStore({ path: join(folder, 'collector.db'), clock, retention })
      : createMemoryStore({ clock, retention });
  let store = open();
  let moving: readonly { windows: MovingWindows; generation: number; series: MovingSeries[] }[] = [];
  const follow = () => {
    moving = RANGES.map((rangeMs) => ({
      windows: store.querier().windows!(matchers, rangeMs),
      generation: -1,
      series: [],
    }));
  };
  follow();
  const values = [0, 0, 0, 0];
  let newest = START - 50 * HOUR;
  let endT = newest;
  let asked = 0;
  try {
    for (const one of drawn) {
      if (one.kind === 'maintain') await store.maintain();
      else if (one.kind === 'wait') waitedMs += one.hours * HOUR;
      else if (one.kind === 'reopen' && durable) {
        await store.close();
        store = open();
        follow();
      } else if (one.kind === 'append') {
        const appender = store.appender();
        let t = newest + one.step * 1000;
        for (let i = 0; i < one.count; i += 1, t += one.gap * 1000) {
          for (const index of one.series) {
            values[index] = VALUES[index]!(values[index]!, (one.seed * 31 + i * 17 + index) % 1_009);
            const ref = appender.reference(bytesOf({ __name__: 'm', series: String(index) }));
            if (one.stale && i === one.count - 1) appender.appendStale(ref, t);
            else appender.append(ref, t, values[index]!);
          }
        }
        await appender.commit();
        newest = Math.max(newest, t - one.gap * 1000);
      } else if (one.kind === 'ask') {
        endT = one.toNewest ? newest : endT + one.move * 1000;
        for (const [i, rangeMs] of RANGES.entries()) {
          const [minT, maxT] = [endT - rangeMs + 1, endT];
          for (const series of store.querier().select(matchers, minT, maxT)) {
            const want = decoded(series, minT, maxT);
            expectSame(structuredClone(series.summary!(minT, maxT)), want);
            asked += 1;
          }
          const followed = moving[i]!;
          if (followed.generation !== followed.windows.generation) {
            followed.generation = followed.windows.generation;
            followed.series = [...followed.windows.search(endT)].filter((each) => each !== undefined);
          }
          for (const series of followed.series) {
            const want = decoded(series, minT, maxT);
            expectSame(structuredClone(series.summaryUntil(endT)), want);
          }
        }
      }
    }
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
  return asked;
}

type Command = typeof command extends fc.Arbitrary<infer C> ? C : never;
const one = (series: number[], count: 1 | 150): Command => {
  const from = { step: 15, gap: 15, seed: 0, stale: false } as const;
  return { kind: 'append', ...from, series, count };
};
const asking = (move: 0 | 60 | -3600, toNewest = false): Command => ({ kind: 'ask', move, toNewest });

/** A window over a series that is on disk only goes back before it, and then on again. */
const BACK_AND_ON: Command[] = [
  one([0, 3], 1),
  { kind: 'maintain' },
  one([1], 150),
  asking(0),
  one([3], 150),
  { kind: 'maintain' },
  asking(60),
  asking(-3600),
  asking(0, true),
];

const late = (step: 15 | -500, series: number[], count: 1 | 700 = 1): Command => ({
  kind: 'append',
  ...{ step, gap: 15, seed: 0, stale: false },
  series,
  count,
});
/** The open chunk that was seen is sealed by maintenance, and nothing takes its place. */
const SEALED_MEANWHILE: Command[] = [
  late(-500, [2, 3]),
  asking(0),
  late(15, [2, 3]),
  late(-500, [3], 700),
  { kind: 'maintain' },
  { kind: 'ask', move: 15, toNewest: false },
];

describe.each([
  ['durable', true],
  ['memory', false],
] as const)('%s store', (_, durable) => {
  it('tells a range by its summary as it tells it by its samples, whatever happened in between', async () => {
    let asked = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 10, maxLength: 80 }), async (drawn) => {
        asked += await run(drawn, durable);
      }),
      { numRuns: 30, examples: [[BACK_AND_ON], [SEALED_MEANWHILE]] },
    );
    expect(asked).toBeGreaterThan(100);
  }, 120_000);
});
