/** Positions in a group and their values at one step. */
export interface Ranked {
  readonly index: number;
  readonly value: number;
}

/** Whether `a` stands before `b`. NaN stands before everything, in both directions. */
export type Before = (a: number, b: number) => boolean;

export const ascending: Before = (a, b) => Number.isNaN(a) || a < b;
export const descending: Before = (a, b) => Number.isNaN(a) || a > b;

/**
 * A binary heap that keeps its first by `before` on top. Its moves are those of Go's container/heap: which of two
 * equal values is kept shows in topk and bottomk. Source: https://pkg.go.dev/container/heap
 */
export function push(heap: Ranked[], item: Ranked, before: Before): void {
  heap.push(item);
  let child = heap.length - 1;
  while (child > 0) {
    const parent = (child - 1) >> 1;
    if (!before(heap[child]!.value, heap[parent]!.value)) break;
    swap(heap, parent, child);
    child = parent;
  }
}

/** Puts `item` in place of the top. */
export function replaceTop(heap: Ranked[], item: Ranked, before: Before): void {
  heap[0] = item;
  let parent = 0;
  for (;;) {
    let child = 2 * parent + 1;
    if (child >= heap.length) return;
    if (child + 1 < heap.length && before(heap[child + 1]!.value, heap[child]!.value)) child += 1;
    if (!before(heap[child]!.value, heap[parent]!.value)) return;
    swap(heap, parent, child);
    parent = child;
  }
}

function swap(heap: Ranked[], i: number, j: number): void {
  const item = heap[i]!;
  heap[i] = heap[j]!;
  heap[j] = item;
}

// Below this length Go sorts by insertion, which shows in the order of NaNs and of equal values.
const INSERTION_LENGTH = 12;

/** Sorts so that what stands first by `before` comes last. */
export function sortReversed(items: Ranked[], before: Before): void {
  if (items.length > INSERTION_LENGTH) {
    items.sort((a, b) => Number(before(a.value, b.value)) - Number(before(b.value, a.value)));
    return;
  }
  for (let i = 1; i < items.length; i += 1) {
    for (let j = i; j > 0 && before(items[j - 1]!.value, items[j]!.value); j -= 1) swap(items, j, j - 1);
  }
}
