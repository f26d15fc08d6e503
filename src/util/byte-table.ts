/**
 * Numbers for pieces of bytes, found without making a string or an object of them. A key is a number of the caller's, the
 * group, and bytes `from` to before `to` of a view. Numbers are small, and given again once they are free.
 */
export interface ByteTable {
  /** The number of a key, -1 where it is not there. Keys are compared in full. */
  find(group: number, view: DataView, from: number, to: number): number;
  /** Whether the key with this number is of this group, and the view goes on with its bytes at `at`. */
  isAt(key: number, group: number, view: DataView, at: number): boolean;
  /** Of a key that is there. */
  lengthOf(key: number): number;
  /** Keeps a copy of a key that is not there yet. */
  add(group: number, view: DataView, from: number, to: number): number;
  remove(key: number): void;
  readonly size: number;
  /** Of all keys. */
  readonly bytes: number;
}

const FIRST_SLOTS = 64;
const FIRST_WORDS = 512;
const EMPTY = -1;
const NOTHING_LOST_WORDS = 16_384;

/**
 * Open addressing with linear probing, at most half full. The hash is seeded, so that nobody outside can make keys that
 * collide.
 */
export function createByteTable(seed: number): ByteTable {
  const factor = Math.imul(seed ^ 0x9e3779b1, 0x85ebca6b) | 1;
  let slots = new Int32Array(FIRST_SLOTS).fill(EMPTY);
  let slotHashes = new Int32Array(FIRST_SLOTS);
  // Of each key: its length, -1 when it is free, its group and where its words are.
  let lengths = new Int32Array(FIRST_SLOTS);
  let groups = new Int32Array(FIRST_SLOTS);
  let places = new Int32Array(FIRST_SLOTS);
  // The bytes of all keys, each filled up with zeros to whole words.
  let words = new Int32Array(FIRST_WORDS);
  let usedWords = 0;
  let lostWords = 0;
  let bytes = 0;
  let keys = 0;
  const free: number[] = [];

  const hashOf = (group: number, view: DataView, from: number, to: number) => {
    let hash = Math.imul(seed ^ group, factor) ^ (to - from);
    let at = from;
    for (; at + 4 <= to; at += 4) {
      hash = Math.imul(hash ^ view.getInt32(at, true), factor);
      hash ^= hash >>> 15;
    }
    if (at < to) hash = Math.imul(hash ^ lastWord(view, at, to), factor);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    return hash ^ (hash >>> 13);
  };

  const isAt = (key: number, group: number, view: DataView, from: number) => {
    const length = lengths[key]!;
    const to = from + length;
    if (length < 0 || groups[key] !== group || to > view.byteLength) return false;
    let word = places[key]!;
    let at = from;
    for (; at + 4 <= to; at += 4) {
      if (view.getInt32(at, true) !== words[word]) return false;
      word += 1;
    }
    return at === to || lastWord(view, at, to) === words[word];
  };

  const put = (key: number, hash: number) => {
    const mask = slots.length - 1;
    let at = hash & mask;
    while (slots[at] !== EMPTY) at = (at + 1) & mask;
    slots[at] = key;
    slotHashes[at] = hash;
  };

  const growSlots = () => {
    const [oldSlots, oldHashes] = [slots, slotHashes];
    slots = new Int32Array(oldSlots.length * 2).fill(EMPTY);
    slotHashes = new Int32Array(slots.length);
    for (let i = 0; i < oldSlots.length; i += 1) if (oldSlots[i] !== EMPTY) put(oldSlots[i]!, oldHashes[i]!);
  };

  const newKey = () => {
    const again = free.pop();
    if (again !== undefined) return again;
    if (keys === lengths.length) {
      lengths = grown(lengths, keys * 2);
      groups = grown(groups, keys * 2);
      places = grown(places, keys * 2);
    }
    keys += 1;
    return keys - 1;
  };

  /** Moves all words together, once more than half of them are nobody's. */
  const compact = () => {
    const kept = new Int32Array(Math.max(FIRST_WORDS, (usedWords - lostWords) * 2));
    let at = 0;
    for (let key = 0; key < keys; key += 1) {
      if (lengths[key]! < 0) continue;
      const count = wordsOf(lengths[key]!);
      kept.set(words.subarray(places[key]!, places[key]! + count), at);
      places[key] = at;
      at += count;
    }
    words = kept;
    usedWords = at;
    lostWords = 0;
  };

  return {
    find(group, view, from, to) {
      const hash = hashOf(group, view, from, to);
      const mask = slots.length - 1;
      for (let at = hash & mask; slots[at] !== EMPTY; at = (at + 1) & mask) {
        const key = slots[at]!;
        if (slotHashes[at] === hash && lengths[key] === to - from && isAt(key, group, view, from)) return key;
      }
      return EMPTY;
    },
    isAt: (key, group, view, at) => key >= 0 && key < keys && isAt(key, group, view, at),
    lengthOf: (key) => lengths[key]!,
    add(group, view, from, to) {
      if ((keys - free.length) * 2 >= slots.length) growSlots();
      const key = newKey();
      const count = wordsOf(to - from);
      if (usedWords + count > words.length)
        words = grown(words, Math.max(words.length * 2, usedWords + count));
      lengths[key] = to - from;
      groups[key] = group;
      places[key] = usedWords;
      let at = from;
      for (; at + 4 <= to; at += 4) {
        words[usedWords] = view.getInt32(at, true);
        usedWords += 1;
      }
      if (at < to) {
        words[usedWords] = lastWord(view, at, to);
        usedWords += 1;
      }
      bytes += to - from;
      put(key, hashOf(group, view, from, to));
      return key;
    },
    remove(key) {
      const mask = slots.length - 1;
      let at = slotHashOf(key) & mask;
      while (slots[at] !== key) at = (at + 1) & mask;
      // What lies behind moves up, so that no search ends too early.
      for (let next = (at + 1) & mask; slots[next] !== EMPTY; next = (next + 1) & mask) {
        const home = slotHashes[next]! & mask;
        if (((next - home) & mask) < ((next - at) & mask)) continue;
        slots[at] = slots[next]!;
        slotHashes[at] = slotHashes[next]!;
        at = next;
      }
      slots[at] = EMPTY;
      bytes -= lengths[key]!;
      lostWords += wordsOf(lengths[key]!);
      lengths[key] = EMPTY;
      free.push(key);
      if (lostWords > NOTHING_LOST_WORDS && lostWords * 2 > usedWords) compact();
    },
    get size() {
      return keys - free.length;
    },
    get bytes() {
      return bytes;
    },
  };

  /** From the words that were kept, which are the bytes of the key. */
  function slotHashOf(key: number): number {
    const view = new DataView(words.buffer, places[key]! * 4, lengths[key]!);
    return hashOf(groups[key]!, view, 0, view.byteLength);
  }
}

const wordsOf = (length: number) => (length + 3) >>> 2;

/** One to three bytes as the lower ones of a word. */
function lastWord(view: DataView, from: number, to: number): number {
  let word = 0;
  for (let at = from, shift = 0; at < to; at += 1, shift += 8) word |= view.getUint8(at) << shift;
  return word;
}

function grown(column: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const bigger = new Int32Array(length);
  bigger.set(column);
  return bigger;
}
