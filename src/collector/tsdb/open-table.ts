/** Numbers found by a hash. Whoever asks compares what the numbers stand for. */
export interface OpenTable {
  /** The first entry with this hash for which `isIt` answers true; -1 if there is none. */
  find(first: number, second: number, isIt: (entry: number) => boolean): number;
  add(entry: number, first: number, second: number): void;
  /** The entry must be there. */
  remove(entry: number, first: number): void;
}

// Each grows on its own, so that one that has to holds nobody up.
const PART_BITS = 6;
const FIRST_SLOTS = 16;
const EMPTY = -1;
// Of each slot the entry and both halves of its hash, side by side.
const STRIDE = 3;

export function createOpenTable(): OpenTable {
  const parts = Array.from({ length: 2 ** PART_BITS }, createPart);
  // Where a number stands in its part is told by the lowest bits.
  const partOf = (first: number) => parts[first >>> (32 - PART_BITS)]!;
  return {
    find: (first, second, isIt) => partOf(first).find(first, second, isIt),
    add: (entry, first, second) => partOf(first).add(entry, first, second),
    remove: (entry, first) => partOf(first).remove(entry, first),
  };
}

/** Open addressing with linear probing, at most three quarters full. */
function createPart(): OpenTable {
  let size = FIRST_SLOTS;
  let slots = emptySlots(size);
  let used = 0;

  const put = (entry: number, first: number, second: number) => {
    const mask = size - 1;
    let at = first & mask;
    while (slots[at * STRIDE] !== EMPTY) at = (at + 1) & mask;
    slots[at * STRIDE] = entry;
    slots[at * STRIDE + 1] = first;
    slots[at * STRIDE + 2] = second;
  };

  const grow = () => {
    const before = slots;
    size *= 2;
    slots = emptySlots(size);
    for (let i = 0; i < before.length; i += STRIDE)
      if (before[i] !== EMPTY) put(before[i]!, before[i + 1]!, before[i + 2]!);
  };

  return {
    find(first, second, isIt) {
      const mask = size - 1;
      for (let at = first & mask; ; at = (at + 1) & mask) {
        const i = at * STRIDE;
        const entry = slots[i]!;
        if (entry === EMPTY) return EMPTY;
        if (slots[i + 1] === first && slots[i + 2] === second && isIt(entry)) return entry;
      }
    },
    add(entry, first, second) {
      if (used * 4 >= size * 3) grow();
      put(entry, first, second);
      used += 1;
    },
    remove(entry, first) {
      const mask = size - 1;
      let at = first & mask;
      while (slots[at * STRIDE] !== entry) at = (at + 1) & mask;
      // What lies behind moves up, so that no search ends too early.
      for (let next = (at + 1) & mask; slots[next * STRIDE] !== EMPTY; next = (next + 1) & mask) {
        const home = slots[next * STRIDE + 1]! & mask;
        if (((next - home) & mask) < ((next - at) & mask)) continue;
        slots.copyWithin(at * STRIDE, next * STRIDE, next * STRIDE + STRIDE);
        at = next;
      }
      slots[at * STRIDE] = EMPTY;
      used -= 1;
    },
  };
}

const emptySlots = (size: number) => new Int32Array(size * STRIDE).fill(EMPTY);
