import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSeriesOrders } from '../../../src/collector/promql/evaluation/series-orders.ts';
import { createTurn } from '../../../src/collector/promql/evaluation/turn.ts';
import type { StoredSeries } from '../../../src/collector/storage/storage.ts';
import { compareLabels, type Labels, toLabels } from '../../../src/model/labels.ts';
import { systemClock } from '../../../src/util/clock.ts';

const seriesOf = (labels: Labels): StoredSeries => ({
  labels,
  samples: () => ({ t: new Float64Array(0), v: new Float64Array(0), length: 0 }),
});

describe('the order of a selection', () => {
  it('is that of its labels, whatever was selected by the same matchers before', async () => {
    // Labels that are the same objects each time, as a store has them.
    const all = Array.from({ length: 60 }, (_, i) => toLabels({ __name__: 'x', pod: String((i * 37) % 60) }));
    const selection = fc.record({
      by: fc.nat(2),
      picked: fc.uniqueArray(fc.nat(all.length - 1), { maxLength: all.length }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(selection, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(30, 100, 10_000),
        async (selections, mostSeries) => {
          const orders = createSeriesOrders(mostSeries);
          const matchers = [[], [], []];
          const turn = createTurn(systemClock, 60_000);
          for (const { by, picked } of [...selections, ...selections]) {
            const found = picked.map((i) => seriesOf(all[i]!));
            const sorted = await orders.sort(matchers[by]!, [...found], turn);
            const wanted = found.sort((a, b) => compareLabels(a.labels, b.labels));
            expect(sorted).toEqual(wanted);
            sorted.forEach((one, i) => void expect(one).toBe(wanted[i]));
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
