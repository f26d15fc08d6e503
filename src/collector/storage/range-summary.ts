/**
 * What the samples of a stretch of time come to. Stale markers are not counted. Two neighbouring stretches merge, so
 * that a long window need not look at every sample.
 */
export interface RangeSummary {
  count: number;
  /** Only where `count` is not 0, as are all that follow. */
  firstT: number;
  firstV: number;
  lastT: number;
  lastV: number;
  /** Compensated: `sum + c` is the sum of all values. */
  sum: number;
  c: number;
  /** The sum of all values without their signs: how much of it can have cancelled out in `sum`. */
  magnitude: number;
  min: number;
  max: number;
  changes: number;
  resets: number;
  /** The values before the resets, in order, and their sum. */
  readonly befores: number[];
  resetSum: number;
  /** Some of `befores` are told by `resetSum` only. */
  combined: boolean;
  /** All values are whole numbers. */
  whole: boolean;
  /** No value is NaN or infinite; `sum`, `c`, `magnitude`, `min` and `max` count only then. */
  finite: boolean;
}

// So many resets are told one by one: a container that crashes every five minutes for three days.
const MOST_BEFORES = 1_024;

export function createSummary(): RangeSummary {
  return {
    count: 0,
    firstT: 0,
    firstV: 0,
    lastT: 0,
    lastV: 0,
    sum: 0,
    c: 0,
    magnitude: 0,
    min: 0,
    max: 0,
    changes: 0,
    resets: 0,
    befores: [],
    resetSum: 0,
    combined: false,
    whole: true,
    finite: true,
  };
}

export function clearSummary(summary: RangeSummary): void {
  summary.count = 0;
  summary.sum = 0;
  summary.c = 0;
  summary.magnitude = 0;
  summary.changes = 0;
  summary.resets = 0;
  if (summary.befores.length > 0) summary.befores.length = 0;
  summary.resetSum = 0;
  summary.combined = false;
  summary.whole = true;
  summary.finite = true;
}

/** Adds entries `from` to `to` - 1, all later than what is there. There must be no stale marker among them. */
export function addSamples(
  summary: RangeSummary,
  t: Float64Array,
  v: Float64Array,
  from: number,
  to: number,
): void {
  if (from >= to) return;
  let i = from;
  if (summary.count === 0) {
    const value = v[i]!;
    start(summary, t[i]!, value);
    i += 1;
  }
  let { lastV: last, sum, c, magnitude, min, max, changes, whole, finite } = summary;
  for (; i < to; i += 1) {
    const value = v[i]!;
    if (value !== last) {
      if (value < last) addReset(summary, last);
      if (!(Number.isNaN(value) && Number.isNaN(last))) changes += 1;
      if (value < min) min = value;
      if (value > max) max = value;
      if (finite && !Number.isFinite(value)) finite = false;
      if (whole && !Number.isInteger(value)) whole = false;
      last = value;
    }
    // The steps of `addTo` in promql/kahan-sum.ts.
    const total = sum + value;
    if (Math.abs(sum) >= Math.abs(value)) c += sum - total + value;
    else c += value - total + sum;
    sum = total;
    magnitude += Math.abs(value);
  }
  summary.count += to - from;
  summary.lastT = t[to - 1]!;
  summary.lastV = v[to - 1]!;
  summary.sum = sum;
  summary.c = c;
  summary.magnitude = magnitude;
  summary.min = min;
  summary.max = max;
  summary.changes = changes;
  summary.whole = whole;
  summary.finite = finite;
}

function start(summary: RangeSummary, t: number, value: number): void {
  summary.firstT = t;
  summary.firstV = value;
  summary.lastV = value;
  summary.sum = value;
  summary.c = 0;
  summary.magnitude = Math.abs(value);
  summary.min = value;
  summary.max = value;
  summary.whole = Number.isInteger(value);
  summary.finite = Number.isFinite(value);
}

function addReset(summary: RangeSummary, before: number): void {
  summary.resets += 1;
  summary.resetSum += before;
  if (summary.befores.length < MOST_BEFORES) summary.befores.push(before);
  else summary.combined = true;
}

/** Adds `later`, all of it after what is there. */
export function addSummary(summary: RangeSummary, later: RangeSummary): void {
  if (later.count === 0) return;
  if (summary.count === 0) {
    clearSummary(summary);
    summary.firstT = later.firstT;
    summary.firstV = later.firstV;
    summary.min = later.min;
    summary.max = later.max;
  } else {
    const { lastV } = summary;
    if (later.firstV !== lastV && !(Number.isNaN(later.firstV) && Number.isNaN(lastV))) summary.changes += 1;
    if (later.firstV < lastV) addReset(summary, lastV);
    if (later.min < summary.min) summary.min = later.min;
    if (later.max > summary.max) summary.max = later.max;
  }
  summary.count += later.count;
  summary.lastT = later.lastT;
  summary.lastV = later.lastV;
  const total = summary.sum + later.sum;
  if (Math.abs(summary.sum) >= Math.abs(later.sum)) summary.c += summary.sum - total + later.sum;
  else summary.c += later.sum - total + summary.sum;
  summary.sum = total;
  summary.c += later.c;
  summary.magnitude += later.magnitude;
  summary.changes += later.changes;
  summary.whole &&= later.whole;
  summary.finite &&= later.finite;
  if (later.resets === 0) return;
  summary.resets += later.resets;
  summary.resetSum += later.resetSum;
  summary.combined ||= later.combined;
  for (const before of later.befores) {
    if (summary.befores.length < MOST_BEFORES) summary.befores.push(before);
    else summary.combined = true;
  }
}

// Whole numbers up to here add up without rounding, in whatever order.
const LARGEST_EXACT = 2 ** 52;

/**
 * `difference` with the values before the resets added one after another, as a counter's increase is worked out;
 * undefined where not all of them are known and rounding could tell.
 */
export function addResets(summary: RangeSummary, difference: number): number | undefined {
  if (summary.combined) {
    const largest = Math.abs(summary.firstV) + Math.abs(summary.lastV) + Math.abs(summary.resetSum);
    // Of values of both signs the sum may hide larger steps.
    const exact = summary.whole && summary.min >= 0 && largest <= LARGEST_EXACT;
    return exact ? difference + summary.resetSum : undefined;
  }
  let total = difference;
  for (const before of summary.befores) total += before;
  return total;
}

/** False where more is told by looking at the samples: values before resets that only their sum is left of. */
export const isUsable = (summary: RangeSummary): boolean => !summary.combined || summary.whole;
