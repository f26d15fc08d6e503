import type { Clock } from './clock.ts';
import { CodedError } from './coded-error.ts';

/** Lets so many queries be evaluated at once and no more; the others wait, first come first served. */
export interface QuerySlots {
  /**
   * Runs `work` once there is a slot.
   *
   * @throws QUERY_TIMEOUT, QUERY_CANCELED while it waits; QUERY_QUEUE_FULL
   */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

// Each waits with its connection and its text; beyond this somebody is flooding.
const MOST_WAITING = 1_000;

export function createQuerySlots(most: number, timeoutMs: number, clock: Clock): QuerySlots {
  let running = 0;
  const waiting = new Set<() => void>();

  const enter = (signal: AbortSignal | undefined) =>
    new Promise<void>((resolve, reject) => {
      const leave = () => {
        waiting.delete(admit);
        cancelTimer();
        signal?.removeEventListener('abort', onAbort);
      };
      const admit = () => {
        leave();
        resolve();
      };
      const onAbort = () => {
        leave();
        reject(inQueue('QUERY_CANCELED', 'query was canceled in query queue', 499));
      };
      const cancelTimer = clock.setTimer(timeoutMs, () => {
        leave();
        reject(inQueue('QUERY_TIMEOUT', 'query timed out in query queue', 503));
      });
      waiting.add(admit);
      if (signal?.aborted) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
    });

  return {
    async run(work, signal) {
      if (running >= most) {
        if (waiting.size >= MOST_WAITING) {
          const message = `${MOST_WAITING} queries wait already; ask less at once, or later`;
          throw inQueue('QUERY_QUEUE_FULL', message, 503);
        }
        await enter(signal);
      } else running += 1;
      try {
        return await work();
      } finally {
        // Who waits takes over the slot.
        const [next] = waiting;
        if (next === undefined) running -= 1;
        else next();
      }
    },
  };
}

const inQueue = (code: string, message: string, status: number) => new CodedError(code, message, { status });
