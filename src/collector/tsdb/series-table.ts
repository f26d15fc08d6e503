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

/** FNV-1a in two lanes with different seeds, 53 bits together. */
export function hash(bytes: Uint8Array, seed: number): number {
  let a = 0x811c9dc5 ^ seed;
  let b = 0x9747b28c ^ Math.imul(seed, 0x85ebca6b);
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i]!;
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte, 0x5bd1e995);
    b ^= b >>> 15;
  }
  return (a >>> 0) * 0x200000 + (b >>> 11);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}
