import { backOffDelay } from '../../util/back-off.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import type { Notification, Receiver } from './receiver.ts';

/** How a receiver fares. Times in integer milliseconds. */
export interface ReceiverState {
  readonly name: string;
  /** Its last attempt failed. */
  readonly failing: boolean;
  readonly lastSuccessMs?: number;
  readonly lastFailureMs?: number;
  readonly lastError?: string;
  readonly sent: number;
  readonly failed: number;
  /** Notifications not taken because too many waited. They are tried again with their group's next turn. */
  readonly dropped: number;
  readonly waiting: number;
}

/** Sends to one receiver: a few at a time, the rest waits in a bounded queue. */
export interface Delivery {
  /** Tries until it is taken, refused for good, or `signal` says that it is no longer wanted. */
  deliver(notification: Notification, signal: AbortSignal): Promise<boolean>;
  state(): ReceiverState;
}

const AT_ONCE = 4;
const MOST_WAITING = 1000;
const RETRY = { baseMs: 1000, capMs: 60_000 };

/** Once `stopping` is aborted nothing new is tried; what is on its way goes on. */
export function createDelivery(receiver: Receiver, clock: Clock, stopping: AbortSignal): Delivery {
  const waiting: (() => void)[] = [];
  let busy = 0;
  let sent = 0;
  let failed = 0;
  let dropped = 0;
  let failing = false;
  let last: Partial<Pick<ReceiverState, 'lastSuccessMs' | 'lastFailureMs' | 'lastError'>> = {};

  const isOver = (signal: AbortSignal) => signal.aborted || stopping.aborted;
  const takeTurn = async (): Promise<boolean> => {
    if (busy < AT_ONCE) {
      busy += 1;
      return true;
    }
    if (waiting.length >= MOST_WAITING) {
      dropped += 1;
      return false;
    }
    await new Promise<void>((resolve) => waiting.push(resolve));
    return true;
  };
  // The turn passes on; `busy` stays.
  const giveTurn = () => {
    const next = waiting.shift();
    if (next === undefined) busy -= 1;
    else next();
  };

  const attempt = async (
    notification: Notification,
    signal: AbortSignal,
  ): Promise<'taken' | 'refused' | 'again'> => {
    if (isOver(signal) || !(await takeTurn())) return 'refused';
    try {
      if (isOver(signal)) return 'refused';
      const outcome = await receiver.send(notification, signal);
      failing = !outcome.ok;
      if (outcome.ok) {
        sent += 1;
        last = { ...last, lastSuccessMs: clock.now() };
        return 'taken';
      }
      failed += 1;
      last = { ...last, lastFailureMs: clock.now(), lastError: outcome.error };
      return outcome.retry ? 'again' : 'refused';
    } finally {
      giveTurn();
    }
  };

  return {
    async deliver(notification, signal) {
      for (let tries = 0; ; tries += 1) {
        const result = await attempt(notification, signal);
        if (result !== 'again') return result === 'taken';
        const rested = await sleep(
          clock,
          backOffDelay(RETRY, tries),
          AbortSignal.any([signal, stopping]),
        ).then(
          () => true,
          () => false,
        );
        if (!rested) return false;
      }
    },
    state: () => ({ name: receiver.name, failing, ...last, sent, failed, dropped, waiting: waiting.length }),
  };
}
