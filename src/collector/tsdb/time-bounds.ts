import { nextTurn } from '../../util/turns.ts';
import type { Head } from './head.ts';
import { oldestInMemory } from './series.ts';

/** The times of the oldest and the newest sample, integer milliseconds. */
export interface TimeBounds {
  readonly minT: number;
  readonly maxT: number;
}

const ROWS_A_TURN = 20_000;

/**
 * Looks at all series in memory, and at all pages of first times of what is on disk, and lets others have their turn in
 * between. Undefined where there is no sample.
 */
export async function findTimeBounds(
  head: Head,
  newestDroppedT: number,
  pages: Iterable<readonly number[]>,
): Promise<TimeBounds | undefined> {
  const { columns } = head;
  let minT = Number.POSITIVE_INFINITY;
  for (let from = 0; from < columns.length; from += ROWS_A_TURN) {
    if (from > 0) await nextTurn();
    const to = Math.min(columns.length, from + ROWS_A_TURN);
    for (let row = from; row < to; row += 1)
      if (columns.births[row] !== 0) minT = Math.min(minT, oldestInMemory(columns, row));
  }
  for (const firstTimes of pages) {
    for (const t of firstTimes) minT = Math.min(minT, t);
    await nextTurn();
  }
  return minT === Number.POSITIVE_INFINITY
    ? undefined
    : { minT, maxT: Math.max(head.newestT, newestDroppedT) };
}
