export interface BackOffOptions {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * Delay before try number `attempt` (0 is the first retry): `baseMs` doubled each time, at most `capMs`.
 * Example: base 10 s, cap 300 s gives 10, 20, 40, 80, 160, 300, 300 s.
 */
export function backOffDelay(options: BackOffOptions, attempt: number): number {
  return Math.min(options.capMs, options.baseMs * 2 ** Math.min(attempt, 30));
}
