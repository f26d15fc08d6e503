import { invalidQuantile } from '../evaluation/annotations.ts';
import type { RangeFunction, RangeWindow, SlidingFunction } from '../evaluation/range-vector.ts';
import { addTo, type KahanSum } from '../kahan-sum.ts';
import { quantileOf } from '../quantile.ts';
import { applyToRange, type FunctionImplementation, overRange, scalarArgument } from './function.ts';
import { exactSums, slidingExtreme } from './sliding.ts';

/** A function that has a value for every window with samples. */
const ofWindow =
  (fn: (window: RangeWindow) => number): RangeFunction =>
  (window, out, step) => {
    out[step] = fn(window);
    return true;
  };

export function sumOf({ v, from, to }: RangeWindow): number {
  const total: KahanSum = { sum: 0, c: 0 };
  for (let i = from; i < to; i += 1) addTo(total, v[i]!);
  return Number.isFinite(total.sum) || Number.isNaN(total.sum) ? total.sum + total.c : total.sum;
}

const isInfinite = (value: number) =>
  value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;

/** Sum over count; as a running mean from where the sum would overflow. */
export function averageOf({ v, from, to }: RangeWindow): number {
  const total: KahanSum = { sum: v[from]!, c: 0 };
  for (let i = from + 1; i < to; i += 1) {
    const { sum, c } = total;
    addTo(total, v[i]!);
    if (isInfinite(total.sum)) return runningMean(v, from, i, to, sum, c);
  }
  const count = to - from;
  return total.sum / count + total.c / count;
}

/** `sum` and `c` are those of entries `from` to `next` - 1. */
function runningMean(
  v: Float64Array,
  from: number,
  next: number,
  to: number,
  sum: number,
  c: number,
): number {
  const mean: KahanSum = { sum: sum / (next - from), c: c / (next - from) };
  for (let i = next; i < to; i += 1) {
    const count = i - from + 1;
    const share = (count - 1) / count;
    mean.sum = share * mean.sum;
    mean.c = share * mean.c;
    addTo(mean, v[i]! / count);
  }
  return mean.sum + mean.c;
}

export function varianceOf({ v, from, to }: RangeWindow): number {
  const mean: KahanSum = { sum: 0, c: 0 };
  const squares: KahanSum = { sum: 0, c: 0 };
  for (let i = from; i < to; i += 1) {
    const value = v[i]!;
    const delta = value - (mean.sum + mean.c);
    addTo(mean, delta / (i - from + 1));
    addTo(squares, delta * (value - (mean.sum + mean.c)));
  }
  return (squares.sum + squares.c) / (to - from);
}

/** Index of the extreme value; `isBetter` decides whether a later value takes its place. */
function extremeIndex(
  { v, from, to }: RangeWindow,
  isBetter: (value: number, than: number) => boolean,
): number {
  let best = from;
  for (let i = from; i < to; i += 1) if (isBetter(v[i]!, v[best]!) || Number.isNaN(v[best]!)) best = i;
  return best;
}

const greater = (value: number, than: number) => value > than;
const less = (value: number, than: number) => value < than;
const atLeast = (value: number, than: number) => value >= than;
const atMost = (value: number, than: number) => value <= than;

const ofExtreme = (isBetter: (value: number, than: number) => boolean): SlidingFunction => ({
  whole: ofWindow((window) => window.v[extremeIndex(window, isBetter)]!),
  sliding: slidingExtreme(isBetter),
});

/** `ofExact` is what `whole` gives where the sum needed no rounding. */
function ofSum(
  whole: (window: RangeWindow) => number,
  ofExact: (sum: number, count: number) => number,
): SlidingFunction {
  return {
    whole: ofWindow(whole),
    sliding(samples) {
      const sums = exactSums(samples);
      if (sums === undefined) return ofWindow(whole);
      return ofWindow((window) => ofExact(sums(window), window.to - window.from));
    },
  };
}

/** Median absolute deviation from the median; NaN when any value is. */
function medianDeviation({ v, from, to }: RangeWindow): number {
  const values = v.slice(from, to);
  if (values.some(Number.isNaN)) return Number.NaN;
  const median = quantileOf(0.5, values);
  return quantileOf(
    0.5,
    values.map((value) => Math.abs(value - median)),
  );
}

const quantileOverTime: FunctionImplementation = async (call, evaluation) => {
  const [place, range] = call.args as [(typeof call.args)[0], (typeof call.args)[0]];
  const q = await scalarArgument(place, evaluation);
  return applyToRange(range, evaluation, ({ v, from, to }, out, step) => {
    const wanted = q[step]!;
    if (!(wanted >= 0 && wanted <= 1)) evaluation.annotations.add(invalidQuantile(wanted, place));
    out[step] = quantileOf(wanted, v.slice(from, to));
    return true;
  });
};

export const overTimeFunctions: Readonly<Record<string, FunctionImplementation>> = {
  sum_over_time: overRange(ofSum(sumOf, (sum) => sum)),
  avg_over_time: overRange(ofSum(averageOf, (sum, count) => sum / count)),
  count_over_time: overRange(ofWindow(({ from, to }) => to - from)),
  present_over_time: overRange(ofWindow(() => 1)),
  min_over_time: overRange(ofExtreme(less)),
  max_over_time: overRange(ofExtreme(greater)),
  stdvar_over_time: overRange(ofWindow(varianceOf)),
  stddev_over_time: overRange(ofWindow((window) => Math.sqrt(varianceOf(window)))),
  first_over_time: overRange(
    ofWindow(({ v, from }) => v[from]!),
    { keepsName: true },
  ),
  last_over_time: overRange(
    ofWindow(({ v, to }) => v[to - 1]!),
    { keepsName: true },
  ),
  quantile_over_time: quantileOverTime,
  mad_over_time: overRange(ofWindow(medianDeviation)),
  ts_of_first_over_time: overRange(ofWindow(({ t, from }) => t[from]! / 1000)),
  ts_of_last_over_time: overRange(ofWindow(({ t, to }) => t[to - 1]! / 1000)),
  ts_of_min_over_time: overRange(ofWindow((window) => window.t[extremeIndex(window, atMost)]! / 1000)),
  ts_of_max_over_time: overRange(ofWindow((window) => window.t[extremeIndex(window, atLeast)]! / 1000)),
};
