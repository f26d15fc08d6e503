import type { CancelTimer, Clock } from '../../util/clock.ts';
import { isCodedError } from '../../util/coded-error.ts';

export const MAINTENANCE_MS = 60_000;

const unlessCoded = (error: unknown) => {
  if (!isCodedError(error)) throw error;
};

/** Runs `work` each `periodMs`, one at a time; the file's trouble shows in the store's state and is tried again. */
export function repeat(clock: Clock, periodMs: number, work: () => Promise<void>): CancelTimer {
  let cancel: CancelTimer = () => {};
  let stopped = false;
  const arm = () => {
    if (stopped) return;
    const failed = (error: unknown) => {
      // Whatever it was about when the file was closed is done at the next start.
      if (!stopped) unlessCoded(error);
    };
    cancel = clock.setTimer(periodMs, () => void work().catch(failed).then(arm), { unref: true });
  };
  arm();
  return () => {
    stopped = true;
    cancel();
  };
}
