/** Ends a timer. Calling it again, or after the timer has fired, does nothing. */
export type CancelTimer = () => void;

/**
 * The time, as an argument: nothing in podvitals reads the machine's clock or sets a timer by itself.
 *
 * `now` is wall time in integer milliseconds since the epoch (it may jump); `monotonic` never goes back, in
 * milliseconds from an arbitrary origin. Timers run on the monotonic clock and never keep the process alive
 * on their own when `unref` is set.
 */
export interface Clock {
  now(): number;
  monotonic(): number;
  setTimer(delayMs: number, run: () => void, options?: { readonly unref?: boolean }): CancelTimer;
}

// Node clamps longer delays to 1 ms.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(delayMs, run, options) {
    const timer = setTimeout(run, Math.min(Math.max(0, delayMs), LONGEST_TIMER_MS));
    if (options?.unref) timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs` on `clock`; rejects with the signal's reason when aborted first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.setTimer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** A clock that moves only when told to; timers due fire in order of their time, then of their making. */
export interface FakeClock extends Clock {
  /** Moves the time on by `ms`, firing what falls due, and lets promises settle between timers. */
  advance(ms: number): Promise<void>;
  /** How many timers wait. */
  readonly pending: number;
}

export function createFakeClock(startMs = Date.UTC(2026, 0, 1)): FakeClock {
  let now = startMs;
  let made = 0;
  const timers = new Map<number, { readonly dueMs: number; readonly run: () => void }>();
  // Several turns: a timer's work may itself await a few settled promises before it sets the next timer.
  const settle = async () => {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    now: () => now,
    monotonic: () => now - startMs,
    setTimer(delayMs, run) {
      const id = made++;
      timers.set(id, { dueMs: now + Math.max(0, delayMs), run });
      return () => void timers.delete(id);
    },
    async advance(ms) {
      const end = now + ms;
      await settle();
      for (;;) {
        let next: number | undefined;
        for (const [id, timer] of timers) {
          if (timer.dueMs <= end && (next === undefined || timer.dueMs < timers.get(next)!.dueMs)) next = id;
        }
        if (next === undefined) break;
        const timer = timers.get(next)!;
        timers.delete(next);
        now = Math.max(now, timer.dueMs);
        timer.run();
        await settle();
      }
      now = end;
    },
    get pending() {
      return timers.size;
    },
  };
}
