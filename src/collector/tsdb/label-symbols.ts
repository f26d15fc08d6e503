import type { Label } from '../../model/labels.ts';
import { type ByteBlocks, pageOf, startOf } from './byte-blocks.ts';
import type { KeyHash } from './key-hash.ts';
import { createOpenTable } from './open-table.ts';
import { grown } from './typed-columns.ts';

/**
 * Each label once, by a number: the bytes of its name and value as a `labels` field of `encodeLabels` has them. Whoever uses
 * a number says so, and says when not any more; then it may come to stand for another label.
 */
export interface LabelSymbols {
  /** The number of the label by bytes `from` to before `to`, which is now used once more. */
  use(bytes: Uint8Array, from: number, to: number): number;
  release(symbol: number): void;
  /** -1 when no series has it. */
  find(bytes: Uint8Array, from: number, to: number): number;
  /** How many bytes it has. */
  length(symbol: number): number;
  /**
   * Whether the bytes from `from` to before `to` of `view` are just those of `count` labels, one after another, whose
   * numbers stand in `list` from `first` on.
   */
  areAt(list: Int32Array, first: number, count: number, view: DataView, from: number, to: number): boolean;
  copyTo(symbol: number, target: Uint8Array, at: number): void;
  /** Of a label that many series have always the same object. */
  label(symbol: number): Label;
  value(symbol: number): string;
  nameOf(symbol: number): LabelName;
  name(text: string): LabelName | undefined;
  /** Numbers that are in use are below. */
  readonly end: number;
}

/** A name, as long as there are labels with it, and the numbers of these. */
export interface LabelName {
  readonly text: string;
  readonly symbols: readonly number[];
}

interface Name extends LabelName {
  readonly symbols: number[];
}

const MANY = 8;
const NO_BYTES = new Uint8Array(0);

export function createLabelSymbols(blocks: ByteBlocks, hash: KeyHash): LabelSymbols {
  const table = createOpenTable();
  const names = new Map<string, Name>();
  const free: number[] = [];
  let count = 0;
  // Of each: where its bytes are, and how many.
  let places = new Int32Array(128);
  let uses = new Int32Array(64);
  let hashes = new Int32Array(64);
  let placesInName = new Int32Array(64);
  const nameOf: (Name | undefined)[] = [];

  // Written out, as every sample that comes by its labels goes through it.
  const areAt = (
    list: Int32Array,
    first: number,
    labels: number,
    view: DataView,
    start: number,
    to: number,
  ) => {
    const { wordPages } = blocks;
    const all = places;
    const end = first + labels;
    let at = start;
    for (let i = first; i < end; i += 1) {
      const symbol = list[i]! * 2;
      const block = all[symbol]!;
      const bytes = all[symbol + 1]!;
      if (at + bytes > to) return false;
      const words = wordPages[pageOf(block)]!;
      let word = startOf(block) >>> 2;
      const whole = at + (bytes & ~3);
      for (; at < whole; at += 4) {
        if (words[word] !== view.getInt32(at, true)) return false;
        word += 1;
      }
      const rest = bytes & 3;
      if (rest === 0) continue;
      // What fills up the last word of a block is zero.
      let last = view.getUint8(at);
      if (rest > 1) last |= view.getUint8(at + 1) << 8;
      if (rest > 2) last |= view.getUint8(at + 2) << 16;
      if (words[word] !== last) return false;
      at += rest;
    }
    return at === to;
  };

  let from = 0;
  let length = 0;
  const sought = new Int32Array(1);
  const isSought = (symbol: number) => {
    sought[0] = symbol;
    return areAt(sought, 0, 1, hash.view, from, from + length);
  };

  const find = (bytes: Uint8Array, start: number, end: number) => {
    hash.read(bytes, start, end);
    from = start;
    length = end - start;
    return table.find(hash.first, hash.second, isSought);
  };

  const shared = new Map<number, Label>();
  let page: Uint8Array = NO_BYTES;
  let text: Buffer = Buffer.from(page);
  const value = (symbol: number) => {
    const block = places[symbol * 2]!;
    const bytes = blocks.page(block);
    if (bytes !== page) {
      page = bytes;
      text = Buffer.from(bytes.buffer);
    }
    textAt(bytes, textAt(bytes, startOf(block), found), found);
    textAt(bytes, found.end, found);
    return text.toString('utf8', found.at, found.end);
  };

  const make = (bytes: Uint8Array, start: number, end: number) => {
    const symbol = free.pop() ?? count;
    if (symbol === count) count += 1;
    if (symbol === uses.length) {
      places = grown(places);
      uses = grown(uses);
      hashes = grown(hashes);
      placesInName = grown(placesInName);
    }
    const block = blocks.take(end - start);
    blocks.page(block).set(bytes.subarray(start, end), startOf(block));
    places[symbol * 2] = block;
    places[symbol * 2 + 1] = end - start;
    hashes[symbol] = hash.first;
    uses[symbol] = 0;
    table.add(symbol, hash.first, hash.second);
    const nameText = nameIn(bytes, start);
    let name = names.get(nameText);
    if (name === undefined) {
      name = { text: nameText, symbols: [] };
      names.set(nameText, name);
    }
    nameOf[symbol] = name;
    placesInName[symbol] = name.symbols.length;
    name.symbols.push(symbol);
    return symbol;
  };

  const forget = (symbol: number) => {
    table.remove(symbol, hashes[symbol]!);
    blocks.give(places[symbol * 2]!, places[symbol * 2 + 1]!);
    const name = nameOf[symbol]!;
    const last = name.symbols.pop()!;
    if (last !== symbol) {
      name.symbols[placesInName[symbol]!] = last;
      placesInName[last] = placesInName[symbol]!;
    }
    if (name.symbols.length === 0) names.delete(name.text);
    nameOf[symbol] = undefined;
    shared.delete(symbol);
    free.push(symbol);
  };

  return {
    use(bytes, start, end) {
      const known = find(bytes, start, end);
      const symbol = known < 0 ? make(bytes, start, end) : known;
      uses[symbol]! += 1;
      return symbol;
    },
    release(symbol) {
      uses[symbol]! -= 1;
      if (uses[symbol] === 0) forget(symbol);
    },
    find,
    length: (symbol) => places[symbol * 2 + 1]!,
    areAt,
    copyTo(symbol, target, at) {
      const block = places[symbol * 2]!;
      const start = startOf(block);
      target.set(blocks.page(block).subarray(start, start + places[symbol * 2 + 1]!), at);
    },
    label(symbol) {
      const known = shared.get(symbol);
      if (known !== undefined) return known;
      const label: Label = [nameOf[symbol]!.text, value(symbol)];
      if (uses[symbol]! >= MANY) shared.set(symbol, label);
      return label;
    },
    value,
    nameOf: (symbol) => nameOf[symbol]!,
    name: (one) => names.get(one),
    get end() {
      return count;
    },
  };
}

const found = { at: 0, end: 0 };

/** Tells where the text is of the field whose tag is at `tagAt`; answers where it begins. */
function textAt(bytes: Uint8Array, tagAt: number, out: { at: number; end: number }): number {
  let at = tagAt + 1;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at]!;
    at += 1;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  out.at = at;
  out.end = at + length;
  return at;
}

function nameIn(bytes: Uint8Array, start: number): string {
  textAt(bytes, textAt(bytes, start, found), found);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8', found.at, found.end);
}
