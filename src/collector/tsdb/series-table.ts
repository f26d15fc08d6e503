import type { MemorySeries } from './series.ts';

/** Finds a series by the bytes of its labels, without making a string of them. */
export interface SeriesTable {
  find(key: Uint8Array): MemorySeries | undefined;
  add(key: Uint8Array, series: MemorySeries): void;
  remove(series: MemorySeries): void;
}

interface Entry {
  readonly key: Uint8Array;
  readonly series: MemorySeries;
  next: Entry | undefined;
}

/** The hash is seeded, so that nobody outside can make labels that collide, and keys are compared byte by byte. */
export function createSeriesTable(seed: number): SeriesTable {
  const buckets = new Map<number, Entry>();
  return {
    find(key) {
      let entry = buckets.get(hash(key, seed));
      while (entry !== undefined && !equal(entry.key, key)) entry = entry.next;
      return entry?.series;
    },
    add(key, series) {
      const place = hash(key, seed);
      buckets.set(place, { key, series, next: buckets.get(place) });
    },
    remove(series) {
      for (const key of series.keys) {
        const place = hash(key, seed);
        const rest = without(buckets.get(place), series);
        if (rest === undefined) buckets.delete(place);
        else buckets.set(place, rest);
      }
    },
  };
}

function without(entry: Entry | undefined, series: MemorySeries): Entry | undefined {
  if (entry === undefined) return undefined;
  if (entry.series === series) return without(entry.next, series);
  entry.next = without(entry.next, series);
  return entry;
}

/** Four bytes a step, in two lanes whose multipliers come from the seed too; 53 bits together. */
export function hash(bytes: Uint8Array, seed: number): number {
  const { length } = bytes;
  const first = Math.imul(seed ^ 0x9e3779b1, 0x85ebca6b) | 1;
  const second = Math.imul(seed ^ 0x7feb352d, 0xc2b2ae35) | 1;
  let a = seed ^ length;
  let b = Math.imul(seed, 0x27d4eb2f) ^ length;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    a = Math.imul(a ^ word, first);
    a ^= a >>> 16;
    b = Math.imul(b + word, second);
    b ^= b >>> 13;
  }
  for (; i < length; i += 1) {
    a = Math.imul(a ^ bytes[i]!, first);
    b = Math.imul(b + bytes[i]!, second);
    b ^= b >>> 13;
  }
  a = Math.imul(a ^ (a >>> 15), 0x2c1b3c6d);
  b = Math.imul(b ^ (b >>> 15), 0x297a2d39);
  return ((a ^ (a >>> 13)) >>> 0) * 0x200000 + ((b ^ (b >>> 14)) >>> 11);
}

// Below this a loop is quicker than the call.
const SHORT_BYTES = 32;

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  if (a.length > SHORT_BYTES) return Buffer.compare(a, b) === 0;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}
