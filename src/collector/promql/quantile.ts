/**
 * Quantile `q` of `values`, interpolated between neighbours; NaN counts as smaller than every number. Sorts `values`.
 * NaN of nothing or for q NaN, -Inf below 0, +Inf above 1. Source: prometheus/promql/quantile.go
 */
export function quantileOf(q: number, values: Float64Array): number {
  const n = values.length;
  if (n === 0 || Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  values.sort();
  let notNumbers = 0;
  while (notNumbers < n && Number.isNaN(values[n - 1 - notNumbers]!)) notNumbers += 1;
  const at = (i: number) => (i < notNumbers ? Number.NaN : values[i - notNumbers]!);
  const rank = q * (n - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(n - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  return at(lower) * (1 - weight) + at(upper) * weight;
}
