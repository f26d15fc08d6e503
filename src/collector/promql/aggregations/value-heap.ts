/**
 * Heaps of the best values seen, one a step, in two columns: the values and whose they are. The worst of a heap stands first:
 * what is better takes its place. The moves are those of Go's container/heap: which of two equal values is kept shows in topk
 * and bottomk. Source: https://pkg.go.dev/container/heap
 */
export interface ValueHeaps {
  /** Negated for bottomk, so that larger is better; NaN is worst. */
  readonly values: Float64Array;
  readonly owners: Int32Array;
  /** Where the heap of a step begins, how much it may hold, and how much it holds. */
  readonly starts: Int32Array;
  readonly limits: Int32Array;
  readonly sizes: Int32Array;
  /** What a value must be more than to be looked at: the worst of a full heap, NaN while anything is. */
  readonly bars: Float64Array;
}

/** `limits` are how many each step keeps, 0 and less for none. */
export function createValueHeaps(limits: Int32Array): ValueHeaps {
  const starts = new Int32Array(limits.length);
  let room = 0;
  for (let k = 0; k < limits.length; k += 1) {
    starts[k] = room;
    room += Math.max(0, limits[k]!);
  }
  const bars = new Float64Array(limits.length);
  for (let k = 0; k < limits.length; k += 1)
    bars[k] = limits[k]! >= 1 ? Number.NaN : Number.POSITIVE_INFINITY;
  return {
    bars,
    values: new Float64Array(room),
    owners: new Int32Array(room),
    starts,
    limits,
    sizes: new Int32Array(limits.length),
  };
}

/** Whether `a` stands before `b` in a heap. */
const isWorse = (a: number, b: number) => a < b || Number.isNaN(a);

/** Offers the values of a series to the heaps of all steps; `sign` is -1 for bottomk. */
export function offer(
  heaps: ValueHeaps,
  owner: number,
  { values, present }: { readonly values: Float64Array; readonly present: Uint8Array },
  sign: 1 | -1,
): void {
  const { bars } = heaps;
  for (let k = 0; k < bars.length; k += 1) {
    const value = sign * values[k]!;
    // Of most series most values are not among the best: nothing else is looked at for them.
    if (value <= bars[k]! || present[k] === 0) continue;
    offerOne(heaps, k, value, owner);
  }
}

function offerOne(heaps: ValueHeaps, k: number, value: number, owner: number): void {
  const { starts, limits, sizes, values, bars } = heaps;
  const limit = limits[k]!;
  if (sizes[k]! < limit) {
    push(heaps, k, value, owner);
    if (sizes[k]! < limit) return;
  } else {
    if (limit < 1) return;
    const worst = values[starts[k]!]!;
    if (!(worst < value || (Number.isNaN(worst) && !Number.isNaN(value)))) return;
    replaceFirst(heaps, k, value, owner);
  }
  bars[k] = values[starts[k]!]!;
}

function push({ values, owners, starts, sizes }: ValueHeaps, k: number, value: number, owner: number): void {
  const start = starts[k]!;
  let child = sizes[k]!;
  sizes[k] = child + 1;
  while (child > 0) {
    const parent = (child - 1) >> 1;
    const above = values[start + parent]!;
    if (!isWorse(value, above)) break;
    values[start + child] = above;
    owners[start + child] = owners[start + parent]!;
    child = parent;
  }
  values[start + child] = value;
  owners[start + child] = owner;
}

function replaceFirst(
  { values, owners, starts, sizes }: ValueHeaps,
  k: number,
  value: number,
  owner: number,
): void {
  const start = starts[k]!;
  const size = sizes[k]!;
  let parent = 0;
  for (;;) {
    let child = 2 * parent + 1;
    if (child >= size) break;
    if (child + 1 < size && isWorse(values[start + child + 1]!, values[start + child]!)) child += 1;
    if (!isWorse(values[start + child]!, value)) break;
    values[start + parent] = values[start + child]!;
    owners[start + parent] = owners[start + child]!;
    parent = child;
  }
  values[start + parent] = value;
  owners[start + parent] = owner;
}

// Below this length Go sorts by insertion, which shows in the order of NaNs and of equal values.
const INSERTION_LENGTH = 12;

/** The owners in the heap of step `k`, best first. */
export function bestFirst({ values, owners, starts, sizes }: ValueHeaps, k: number): number[] {
  const items = Array.from({ length: sizes[k]! }, (_, i) => ({
    value: values[starts[k]! + i]!,
    owner: owners[starts[k]! + i]!,
  }));
  if (items.length > INSERTION_LENGTH) {
    items.sort((a, b) => Number(isWorse(a.value, b.value)) - Number(isWorse(b.value, a.value)));
  } else {
    for (let i = 1; i < items.length; i += 1) {
      for (let j = i; j > 0 && isWorse(items[j - 1]!.value, items[j]!.value); j -= 1)
        [items[j - 1], items[j]] = [items[j]!, items[j - 1]!];
    }
  }
  return items.map(({ owner }) => owner);
}
