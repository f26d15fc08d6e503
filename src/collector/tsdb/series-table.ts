import { createKeyArena } from './key-arena.ts';
import type { MemorySeries } from './series.ts';

/** Finds a series by the bytes of its labels, without making a string or an object of them. */
export interface SeriesTable {
  /** By bytes `from` to before `to`. */
  find(bytes: Uint8Array, from: number, to: number): MemorySeries | undefined;
  /** Keeps a copy of the key. */
  add(key: Uint8Array, series: MemorySeries): void;
  /** Another key for a series that is there; no more than a few. */
  alias(key: Uint8Array, series: MemorySeries): void;
  /** All keys of the series. */
  remove(series: MemorySeries): void;
  /** A copy. */
  keyOf(series: MemorySeries): Uint8Array;
}

// A sender has one spelling; more than a few is somebody filling the table.
const MOST_ALIASES = 3;
const FIRST_SLOTS = 256;
const EMPTY = -1;

/**
 * Open addressing with linear probing, at most half full. The hash is seeded, so that nobody outside can make labels that
 * collide, and keys are compared in full.
 */
export function createSeriesTable(seed: number): SeriesTable {
  const arena = createKeyArena();
  const probe = createProbe(seed);
  // Of each slot the key's number, and both halves of its hash.
  let slots = new Int32Array(FIRST_SLOTS).fill(EMPTY);
  let first = new Int32Array(FIRST_SLOTS);
  let second = new Int32Array(FIRST_SLOTS);
  let used = 0;
  const aliases = new Map<MemorySeries, number[]>();

  const addKey = (key: Uint8Array, series: MemorySeries) => {
    if (used * 2 >= slots.length) grow();
    probe.read(key, 0, key.length);
    const number = arena.add(probe.words, key.length, series);
    put(number, probe.first, probe.second);
    used += 1;
    return number;
  };

  const put = (key: number, a: number, b: number) => {
    const mask = slots.length - 1;
    let at = a & mask;
    while (slots[at] !== EMPTY) at = (at + 1) & mask;
    slots[at] = key;
    first[at] = a;
    second[at] = b;
  };

  const grow = () => {
    const before = { slots, first, second };
    const size = slots.length * 2;
    slots = new Int32Array(size).fill(EMPTY);
    first = new Int32Array(size);
    second = new Int32Array(size);
    for (let i = 0; i < before.slots.length; i += 1)
      if (before.slots[i] !== EMPTY) put(before.slots[i]!, before.first[i]!, before.second[i]!);
  };

  const removeKey = (key: number) => {
    const bytes = arena.bytes(key);
    probe.read(bytes, 0, bytes.length);
    const mask = slots.length - 1;
    let at = probe.first & mask;
    while (slots[at] !== key) at = (at + 1) & mask;
    // What lies behind moves up, so that no search ends too early.
    for (let next = (at + 1) & mask; slots[next] !== EMPTY; next = (next + 1) & mask) {
      const home = first[next]! & mask;
      if (((next - home) & mask) < ((next - at) & mask)) continue;
      slots[at] = slots[next]!;
      first[at] = first[next]!;
      second[at] = second[next]!;
      at = next;
    }
    slots[at] = EMPTY;
    used -= 1;
    arena.remove(key);
  };

  return {
    find(bytes, from, to) {
      probe.read(bytes, from, to);
      const { words } = probe;
      const a = probe.first;
      const b = probe.second;
      const mask = slots.length - 1;
      for (let at = a & mask; ; at = (at + 1) & mask) {
        const found = slots[at]!;
        if (found === EMPTY) return undefined;
        if (first[at] === a && second[at] === b && arena.isEqual(found, words, to - from))
          return arena.owner(found);
      }
    },
    add(key, series) {
      series.key = addKey(key, series);
    },
    alias(key, series) {
      const known = aliases.get(series) ?? [];
      if (known.length < MOST_ALIASES) aliases.set(series, [...known, addKey(key, series)]);
    },
    remove(series) {
      removeKey(series.key);
      for (const key of aliases.get(series) ?? []) removeKey(key);
      aliases.delete(series);
      series.key = -1;
    },
    keyOf: (series) => arena.bytes(series.key).slice(),
  };
}

/** A key as it is looked for: its words, the last one filled up with zeros, and its hash. */
interface Probe {
  words: Int32Array;
  first: number;
  second: number;
  read(bytes: Uint8Array, from: number, to: number): void;
}

/** Four bytes a step, in two lanes whose multipliers come from the seed too; 64 bits together. */
export function createProbe(seed: number): Probe {
  const firstFactor = Math.imul(seed ^ 0x9e3779b1, 0x85ebca6b) | 1;
  const secondFactor = Math.imul(seed ^ 0x7feb352d, 0xc2b2ae35) | 1;
  const secondSeed = Math.imul(seed, 0x27d4eb2f);
  const probe: Probe = {
    words: new Int32Array(256),
    first: 0,
    second: 0,
    read(bytes, from, to) {
      const length = to - from;
      if (length > probe.words.length * 4) probe.words = new Int32Array(length);
      const { words } = probe;
      let a = seed ^ length;
      let b = secondSeed ^ length;
      let i = from;
      let at = 0;
      for (; i + 4 <= to; i += 4) {
        const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
        words[at] = word;
        at += 1;
        a = Math.imul(a ^ word, firstFactor);
        a ^= a >>> 16;
        b = Math.imul(b + word, secondFactor);
        b ^= b >>> 13;
      }
      if (i < to) {
        let word = 0;
        for (let shift = 0; i < to; i += 1, shift += 8) word |= bytes[i]! << shift;
        words[at] = word;
        a = Math.imul(a ^ word, firstFactor);
        b = Math.imul(b + word, secondFactor);
        b ^= b >>> 13;
      }
      a = Math.imul(a ^ (a >>> 15), 0x2c1b3c6d);
      b = Math.imul(b ^ (b >>> 15), 0x297a2d39);
      probe.first = a ^ (a >>> 13);
      probe.second = b ^ (b >>> 14);
    },
  };
  return probe;
}
