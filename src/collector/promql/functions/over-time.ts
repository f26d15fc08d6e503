import type { RangeSummary } from '../../storage/range-summary.ts';
import { invalidQuantile } from '../evaluation/annotations.ts';
import type { CheaperFunction, RangeFunction, RangeWindow } from '../evaluation/range-windows.ts';
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

/** The same from what a window comes to; `fromSummary` is undefined where the samples must be looked at. */
const summarised = (
  whole: (window: RangeWindow) => number,
  fromSummary: (summary: RangeSummary) => number | undefined,
  sliding?: CheaperFunction['sliding'],
): CheaperFunction => ({
  whole: ofWindow(whole),
  ...(sliding && { sliding }),
  summary(summary, _window, out, step) {
    const value = fromSummary(summary);
    if (value === undefined) return undefined;
    out[step] = value;
    return true;
  },
});

export function sumOf({ v, from, to }: RangeWindow): number {
  const total: KahanSum = { sum: 0, c: 0 };
  for (let i = from; i < to; i += 1) addTo(total, v[i]!);
  return Number.isFinite(total.sum) || Number.isNaN(total.sum) ? total.sum + total.c : total.sum;
}

const isInfinite = (value: number) =>
  value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;

/** Sum over count; as a running mean from where the sum would overflow. */
function averageOf({ v, from, to }: RangeWindow): number {
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

function varianceOf({ v, from, to }: RangeWindow): number {
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

const ofExtreme = (
  isBetter: (value: number, than: number) => boolean,
  known: 'min' | 'max',
): CheaperFunction =>
  summarised(
    (window) => window.v[extremeIndex(window, isBetter)]!,
    (summary) => (summary.finite ? summary[known] : undefined),
    slidingExtreme(isBetter),
  );

// Of a sum that is smaller than this share of what was added, too many digits cancelled out.
const SMALLEST_SHARE = 1e-9;

/** Whether the sum is true to more than 12 digits however it was put together. */
const isSound = ({ finite, magnitude, sum, c }: RangeSummary) =>
  finite && Number.isFinite(magnitude) && Math.abs(sum + c) >= magnitude * SMALLEST_SHARE;

/** `ofExact` is what `whole` gives where the sum needed no rounding. */
function ofSum(
  whole: (window: RangeWindow) => number,
  ofExact: (sum: number, count: number) => number,
  ofParts: (sum: number, c: number, count: number) => number,
): CheaperFunction {
  return summarised(
    whole,
    (summary) => (isSound(summary) ? ofParts(summary.sum, summary.c, summary.count) : undefined),
    (samples) => {
      const sums = exactSums(samples);
      if (sums === undefined) return ofWindow(whole);
      return ofWindow((window) => ofExact(sums(window), window.to - window.from));
    },
  );
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
  sum_over_time: overRange(
    ofSum(
      sumOf,
      (sum) => sum,
      (sum, c) => sum + c,
    ),
  ),
  avg_over_time: overRange(
    ofSum(
      averageOf,
      (sum, count) => sum / count,
      (sum, c, count) => sum / count + c / count,
    ),
  ),
  count_over_time: overRange(
    summarised(
      ({ from, to }) => to - from,
      ({ count }) => count,
    ),
  ),
  present_over_time: overRange(
    summarised(
      () => 1,
      () => 1,
    ),
  ),
  min_over_time: overRange(ofExtreme(less, 'min')),
  max_over_time: overRange(ofExtreme(greater, 'max')),
  stdvar_over_time: overRange(ofWindow(varianceOf)),
  stddev_over_time: overRange(ofWindow((window) => Math.sqrt(varianceOf(window)))),
  first_over_time: overRange(
    summarised(
      ({ v, from }) => v[from]!,
      ({ firstV }) => firstV,
    ),
    { keepsName: true },
  ),
  last_over_time: overRange(
    summarised(
      ({ v, to }) => v[to - 1]!,
      ({ lastV }) => lastV,
    ),
    { keepsName: true },
  ),
  quantile_over_time: quantileOverTime,
  mad_over_time: overRange(ofWindow(medianDeviation)),
  ts_of_first_over_time: overRange(
    summarised(
      ({ t, from }) => t[from]! / 1000,
      ({ firstT }) => firstT / 1000,
    ),
  ),
  ts_of_last_over_time: overRange(
    summarised(
      ({ t, to }) => t[to - 1]! / 1000,
      ({ lastT }) => lastT / 1000,
    ),
  ),
  ts_of_min_over_time: overRange(ofWindow((window) => window.t[extremeIndex(window, atMost)]! / 1000)),
  ts_of_max_over_time: overRange(ofWindow((window) => window.t[extremeIndex(window, atLeast)]! / 1000)),
};
