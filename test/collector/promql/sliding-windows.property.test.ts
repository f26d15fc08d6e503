import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/collector/promql/engine.ts';
import { toLabels } from '../../../src/model/labels.ts';
import { listOf } from '../../../src/model/sample.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { createSampleStore } from '../../support/sample-store.ts';

const whole = fc.integer({ min: 0, max: 1000 });
const special = fc.constantFrom(
  0,
  -0,
  1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1e308,
  -1e308,
);
const kinds = [
  fc.array(whole, { minLength: 1, maxLength: 60 }),
  fc.array(fc.double(), { minLength: 1, maxLength: 60 }),
  fc.array(fc.oneof(whole, special, fc.double({ min: -10, max: 10 })), { minLength: 1, maxLength: 60 }),
  fc.array(fc.constantFrom(2 ** 53 - 1, 2 ** 52, 1, -(2 ** 52)), { minLength: 1, maxLength: 60 }),
  // A counter, not long after its start.
  fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { minLength: 1, maxLength: 60 }).map((steps) => {
    let sum = 0;
    return steps.map((step) => {
      sum += step;
      return sum;
    });
  }),
];
const GAPS = { minLength: 60, maxLength: 60 };
const gaps = fc.oneof(
  fc.array(fc.constantFrom(1000, 5000, 5000, 5000, 40_000), GAPS),
  fc.array(fc.constant(5000), GAPS),
);

const FUNCTIONS = [
  'rate',
  'increase',
  'delta',
  'changes',
  'resets',
  'min_over_time',
  'max_over_time',
  'sum_over_time',
  'avg_over_time',
  'count_over_time',
];

describe('a window that overlaps the one before', () => {
  it.each(FUNCTIONS)('has the %s it has by itself, bit for bit', async (fn) => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(...kinds),
        gaps,
        fc.integer({ min: 2, max: 60 }),
        fc.constantFrom(1700, 5000),
        async (values, gaps, rangeS, stepMs) => {
          const store = createSampleStore();
          let t = 0;
          store.append(
            toLabels({ __name__: 'x_total' }),
            values.map((v, i) => {
              t += gaps[i]!;
              return { t, v };
            }),
          );
          const engine = createEngine({ querier: () => store.querier, clock: systemClock });
          const text = `${fn}(x_total[${rangeS}s])`;
          const over = await engine.queryRange(text, { startMs: 0, endMs: t + 5000, stepMs });
          const found = new Map(
            over.value.type === 'matrix'
              ? over.value.series
                  .slice(0, 1)
                  .flatMap(({ samples }) => listOf(samples).map((one) => [one.t, one.v]))
              : [],
          );
          for (let at = 0; at <= t + 5000; at += stepMs) {
            const { value } = await engine.query(text, at);
            const alone = value.type === 'vector' ? value.samples[0]?.v : undefined;
            expect(Object.is(found.get(at), alone), `${text} at ${at}: ${found.get(at)} and ${alone}`).toBe(
              true,
            );
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});
