import type { Clock } from './clock.ts';

// Well below what others may be held: garbage is collected, and a commit made, in a turn as well.
const LONGEST_STRETCH_MS = 8;

/** Works to the end of what comes in pieces, and lets others have the thread now and then. */
export async function inTurns<T>(work: Generator<undefined, T>, clock: Clock): Promise<T> {
  let began = clock.monotonic();
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    if (clock.monotonic() - began < LONGEST_STRETCH_MS) continue;
    await new Promise((resolve) => setImmediate(resolve));
    began = clock.monotonic();
  }
}
