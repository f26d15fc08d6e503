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

const FIRST_SLOTS = 16;
// Numbers come one after another: so do their slots, and a request finds its series side by side, some thousands in one
// part of the table. Each part grows on its own, so that one that has to holds nobody up.
const RUN_BITS = 12;
const PART_BITS = 6;
const partOf = (ref: SeriesRef) => (ref >>> RUN_BITS) & (2 ** PART_BITS - 1);
const home = (ref: SeriesRef, mask: number) =>
  ((ref & (2 ** RUN_BITS - 1)) | ((ref >>> (RUN_BITS + PART_BITS)) << RUN_BITS)) & mask;

export function createRowTable(columns: SeriesColumns): RowTable {
  const parts = Array.from({ length: 2 ** PART_BITS }, () => createPart(columns));
  const partWith = (row: number) => parts[partOf(columns.refs[row]!)]!;
  return {
    find: (ref) => parts[partOf(ref)]!.find(ref),
    add: (row) => partWith(row).add(row),
    remove: (row) => partWith(row).remove(row),
  };
}

/** Open addressing with linear probing, at most half full. A slot holds a row and one, or 0. */
function createPart(columns: SeriesColumns): RowTable {
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
