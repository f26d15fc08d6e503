/** Upper bounds in seconds; +Inf is not among them. */
export const LOOKUP_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] as const;

/** Look-ups since the first that was answered; counts by bound, +Inf last. */
export interface DnsLookups {
  readonly counts: readonly number[];
  readonly sumSeconds: number;
  readonly count: number;
  readonly sinceMs: number;
}

export const noLookups = (sinceMs: number): DnsLookups => ({
  counts: Array.from({ length: LOOKUP_BOUNDS.length + 1 }, () => 0),
  sumSeconds: 0,
  count: 0,
  sinceMs,
});

export function withLookup(lookups: DnsLookups, seconds: number): DnsLookups {
  const found = LOOKUP_BOUNDS.findIndex((bound) => seconds <= bound);
  const bucket = found < 0 ? LOOKUP_BOUNDS.length : found;
  return {
    counts: lookups.counts.map((count, index) => (index === bucket ? count + 1 : count)),
    sumSeconds: lookups.sumSeconds + seconds,
    count: lookups.count + 1,
    sinceMs: lookups.sinceMs,
  };
}
