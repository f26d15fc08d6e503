/** How long a container or an image has been failing; durable. Times are integer milliseconds. */
export interface BackOffEntry {
  readonly delayMs: number;
  /** When the last retry was decided. */
  readonly updatedAt: number;
}

export interface RestartBackOff {
  readonly baseMs: number;
  readonly capMs: number;
  /** A failure this long after the last retry starts again from the beginning. */
  readonly resetAfterMs: number;
}

/** The kubelet's: 10 s doubling to 300 s, forgotten after 600 s. Source: kubernetes/pkg/kubelet/kubelet.go */
export const KUBELET_BACK_OFF: RestartBackOff = { baseMs: 10_000, capMs: 300_000, resetAfterMs: 600_000 };

const expired = (options: RestartBackOff, entry: BackOffEntry, failedAt: number) =>
  failedAt - entry.updatedAt > options.resetAfterMs;

/**
 * Until when a restart must wait after a failure at `failedAt`; undefined: it may be made at once. The first
 * failure never waits. Source: k8s.io/client-go/util/flowcontrol/backoff.go, IsInBackOffSince
 */
export function backOffUntil(
  options: RestartBackOff,
  entry: BackOffEntry | undefined,
  failedAt: number,
): number | undefined {
  if (entry === undefined || expired(options, entry, failedAt)) return undefined;
  return failedAt + entry.delayMs;
}

/** The entry after the decision, at `now`, to retry what failed at `failedAt`. Source: backoff.go, Next */
export function nextBackOff(
  options: RestartBackOff,
  entry: BackOffEntry | undefined,
  failedAt: number,
  now: number,
): BackOffEntry {
  const delayMs =
    entry === undefined || expired(options, entry, failedAt)
      ? options.baseMs
      : Math.min(entry.delayMs * 2, options.capMs);
  return { delayMs, updatedAt: now };
}

/** Whole parts as Go prints a duration: `10s`, `1m20s`, `5m0s`. */
export function goDuration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 1) return `${ms}ms`;
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = `${Number((seconds % 60).toFixed(3))}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}
