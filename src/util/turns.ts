import type { Clock } from './clock.ts';

// Well below what others may be held: garbage is collected, and a commit made, in a turn as well.
const LONGEST_STRETCH_MS = 8;

/** Works to the end of what comes in pieces, and lets others have the thread now and then. */
export type InTurns = <T>(work: Generator<unknown, T>) => Promise<T>;

/** For several who work at the same time: what they do in one turn is together no longer than what one would. */
export function createTurns(clock: Clock): InTurns {
  let beganMs: number | undefined;
  return async (work) => {
    for (;;) {
      if (beganMs === undefined) {
        beganMs = clock.monotonic();
        setImmediate(() => {
          beganMs = undefined;
        });
      } else if (clock.monotonic() - beganMs >= LONGEST_STRETCH_MS) {
        await nextTurn();
        continue;
      }
      const { done, value } = work.next();
      if (done) return value;
    }
  };
}

/** The same for one. */
export const inTurns = <T>(work: Generator<unknown, T>, clock: Clock): Promise<T> => createTurns(clock)(work);

/** When everybody else has had the thread. */
export const nextTurn = () => new Promise<void>((resolve) => void setImmediate(resolve));
