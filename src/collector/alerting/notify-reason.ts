/** What a receiver was last told about a group: fingerprints, and when. */
export interface LogEntry {
  readonly atMs: number;
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
}

export type NotifyReason =
  | 'first'
  | 'new-alerts'
  | 'new-resolved'
  | 'all-resolved'
  | 'repeat-interval'
  | 'none';

export interface Situation {
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
  readonly nowMs: number;
  readonly repeatIntervalMs: number;
  readonly sendResolved: boolean;
}

/**
 * Why a group must be told again, or 'none'. Someone who never heard that it fired need not hear that it is over.
 * Source: alertmanager/notify/notify.go, DedupStage
 */
export function notifyReason(entry: LogEntry | undefined, now: Situation): NotifyReason {
  if (entry === undefined) return now.firing.length > 0 ? 'first' : 'none';
  if (!isSubset(now.firing, entry.firing)) return 'new-alerts';
  if (now.firing.length === 0) return entry.firing.length > 0 ? 'all-resolved' : 'none';
  if (now.sendResolved && !isSubset(now.resolved, entry.resolved)) return 'new-resolved';
  return now.nowMs - entry.atMs >= now.repeatIntervalMs ? 'repeat-interval' : 'none';
}

function isSubset(some: readonly string[], all: readonly string[]): boolean {
  const known = new Set(all);
  return some.every((one) => known.has(one));
}
