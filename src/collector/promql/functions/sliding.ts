import type { Samples } from '../../../model/sample.ts';
import type { RangeFunction, RangeWindow } from '../evaluation/range-vector.ts';

/**
 * Windows that overlap, without looking at their middle again: what they need is kept while they move on. Results
 * are those of looking at every sample, bit for bit. Each is for one series, whose windows only move forward.
 */

/** Calls `visit` with the index of each pair of neighbours within the window for which `marks` holds, in order. */
export interface MarkedPairs {
  /** How many there are in the window. */
  count(window: RangeWindow): number;
  visit(window: RangeWindow, visit: (index: number) => void): void;
}

/** `marks(before, value)`; a pair is told by the index of its second sample. */
export function markedPairs(marks: (before: number, value: number) => boolean): MarkedPairs {
  const marked: number[] = [];
  let seen = 1;
  let low = 0;
  const move = ({ v, from, to }: RangeWindow) => {
    for (seen = Math.max(seen, from + 1); seen < to; seen += 1) {
      if (marks(v[seen - 1]!, v[seen]!)) marked.push(seen);
    }
    while (low < marked.length && marked[low]! <= from) low += 1;
  };
  return {
    count(window) {
      move(window);
      return marked.length - low;
    },
    visit(window, visit) {
      move(window);
      for (let i = low; i < marked.length; i += 1) visit(marked[i]!);
    },
  };
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
