import type { Clock } from '../../util/clock.ts';

/** Lets a dear piece of work be done as often as its cost allows. */
export interface Ration {
  /** Does the work when its turn has come; undefined when it has not. */
  spend<T>(work: () => T): T | undefined;
}

/** At most `share` of the time (0 to 1) is spent: work that took a while is followed by a rest in proportion. */
export function createRation(clock: Pick<Clock, 'monotonic'>, share: number): Ration {
  let freeAt = Number.NEGATIVE_INFINITY;
  return {
    spend(work) {
      const begun = clock.monotonic();
      if (begun < freeAt) return undefined;
      try {
        return work();
      } finally {
        const ended = clock.monotonic();
        freeAt = ended + (ended - begun) * (1 / share - 1);
      }
    },
  };
}
