import type { SeriesRef } from '../storage/storage.ts';
import type { SeriesColumns } from './series-columns.ts';

/** The rows of series by their numbers. */
export interface RowTable {
  /** -1 when the series is not in memory. */
  find(ref: SeriesRef): number;
  add(row: number): void;
  /** It must be there. */
  remove(row: number): void;
}

const FIRST_SLOTS = 256;
// Numbers come one after another: so do their slots, and a request finds its series side by side.
const home = (ref: SeriesRef, mask: number) => (ref | 0) & mask;

/** Open addressing with linear probing, at most half full. A slot holds a row and one, or 0. */
export function createRowTable(columns: SeriesColumns): RowTable {
  let slots = new Int32Array(FIRST_SLOTS);
  let used = 0;

  const put = (row: number) => {
    const mask = slots.length - 1;
    let at = home(columns.refs[row]!, mask);
    while (slots[at] !== 0) at = (at + 1) & mask;
    slots[at] = row + 1;
  };

  return {
    find(ref) {
      const mask = slots.length - 1;
      for (let at = home(ref, mask); ; at = (at + 1) & mask) {
        const row = slots[at]! - 1;
        if (row < 0 || columns.refs[row] === ref) return row;
      }
    },
    add(row) {
      used += 1;
      if (used * 2 > slots.length) {
        const before = slots;
        slots = new Int32Array(before.length * 2);
        for (const slot of before) if (slot !== 0) put(slot - 1);
      }
      put(row);
    },
    remove(row) {
      const mask = slots.length - 1;
      let at = home(columns.refs[row]!, mask);
      while (slots[at] !== row + 1) at = (at + 1) & mask;
      // What lies behind moves up, so that no search ends too early.
      for (let next = (at + 1) & mask; slots[next] !== 0; next = (next + 1) & mask) {
        const from = home(columns.refs[slots[next]! - 1]!, mask);
        if (((next - from) & mask) < ((next - at) & mask)) continue;
        slots[at] = slots[next]!;
        at = next;
      }
      slots[at] = 0;
      used -= 1;
    },
  };
}
