import { createHash } from 'node:crypto';

/** Where in its interval a group is evaluated: the same after every restart, spread over groups. */
export function jitterMs(groupKey: string, intervalMs: number): number {
  return createHash('sha256').update(groupKey).digest().readUInt32LE(0) % intervalMs;
}

/** The first evaluation time after `nowMs`. Times are whole intervals since the epoch plus the jitter. */
export function nextEvaluation(nowMs: number, intervalMs: number, offsetMs: number): number {
  return Math.floor((nowMs - offsetMs) / intervalMs) * intervalMs + offsetMs + intervalMs;
}

/**
 * After the evaluation due at `dueMs` ended at `endedMs`: when the next one is due, and how many were missed. One
 * that is late but less than an interval is made at once and not missed, as in Prometheus.
 */
export function afterEvaluation(
  dueMs: number,
  endedMs: number,
  intervalMs: number,
): { readonly nextMs: number; readonly missed: number } {
  const missed = Math.max(0, Math.floor((endedMs - dueMs) / intervalMs) - 1);
  return { nextMs: dueMs + (missed + 1) * intervalMs, missed };
}
