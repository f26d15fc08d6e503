import type { PodEvent } from '../../model/event.ts';
import type { CancelTimer, Clock } from '../../util/clock.ts';

/** How long repeats are counted before they are told together. */
export const REPEAT_WINDOW_MS = 60_000;
const MOST_KEYS = 64;
/** What is not a fact of its own but routine is told so often a minute and pod, and no more. */
const MOST_PER_MINUTE = 60;

// Each of these is a fact that counts; they are as rare as lives are.
const ALWAYS_TOLD: readonly string[] = ['Died', 'OOMKill', 'Scheduled', 'Created', 'Started', 'Killing'];
/** Their messages name a pod, a Job, or a step of a rollout: another number is another one. */
const TOLD_BY_NAME: readonly string[] = ['SuccessfulCreate', 'SuccessfulDelete', 'ScalingReplicaSet'];

export interface Repetition {
  /** Tells an event now, or counts it into the one that tells its repeats at the end of the minute. */
  tell(event: PodEvent): void;
  /** Tells what was counted so far; for the end of a pod. */
  flush(): void;
  /** Events not told because the pod had told too many. */
  readonly dropped: number;
}

interface Window {
  readonly cancel: CancelTimer;
  count: number;
  last?: PodEvent;
}

/**
 * One pod's events without floods: the first of its kind at once, its repeats within a minute as one event with
 * `details.count`, like the API's count.
 */
export function createRepetition(clock: Clock, emit: (event: PodEvent) => void): Repetition {
  const windows = new Map<string, Window>();
  let dropped = 0;
  let minute = 0;
  let toldInMinute = 0;

  const hasBudget = (event: PodEvent) => {
    const current = Math.floor(event.at / 60_000);
    if (current !== minute) [minute, toldInMinute] = [current, 0];
    if (toldInMinute >= MOST_PER_MINUTE) {
      dropped += 1;
      return false;
    }
    toldInMinute += 1;
    return true;
  };
  const close = (key: string) => {
    const window = windows.get(key);
    window?.cancel();
    windows.delete(key);
    if (window?.last && hasBudget(window.last)) emit(withCount(window.last, window.count));
  };

  return {
    tell(event) {
      if (ALWAYS_TOLD.includes(event.reason)) return emit(event);
      const isByName = TOLD_BY_NAME.includes(event.reason);
      const kind = isByName ? event.message : kindOfMessage(event.message);
      const key = `${event.container ?? ''} ${event.reason} ${kind}`;
      const window = windows.get(key);
      if (window) {
        window.count += 1;
        window.last = event;
        return;
      }
      if (windows.size >= MOST_KEYS) close(windows.keys().next().value!);
      windows.set(key, {
        count: 0,
        cancel: clock.setTimer(REPEAT_WINDOW_MS, () => close(key), { unref: true }),
      });
      if (hasBudget(event)) emit(event);
    },
    flush() {
      for (const key of [...windows.keys()]) close(key);
    },
    get dropped() {
      return dropped;
    },
  };
}

/** Messages that differ only in numbers (progress, times, ports of a client) are of one kind. */
const kindOfMessage = (message: string) => message.slice(0, 200).replace(/\d+/g, '0');

const withCount = (event: PodEvent, count: number): PodEvent =>
  count === 1
    ? event
    : {
        ...event,
        message: `${event.message} (x${count} within the last minute)`,
        details: { ...event.details, count },
      };
