import type { Clock } from '../../util/clock.ts';

/** Notices that the time of day moved otherwise than time itself. */
export interface ClockWatch {
  /** To be called now and then. */
  look(): void;
  /** The time may be far ahead of the true one: what looks too old may not be. */
  readonly mayBeAhead: boolean;
  /** The last jump in words, for a day. */
  readonly trouble: string | undefined;
}

/** Smaller steps are what time services do. */
const JUMP_MS = 60_000;
const FAR_MS = 3_600_000;
/** A clock that is less ahead takes no more than this of the oldest samples. */
const PAUSE_MS = 24 * 3_600_000;
const REMEMBERED_MS = 24 * 3_600_000;

interface Jump {
  readonly words: string;
  readonly atMonotonicMs: number;
}

/**
 * Sees what happens from now on. A start with a clock far ahead looks as one after a long pause, by `newestT`, the newest
 * sample there is: it is taken for either.
 */
export function createClockWatch(clock: Clock, newestT = Number.NEGATIVE_INFINITY): ClockWatch {
  const offset = () => clock.now() - clock.monotonic();
  let before = offset();
  // How far the time is ahead of what it would be without jumps.
  let aheadMs = 0;
  let aheadSince = Number.NEGATIVE_INFINITY;
  let jump: Jump | undefined;

  const pauseMs = clock.now() - newestT;
  if (Number.isFinite(pauseMs) && pauseMs >= PAUSE_MS) {
    const newest = new Date(newestT).toISOString();
    aheadMs = pauseMs;
    aheadSince = clock.monotonic();
    jump = {
      words: `the newest sample was of ${newest}, ${inWords(pauseMs)} before this start: podvitals was off, or the clock is ahead; nothing is removed for its age for a day; if the time is wrong now, set it (timedatectl, chronyc makestep)`,
      atMonotonicMs: clock.monotonic(),
    };
  }

  const isRecent = (sinceMs: number) => clock.monotonic() - sinceMs < REMEMBERED_MS;

  return {
    look() {
      const now = offset();
      const byMs = now - before;
      if (Math.abs(byMs) < JUMP_MS) return;
      const was = new Date(clock.now() - byMs).toISOString();
      const words =
        byMs > 0
          ? `the clock jumped ahead from ${was} by ${inWords(byMs)}, or the machine slept: nothing is removed for its age for a day; if the time is wrong now, set it (timedatectl, chronyc makestep)`
          : `the clock jumped back from ${was} by ${inWords(byMs)}: a series takes no samples older than 10 minutes before its newest until the time has caught up`;
      before = now;
      jump = { words, atMonotonicMs: clock.monotonic() };
      aheadMs = Math.max(0, aheadMs + byMs);
      aheadSince = clock.monotonic();
    },
    get mayBeAhead() {
      return aheadMs >= FAR_MS && isRecent(aheadSince);
    },
    get trouble() {
      return jump !== undefined && isRecent(jump.atMonotonicMs) ? jump.words : undefined;
    },
  };
}

function inWords(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  if (minutes < 120) return `${minutes} minutes`;
  return minutes < 2_880 ? `${Math.round(minutes / 60)} hours` : `${Math.round(minutes / 1_440)} days`;
}
