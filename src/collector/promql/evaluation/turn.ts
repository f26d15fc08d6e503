import type { Clock } from '../../../util/clock.ts';
import { CodedError } from '../../../util/coded-error.ts';

/** How long an evaluation may hold the thread at a stretch. */
const LONGEST_STRETCH_MS = 8;

/**
 * Shares the thread: an evaluation asks `isOver` in its loops and pauses when so. A pause, and `check`, reject when
 * the query was cancelled or took too long.
 */
export interface Turn {
  isOver(): boolean;
  pause(): Promise<void>;
  /** @throws QUERY_CANCELED, QUERY_TIMEOUT */
  check(): void;
}

export function createTurn(clock: Clock, timeoutMs: number, signal?: AbortSignal): Turn {
  const deadline = clock.monotonic() + timeoutMs;
  let began = clock.monotonic();
  const check = () => {
    if (signal?.aborted) {
      throw new CodedError('QUERY_CANCELED', 'query was canceled in expression evaluation', {
        status: 499,
        cause: signal.reason,
      });
    }
    if (clock.monotonic() > deadline) {
      throw new CodedError('QUERY_TIMEOUT', 'query timed out in expression evaluation', { status: 503 });
    }
  };
  return {
    isOver: () => clock.monotonic() - began > LONGEST_STRETCH_MS,
    async pause() {
      await new Promise((resolve) => setImmediate(resolve));
      began = clock.monotonic();
      check();
    },
    check,
  };
}
