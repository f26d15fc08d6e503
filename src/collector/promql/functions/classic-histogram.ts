/**
 * Quantiles and fractions of classic histograms. Source: prometheus/promql/quantile.go
 */
export interface Bucket {
  readonly upperBound: number;
  /** Observations up to the bound, those of lower buckets included. */
  count: number;
}

/** Counts that had to be raised because a bucket had fewer than the one below it. */
export interface Correction {
  readonly minBucket: number;
  readonly maxBucket: number;
  readonly maxDiff: number;
}

export interface QuantileResult {
  readonly value: number;
  readonly correction: Correction | null;
}

// Relative differences below this come from floating point, not from data.
const SMALL_DELTA = 1e-12;

/**
 * The value below which the share `q` of the observations lies, linear within a bucket. NaN without observations,
 * without a `+Inf` bucket, or with fewer than two buckets; the second highest bound when it falls into `+Inf`.
 * Sorts and changes `buckets`.
 */
export function bucketQuantile(q: number, buckets: Bucket[]): QuantileResult {
  if (Number.isNaN(q)) return { value: Number.NaN, correction: null };
  if (q < 0) return { value: Number.NEGATIVE_INFINITY, correction: null };
  if (q > 1) return { value: Number.POSITIVE_INFINITY, correction: null };
  const merged = sortAndMerge(buckets);
  const top = merged.at(-1)!;
  if (top.upperBound !== Number.POSITIVE_INFINITY) return { value: Number.NaN, correction: null };
  const correction = makeMonotonic(merged);
  if (merged.length < 2 || top.count === 0) return { value: Number.NaN, correction };
  return { value: interpolateRank(q * top.count, merged), correction };
}

function interpolateRank(rank: number, buckets: readonly Bucket[]): number {
  const last = buckets.length - 1;
  const found = buckets.findIndex(({ count }, i) => i === last || count >= rank);
  if (found === last) return buckets[last - 1]!.upperBound;
  const { upperBound, count } = buckets[found]!;
  if (found === 0 && upperBound <= 0) return upperBound;
  const below = buckets[found - 1];
  if (below === undefined) return upperBound * (rank / count);
  const share = (rank - below.count) / (count - below.count);
  return below.upperBound + (upperBound - below.upperBound) * share;
}

function sortAndMerge(buckets: Bucket[]): Bucket[] {
  buckets.sort((a, b) => (a.upperBound < b.upperBound ? -1 : Number(a.upperBound > b.upperBound)));
  const merged: Bucket[] = [];
  for (const bucket of buckets) {
    const last = merged.at(-1);
    if (last?.upperBound === bucket.upperBound) last.count += bucket.count;
    else merged.push(bucket);
  }
  return merged;
}

/** Raises counts that fall, and levels differences too small to be real; tells what was raised. */
function makeMonotonic(buckets: Bucket[]): Correction | null {
  let correction: Correction | null = null;
  let before = buckets[0]!.count;
  for (let i = 1; i < buckets.length; i += 1) {
    const { count, upperBound } = buckets[i]!;
    if (count === before) continue;
    if (nearlyEqual(before, count)) {
      buckets[i]!.count = before;
    } else if (count < before) {
      buckets[i]!.count = before;
      correction = widen(correction, upperBound, before - count);
    } else {
      before = count;
    }
  }
  return correction;
}

function widen(correction: Correction | null, bound: number, difference: number): Correction {
  if (correction === null) return { minBucket: bound, maxBucket: bound, maxDiff: difference };
  return {
    minBucket: Math.min(correction.minBucket, bound),
    maxBucket: Math.max(correction.maxBucket, bound),
    maxDiff: Math.max(correction.maxDiff, difference),
  };
}

const SMALLEST_NORMAL = 2 ** -1022;

function nearlyEqual(a: number, b: number): boolean {
  if (Number.isNaN(a) && Number.isNaN(b)) return true;
  const difference = Math.abs(a - b);
  const sum = Math.abs(a) + Math.abs(b);
  if (a === 0 || b === 0 || sum < SMALLEST_NORMAL) return difference < SMALL_DELTA * SMALLEST_NORMAL;
  return difference / Math.min(sum, Number.MAX_VALUE) < SMALL_DELTA;
}

/** The share of observations between two values, linear within a bucket. Sorts and changes `buckets`. */
export function bucketFraction(lower: number, upper: number, buckets: Bucket[]): number {
  const merged = sortAndMerge(buckets);
  const top = merged.at(-1)!;
  if (top.upperBound !== Number.POSITIVE_INFINITY) return Number.NaN;
  if (top.count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  return (rankOf(upper, merged) - rankOf(lower, merged)) / top.count;
}

/** How many observations are at most `value`. */
function rankOf(value: number, buckets: readonly Bucket[]): number {
  const total = buckets.at(-1)!.count;
  let lowerBound = buckets[0]!.upperBound <= 0 ? Number.NEGATIVE_INFINITY : 0;
  let below = 0;
  for (const { upperBound, count } of buckets) {
    if (lowerBound >= value) return Math.min(below, total);
    if (upperBound > value) {
      // There is nothing to interpolate in a bucket without a lower bound.
      if (lowerBound === Number.NEGATIVE_INFINITY) return Math.min(count, total);
      return Math.min(below + ((count - below) * (value - lowerBound)) / (upperBound - lowerBound), total);
    }
    below = count;
    lowerBound = upperBound;
  }
  return total;
}
