import type { Samples } from '../../../model/sample.ts';
import { addResets, type RangeSummary } from '../../storage/range-summary.ts';
import { possibleNonCounter } from '../evaluation/annotations.ts';
import { timeAt } from '../evaluation/evaluation.ts';
import type { CheaperFunction, RangeWindow, Roll } from '../evaluation/range-windows.ts';
import { unwrapParens } from '../expr.ts';
import { type FunctionImplementation, overRange } from './function.ts';
import { markedPairs } from './sliding.ts';

interface Extrapolation {
  readonly isCounter: boolean;
  readonly perSecond: boolean;
}

/**
 * The difference between the last and the first sample of a window, counter resets added back, extrapolated towards
 * both ends of the window: all the way where a sample is about due there, else by half an interval; never below a
 * counter's zero. Source: prometheus/promql/functions.go, `extrapolatedRate`, operation for operation
 */
function extrapolate(kind: Extrapolation): CheaperFunction {
  return {
    whole: (window, out, step) => {
      const { v, from, to } = window;
      if (to - from < 2) return false;
      let difference = v[to - 1]! - v[from]!;
      if (kind.isCounter) {
        for (let i = from + 1; i < to; i += 1) if (v[i]! < v[i - 1]!) difference += v[i - 1]!;
      }
      out[step] = ofWindow(window, difference, kind);
      return true;
    },
    rolling: (samples) => rollExtrapolated(samples, kind),
    summary(summary, window, out, step) {
      if (summary.count < 2) return false;
      const apart = summary.lastV - summary.firstV;
      const difference = kind.isCounter ? addResets(summary, apart) : apart;
      if (difference === undefined) return undefined;
      out[step] = extrapolated(summary, window, difference, kind);
      return true;
    },
  };
}

const ofWindow = (window: RangeWindow, difference: number, kind: Extrapolation) =>
  extrapolated(endsOf(window), window, difference, kind);

const endsOf = ({ t, v, from, to }: RangeWindow): Ends => ({
  count: to - from,
  firstT: t[from]!,
  firstV: v[from]!,
  lastT: t[to - 1]!,
});

type Ends = Pick<RangeSummary, 'count' | 'firstT' | 'firstV' | 'lastT'>;

function extrapolated(
  { count, firstT, firstV, lastT }: Ends,
  { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
  difference: number,
  { isCounter, perSecond }: Extrapolation,
): number {
  let toStart = (firstT - startMs) / 1000;
  let toEnd = (endMs - lastT) / 1000;
  const sampled = (lastT - firstT) / 1000;
  const average = sampled / (count - 1);
  const threshold = average * 1.1;
  if (toStart >= threshold) toStart = average / 2;
  if (isCounter && difference > 0 && firstV >= 0) {
    const toZero = sampled * (firstV / difference);
    if (toZero < toStart) toStart = toZero;
  }
  if (toEnd >= threshold) toEnd = average / 2;
  let factor = (sampled + toStart + toEnd) / sampled;
  if (perSecond) factor /= (endMs - startMs) / 1000;
  return difference * factor;
}

/**
 * The same over many windows, with the same result to the bit. From one window to the next the times within it are mostly
 * the same, and so is all that comes of them.
 */
function rollExtrapolated({ t, v, length }: Samples, { isCounter, perSecond }: Extrapolation): Roll {
  const resets = isCounter ? resetsOf(v, length) : NO_RESETS;
  const resume = { first: 0, last: 0, firstReset: 0, endReset: 0 };
  return (ends, rangeMs, { values, present }, fromStep, toStep) => {
    let { first, last, firstReset, endReset } = resume;
    // Of the window before: where its samples lie in it, and what came of that.
    let count = 0;
    let beforeFirst = 0;
    let afterLast = 0;
    let between = 0;
    let sampled = 0;
    let toStart = 0;
    let toEnd = 0;
    let factor = 0;
    let inWindows = 0;
    let came = 1;
    let went = 1;
    for (let k = fromStep; k < toStep; k += 1) {
      const endMs = timeAt(ends, k);
      const startMs = endMs - rangeMs;
      // Mostly as many samples come and go as did at the step before.
      const nextLast = last + came;
      const nextFirst = first + went;
      if (nextLast < length && t[nextLast]! > endMs && t[nextLast - 1]! <= endMs) last = nextLast;
      else {
        const before = last;
        while (last < length && t[last]! <= endMs) last += 1;
        came = Math.max(1, last - before);
      }
      if (nextFirst < last && t[nextFirst]! > startMs && t[nextFirst - 1]! <= startMs) first = nextFirst;
      else {
        const before = first;
        while (first < last && t[first]! <= startMs) first += 1;
        went = Math.max(1, first - before);
      }
      inWindows += last - first;
      if (last - first < 2) continue;
      const firstV = v[first]!;
      let difference = v[last - 1]! - firstV;
      if (resets.length > 0) {
        while (endReset < resets.length && resets[endReset]! < last) endReset += 1;
        while (firstReset < endReset && resets[firstReset]! <= first) firstReset += 1;
        for (let i = firstReset; i < endReset; i += 1) difference += v[resets[i]! - 1]!;
      }
      const firstT = t[first]!;
      const lastT = t[last - 1]!;
      if (
        firstT - startMs !== beforeFirst ||
        endMs - lastT !== afterLast ||
        lastT - firstT !== between ||
        last - first !== count
      ) {
        count = last - first;
        beforeFirst = firstT - startMs;
        afterLast = endMs - lastT;
        between = lastT - firstT;
        sampled = between / 1000;
        const average = sampled / (count - 1);
        const threshold = average * 1.1;
        toStart = beforeFirst / 1000;
        toEnd = afterLast / 1000;
        if (toStart >= threshold) toStart = average / 2;
        if (toEnd >= threshold) toEnd = average / 2;
        factor = (sampled + toStart + toEnd) / sampled;
        if (perSecond) factor /= rangeMs / 1000;
      }
      let own = factor;
      // A counter that began at twice the difference or more was at zero longer ago than any start.
      if (isCounter && difference > 0 && firstV >= 0 && firstV < 2 * difference) {
        const toZero = sampled * (firstV / difference);
        if (toZero < toStart) {
          own = (sampled + toZero + toEnd) / sampled;
          if (perSecond) own /= rangeMs / 1000;
        }
      }
      values[k] = difference * own;
      present[k] = 1;
    }
    Object.assign(resume, { first, last, firstReset, endReset });
    return inWindows;
  };
}

const NO_RESETS: readonly number[] = [];

/** The samples that are less than the one before, by their index. */
function resetsOf(v: Float64Array, length: number): readonly number[] {
  let resets: number[] | undefined;
  for (let i = 1; i < length; i += 1) {
    if (!wasReset(v[i - 1]!, v[i]!)) continue;
    resets ??= [];
    resets.push(i);
  }
  return resets ?? NO_RESETS;
}

/** The difference of the last two samples; of a counter that was reset, the last one. */
function lastDifference({ v, to }: RangeWindow, isCounter: boolean): number {
  const [before, last] = [v[to - 2]!, v[to - 1]!];
  return isCounter && last < before ? last : last - before;
}

const COUNTER_NAME = /_(?:total|sum|count|bucket)$/;

const ofCounter = (fn: CheaperFunction): FunctionImplementation =>
  overRange(fn, {
    seen(name, call, evaluation) {
      if (name === '' || COUNTER_NAME.test(name)) return;
      const arg = call.args[0]!;
      // Prometheus has lost the place of a subquery by then, and tells the start of the query.
      const place = unwrapParens(arg).kind === 'subquery' ? { start: 0, end: 0 } : arg;
      evaluation.annotations.add(possibleNonCounter(name, place));
    },
  });

/** How many pairs of neighbours in a window are marked. */
function counting(
  marks: (before: number, value: number) => boolean,
  known: 'changes' | 'resets',
): CheaperFunction {
  return {
    whole: ({ v, from, to }, out, step) => {
      let n = 0;
      for (let i = from + 1; i < to; i += 1) if (marks(v[i - 1]!, v[i]!)) n += 1;
      out[step] = n;
      return true;
    },
    sliding() {
      const pairs = markedPairs(marks);
      return (window, out, step) => {
        pairs.move(window);
        out[step] = pairs.indexes.length - pairs.first;
        return true;
      };
    },
    summary(summary, _window, out, step) {
      out[step] = summary[known];
      return true;
    },
  };
}

const changed = (before: number, value: number) =>
  value !== before && !(Number.isNaN(value) && Number.isNaN(before));
const wasReset = (before: number, value: number) => value < before;

export const rateFunctions: Readonly<Record<string, FunctionImplementation>> = {
  rate: ofCounter(extrapolate({ isCounter: true, perSecond: true })),
  increase: ofCounter(extrapolate({ isCounter: true, perSecond: false })),
  delta: overRange(extrapolate({ isCounter: false, perSecond: false })),
  irate: overRange((window, out, step) => {
    const { t, from, to } = window;
    if (to - from < 2) return false;
    out[step] = lastDifference(window, true) / ((t[to - 1]! - t[to - 2]!) / 1000);
    return true;
  }),
  idelta: overRange((window, out, step) => {
    if (window.to - window.from < 2) return false;
    out[step] = lastDifference(window, false);
    return true;
  }),
  changes: overRange(counting(changed, 'changes')),
  resets: overRange(counting(wasReset, 'resets')),
};
