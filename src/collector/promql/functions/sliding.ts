import type { Samples } from '../../../model/sample.ts';
import type { RangeFunction, RangeWindow } from '../evaluation/range-windows.ts';

/**
 * Windows that overlap, without looking at their middle again: what they need is kept while they move on. Results
 * are those of looking at every sample, bit for bit. Each is for one series, whose windows only move forward.
 */

/** The pairs of neighbours in a window for which something holds, each told by the index of its second sample. */
export interface MarkedPairs {
  /** In order; those of the window begin at `first`. */
  readonly indexes: readonly number[];
  first: number;
  /** To be called for each window before it is asked about. */
  move(window: RangeWindow): void;
}

export function markedPairs(marks: (before: number, value: number) => boolean): MarkedPairs {
  const indexes: number[] = [];
  let seen = 1;
  const pairs: MarkedPairs = {
    indexes,
    first: 0,
    move({ v, from, to }) {
      if (seen <= from) seen = from + 1;
      for (; seen < to; seen += 1) if (marks(v[seen - 1]!, v[seen]!)) indexes.push(seen);
      while (pairs.first < indexes.length && indexes[pairs.first]! <= from) pairs.first += 1;
    },
  };
  return pairs;
}

/** The first of the best values of a window, NaN when there is no other; `isBetter` is strict. */
export function slidingExtreme(isBetter: (value: number, than: number) => boolean) {
  return (samples: Samples): RangeFunction => {
    // Indexes of samples none of which has a better one after it, best first.
    const queue = new Int32Array(samples.length);
    let head = 0;
    let tail = 0;
    let seen = 0;
    return ({ v, from, to }, out, step) => {
      for (seen = Math.max(seen, from); seen < to; seen += 1) {
        const value = v[seen]!;
        if (Number.isNaN(value)) continue;
        while (tail > head && isBetter(value, v[queue[tail - 1]!]!)) tail -= 1;
        queue[tail++] = seen;
      }
      while (head < tail && queue[head]! < from) head += 1;
      out[step] = head < tail ? v[queue[head]!]! : v[to - 1]!;
      return true;
    };
  };
}

// Whole numbers up to here add up without any rounding, in whatever order.
const LARGEST_EXACT = Number.MAX_SAFE_INTEGER;

/** Sums of windows by differences of running sums, where no rounding can tell; else undefined. */
export function exactSums({ v, length }: Samples): ((window: RangeWindow) => number) | undefined {
  const running = new Float64Array(length + 1);
  let total = 0;
  let magnitude = 0;
  for (let i = 0; i < length; i += 1) {
    const value = v[i]!;
    magnitude += Math.abs(value);
    if (!Number.isInteger(value) || magnitude > LARGEST_EXACT || Object.is(value, -0)) return undefined;
    total += value;
    running[i + 1] = total;
  }
  return ({ from, to }) => running[to]! - running[from]!;
}
