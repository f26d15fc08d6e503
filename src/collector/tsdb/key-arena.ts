import type { MemorySeries } from './series.ts';

/**
 * The bytes of keys, one after another in large pages, and whose they are: a number stands for a key. One that is in an
 * array of its own takes some hundred bytes more.
 */
export interface KeyArena {
  /** Keeps the first `length` bytes of `words`, lowest byte first. */
  add(words: Int32Array, length: number, owner: MemorySeries): number;
  remove(key: number): void;
  isEqual(key: number, words: Int32Array, length: number): boolean;
  /** A view; good until keys are added or removed. */
  bytes(key: number): Uint8Array;
  owner(key: number): MemorySeries;
}

const PAGE_WORDS = 2 ** 18;

interface Page {
  readonly words: Int32Array;
  used: number;
}

const wordsOf = (length: number) => (length + 3) >>> 2;

export function createKeyArena(): KeyArena {
  let pages: Page[] = [];
  let pageOf = new Uint32Array(64);
  let wordAt = new Uint32Array(64);
  let lengths = new Uint32Array(64);
  const owners: (MemorySeries | undefined)[] = [];
  const free: number[] = [];
  let heldWords = 0;
  let deadWords = 0;

  const place = (key: number, words: Int32Array, from: number, count: number) => {
    let page = pages.at(-1);
    if (page === undefined || page.used + count > page.words.length) {
      page = { words: new Int32Array(Math.max(PAGE_WORDS, count)), used: 0 };
      pages.push(page);
    }
    for (let i = 0; i < count; i += 1) page.words[page.used + i] = words[from + i]!;
    pageOf[key] = pages.length - 1;
    wordAt[key] = page.used;
    page.used += count;
    heldWords += count;
  };

  /** Once half of all is of keys that are gone, the others move together. */
  const compact = () => {
    const before = pages;
    pages = [];
    heldWords = 0;
    deadWords = 0;
    for (let key = 0; key < owners.length; key += 1)
      if (owners[key] !== undefined)
        place(key, before[pageOf[key]!]!.words, wordAt[key]!, wordsOf(lengths[key]!));
  };

  const newKey = (owner: MemorySeries) => {
    const key = free.pop() ?? owners.length;
    owners[key] = owner;
    if (key >= lengths.length) {
      pageOf = grown(pageOf);
      wordAt = grown(wordAt);
      lengths = grown(lengths);
    }
    return key;
  };

  return {
    add(words, length, owner) {
      const key = newKey(owner);
      lengths[key] = length;
      place(key, words, 0, wordsOf(length));
      return key;
    },
    remove(key) {
      owners[key] = undefined;
      free.push(key);
      deadWords += wordsOf(lengths[key]!);
      if (deadWords > PAGE_WORDS && deadWords * 2 > heldWords) compact();
    },
    isEqual(key, words, length) {
      if (lengths[key] !== length) return false;
      const held = pages[pageOf[key]!]!.words;
      const at = wordAt[key]!;
      const count = wordsOf(length);
      for (let i = 0; i < count; i += 1) if (held[at + i] !== words[i]) return false;
      return true;
    },
    bytes(key) {
      const { buffer } = pages[pageOf[key]!]!.words;
      return new Uint8Array(buffer, wordAt[key]! * 4, lengths[key]!);
    },
    owner: (key) => owners[key]!,
  };
}

function grown(column: Uint32Array): Uint32Array<ArrayBuffer> {
  const bigger = new Uint32Array(column.length * 2);
  bigger.set(column);
  return bigger;
}
