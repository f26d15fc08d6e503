import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTimeTexts, writePoints } from '../../../src/collector/api/points-json.ts';
import { resultJson } from '../../../src/collector/api/prometheus-json.ts';
import { writtenText } from '../../support/written-text.ts';

/** As Go's encoder has it, the plain way. */
function numberText(v: number): string {
  if (Number.isNaN(v)) return 'NaN';
  if (!Number.isFinite(v)) return v > 0 ? '+Inf' : '-Inf';
  if (Object.is(v, -0)) return '-0';
  return String(v).replace(/e([+-])(\d)$/, 'e$10$2');
}

const pointsText = (t: readonly number[], v: readonly number[]) => {
  const samples = { t: Float64Array.from(t), v: Float64Array.from(v), length: t.length };
  const times = createTimeTexts([{ samples }]);
  return writtenText((out) => writePoints(out, samples, times));
};

const value = fc.oneof(
  { weight: 4, arbitrary: fc.double() },
  fc.maxSafeInteger(),
  fc.integer({ min: -20, max: 1_200_000_000 }),
  fc.integer({ min: 0, max: 3 }),
  fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  fc.constantFrom(1e-6, 9.99e-7, 1e21, 999_999_999, 1e9, 1_000_000_001, 2 ** 31, 2 ** 53, 2 ** 53 + 2),
);

describe('the points of an answer', () => {
  it('have the text of each number alone, whatever stands beside it', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 1_200 }), fc.nat(3), (v, gap) => {
        const t = v.map((_, i) => 1_700_000_000_000 + (i + (i > 5 ? gap : 0)) * 15_000);
        const plain = v.map((one, i) => `[${t[i]! / 1000},"${numberText(one)}"]`).join();
        expect(pointsText(t, v)).toBe(`[${plain}]`);
      }),
      { numRuns: 200 },
    );
  });

  it('have three decimals of a time where it is no whole second', () => {
    expect(pointsText([-1, 0, 1, 999, 1000, 1_700_000_000_050], [1, 1, 1, 1, 1, 1])).toBe(
      '[[-0.001,"1"],[0,"1"],[0.001,"1"],[0.999,"1"],[1,"1"],[1700000000.050,"1"]]',
    );
  });

  it('of a second series have their own times', () => {
    const samples = (t: number[]) => ({
      t: Float64Array.from(t),
      v: new Float64Array(t.length),
      length: t.length,
    });
    const value = {
      type: 'matrix' as const,
      series: [
        { labels: [['a', 'x']] as const, samples: samples([1000, 2000]) },
        { labels: [['a', 'é"\n']] as const, samples: samples([2000, 3000]) },
      ],
    };
    expect(JSON.parse(writtenText(resultJson({ value, warnings: [], infos: [] })))).toEqual({
      status: 'success',
      data: {
        resultType: 'matrix',
        result: [
          {
            metric: { a: 'x' },
            values: [
              [1, '0'],
              [2, '0'],
            ],
          },
          {
            metric: { a: 'é"\n' },
            values: [
              [2, '0'],
              [3, '0'],
            ],
          },
        ],
      },
    });
  });
});
