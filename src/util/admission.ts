import type { CancelTimer, Clock } from './clock.ts';
import { CodedError } from './coded-error.ts';

export interface AdmissionOptions {
  readonly clock: Clock;
  /** Requests that are read and worked on at a time; the others wait unread. */
  readonly atOnce: number;
  /** How long one waits before it is told to come again. */
  readonly waitMs: number;
  /** How long one may take to send what it has while others wait for its place. */
  readonly slowMs: number;
  /** How long it may take though nobody waits. */
  readonly longestMs: number;
}

/** A request that is let in. */
export interface Admitted {
  /** All of it has arrived: from now on it is not its sender who takes the time. */
  received(): void;
  /** It is done, whatever came of it. Calling it again does nothing. */
  leave(): void;
}

/**
 * Lets requests in by turns, so that what is held of them in memory is bounded however many come, and who sends slowly
 * keeps nobody waiting for long.
 */
export interface Admission {
  /**
   * Resolves when it is the caller's turn. `evict` is called, once at most, when the request is still not received
   * though others wait, or after a long time.
   *
   * Rejects with ADMISSION_BUSY (429) when it waited too long or too many wait, or with the reason of `signal`.
   */
  enter(evict: (reason: CodedError) => void, signal?: AbortSignal): Promise<Admitted>;
  stats(): AdmissionStats;
}

export interface AdmissionStats {
  readonly underWay: number;
  readonly waiting: number;
  /** Told to come again, or sent away for sending too slowly. */
  readonly refused: number;
}

export const RETRY_AFTER_SECONDS = 5;
const MOST_WAITING = 1_000;

interface Guest {
  readonly sinceMs: number;
  readonly evict: (reason: CodedError) => void;
  received: boolean;
  evicted: boolean;
}

export function createAdmission(options: AdmissionOptions): Admission {
  const { clock, atOnce, waitMs, slowMs, longestMs } = options;
  const inside = new Set<Guest>();
  const waiting = new Set<() => void>();
  let refused = 0;
  let cancelLook: CancelTimer | undefined;

  const busy = (why: string) => {
    refused += 1;
    return new CodedError(
      'ADMISSION_BUSY',
      `${why}; send it again in ${RETRY_AFTER_SECONDS} s, or send less`,
      {
        status: 429,
      },
    );
  };

  const sendAway = (guest: Guest, why: string) => {
    if (guest.received || guest.evicted) return;
    guest.evicted = true;
    guest.evict(busy(why));
  };

  const admit = (evict: Guest['evict']): Admitted => {
    const guest: Guest = { sinceMs: clock.monotonic(), evict, received: false, evicted: false };
    inside.add(guest);
    const cancel = clock.setTimer(longestMs, () => sendAway(guest, 'the request took too long to arrive'), {
      unref: true,
    });
    return {
      received() {
        guest.received = true;
        cancel();
      },
      leave() {
        if (!inside.delete(guest)) return;
        cancel();
        const [next] = waiting;
        next?.();
      },
    };
  };

  /** Sends away who is slow while others wait; looks again when the next one would be. */
  const look = () => {
    cancelLook?.();
    cancelLook = undefined;
    if (waiting.size === 0) return;
    const now = clock.monotonic();
    let soonest = slowMs;
    for (const guest of inside) {
      if (guest.received || guest.evicted) continue;
      const left = guest.sinceMs + slowMs - now;
      if (left > 0) soonest = Math.min(soonest, left);
      else sendAway(guest, 'the request came too slowly while others waited');
    }
    cancelLook = clock.setTimer(soonest, look, { unref: true });
  };

  return {
    enter(evict, signal) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      if (inside.size < atOnce && waiting.size === 0) return Promise.resolve(admit(evict));
      if (waiting.size >= MOST_WAITING)
        return Promise.reject(busy('more requests wait than are ever let in'));
      return new Promise((resolve, reject) => {
        const done = () => {
          waiting.delete(enter);
          cancel();
          signal?.removeEventListener('abort', gone);
        };
        const enter = () => {
          done();
          resolve(admit(evict));
        };
        const gone = () => {
          done();
          reject(signal?.reason);
        };
        const cancel = clock.setTimer(
          waitMs,
          () => {
            done();
            reject(busy(`more comes than can be stored: the request waited ${waitMs / 1000} s for its turn`));
          },
          { unref: true },
        );
        signal?.addEventListener('abort', gone, { once: true });
        waiting.add(enter);
        look();
      });
    },
    stats: () => ({ underWay: inside.size, waiting: waiting.size, refused }),
  };
}
