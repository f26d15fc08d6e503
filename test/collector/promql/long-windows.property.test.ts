import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/collector/promql/engine.ts';
import type { Querier, StoredSeries } from '../../../src/collector/storage/storage.ts';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import { createStore } from '../../../src/collector/tsdb/store.ts';
import { encodeLabels, labelsKey, toLabels } from '../../../src/model/labels.ts';
import type { QueryValue } from '../../../src/model/query-result.ts';
import { createFakeClock } from '../../../src/util/clock.ts';
import { START } from '../../conformance/store.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const EXACT = ['rate', 'increase', 'delta', 'changes', 'resets', 'min_over_time', 'max_over_time'];
const EXACT_TOO = ['count_over_time', 'present_over_time', 'first_over_time', 'last_over_time'];
const CLOSE = ['sum_over_time', 'avg_over_time', 'stddev_over_time'];

/** The same store without anything but samples. */
function samplesOnly(querier: Querier): Querier {
  const { labelNames, labelValues } = querier;
  return {
    labelNames,
    labelValues,
    *select(matchers, minT, maxT) {
      for (const one of querier.select(matchers, minT, maxT))
        yield {
          labels: one.labels,
          samples: (from, to) => one.samples(from, to),
        } satisfies StoredSeries;
    },
  };
}

const series = fc.record({
  kind: fc.constantFrom('whole', 'fraction', 'gauge', 'huge', 'odd'),
  gap: fc.constantFrom(15_000, 60_000, 61_003),
  resetEvery: fc.constantFrom(7, 300, 100_000),
  seed: fc.nat(1_000_000),
});
type Series = typeof series extends fc.Arbitrary<infer S> ? S : never;

function* valuesOf({ kind, resetEvery, seed }: Series): Generator<number> {
  let state = seed;
  let before = 0;
  for (let i = 0; ; i += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const drawn = state / 2 ** 32;
    if (kind === 'gauge') yield (drawn - 0.5) * 100;
    else if (kind === 'huge') yield drawn < 0.01 ? 1e15 : drawn * 1e-3;
    else if (kind === 'odd' && drawn < 0.002) yield drawn < 0.001 ? Number.NaN : Number.POSITIVE_INFINITY;
    else {
      const step = kind === 'whole' ? Math.floor(drawn * 50) : drawn * 0.1;
      before = i % resetEvery === resetEvery - 1 ? step : before + step;
      yield before;
    }
  }
}

function expectSame(text: string, got: QueryValue, want: QueryValue, exact: boolean): void {
  if (got.type !== 'vector' || want.type !== 'vector') throw new Error('expected vectors');
  expect(got.samples.map(({ labels }) => labelsKey(labels))).toEqual(
    want.samples.map(({ labels }) => labelsKey(labels)),
  );
  got.samples.forEach(({ v }, i) => {
    const other = want.samples[i]!.v;
    if (Object.is(v, other)) return;
    const apart = Math.abs(v - other) / Math.abs(other);
    expect(exact ? Number.NaN : apart, `${text}: ${v} and ${other}`).toBeLessThanOrEqual(1e-12);
  });
}

async function run(many: readonly Series[], durable: boolean, ticks: readonly number[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'podvitals-long-'));
  const clock = createFakeClock(START);
  const store = durable
    ? createStore({ path: join(folder, 'collector.db'), clock })
    : createMemoryStore({ clock });
  try {
    const all = many.map((one, i) => ({
      key: encodeLabels(toLabels({ __name__: 'x_total', one: String(i), group: String(i % 2) })),
      values: valuesOf(one),
      t: START - 40 * HOUR + i * 777,
      gap: one.gap,
    }));
    const writeUntil = async (endT: number) => {
      const appender = store.appender();
      for (const one of all) {
        const ref = appender.reference(one.key);
        for (; one.t <= endT; one.t += one.gap) appender.append(ref, one.t, one.values.next().value!);
      }
      await appender.commit();
    };
    for (let endT = START - 38 * HOUR; endT <= START; endT += 2 * HOUR) {
      await writeUntil(endT);
      await store.maintain();
    }
    const quick = createEngine({ querier: () => store.querier(), clock });
    const decoding = createEngine({ querier: () => samplesOnly(store.querier()), clock });
    let endT = START;
    for (const step of ticks) {
      endT += step * 1000;
      await writeUntil(endT);
      for (const range of ['20m', '3h', '30h']) {
        for (const fn of [...EXACT, ...EXACT_TOO, ...CLOSE]) {
          for (const text of [`${fn}(x_total[${range}])`, `sum by (group) (${fn}(x_total[${range}]))`]) {
            const [got, want] = [await quick.query(text, endT), await decoding.query(text, endT)];
            expectSame(text, got.value, want.value, !CLOSE.includes(fn));
            expect(got.warnings).toEqual(want.warnings);
            expect(got.infos).toEqual(want.infos);
          }
        }
      }
    }
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

describe.each([
  ['durable', true],
  ['memory', false],
] as const)('%s store: a long window, tick after tick', (_, durable) => {
  it('has the value it has from every sample: bit for bit, sums to 1e-12', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(series, { minLength: 1, maxLength: 4 }),
        fc.array(fc.constantFrom(15, 60, 60, 600, 7_200), { minLength: 4, maxLength: 6 }),
        (many, ticks) => run(many, durable, ticks),
      ),
      { numRuns: 6 },
    );
  }, 120_000);
});
