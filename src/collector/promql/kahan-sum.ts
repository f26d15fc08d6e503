/**
 * Compensated summation after Kahan and Neumaier: `sum + c` is the sum of everything added, the rounding errors kept
 * apart in `c`. Operation order is that of Prometheus, so results agree to the last bit.
 * Source: prometheus/util/kahansum
 */
export interface KahanSum {
  sum: number;
  c: number;
}

export function addTo(total: KahanSum, value: number): void {
  const { sum } = total;
  const t = sum + value;
  if (t === Number.POSITIVE_INFINITY || t === Number.NEGATIVE_INFINITY) total.c = 0;
  else if (Math.abs(sum) >= Math.abs(value)) total.c += sum - t + value;
  else total.c += value - t + sum;
  total.sum = t;
}

/** The same on entry `i` of two columns. */
export function addAt(sums: Float64Array, cs: Float64Array, i: number, value: number): void {
  const sum = sums[i]!;
  const t = sum + value;
  if (t === Number.POSITIVE_INFINITY || t === Number.NEGATIVE_INFINITY) cs[i] = 0;
  else if (Math.abs(sum) >= Math.abs(value)) cs[i] = cs[i]! + (sum - t + value);
  else cs[i] = cs[i]! + (value - t + sum);
  sums[i] = t;
}
