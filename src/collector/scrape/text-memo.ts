import { createByteTable } from '../../util/byte-table.ts';

/**
 * What pieces of a text stand for, by their bytes, one reading of a text after another. The pieces are expected in the order
 * of the reading before, so that mostly one look tells which it is and where it ends.
 */
export interface TextMemo<T extends object> {
  /** Another reading begins, of these bytes. With `anew`, no order is expected. */
  begin(bytes: Uint8Array, anew: boolean): void;
  /** Where the piece that is expected next ends, if it stands at `at`; else -1. */
  expectedEnd(at: number): number;
  /** What bytes `from` to before `to` stand for; undefined where they are new. */
  get(from: number, to: number): T | undefined;
  add(from: number, to: number, value: T): void;
  /** Forgets what `isOver` says of, some thousands looked at at a time. */
  forgetting(isOver: (value: T) => boolean): Generator<undefined, void>;
  readonly size: number;
}

const NONE = -1;
const LOOKED_AT_ONCE = 5_000;
// Stands before the first piece.
const START = 0;

export function createTextMemo<T extends object>(seed: number): TextMemo<T> {
  const table = createByteTable(seed);
  const values: (T | undefined)[] = [];
  // Of each piece, by its number and one: the number of the piece that came next.
  let next = new Int32Array(64).fill(NONE);
  let last = START;
  let expected = NONE;
  let expectedAt = NONE;
  let view: DataView = new DataView(new ArrayBuffer(0));

  const found = (key: number) => {
    next[last] = key;
    last = key + 1;
  };
  return {
    begin(bytes, anew) {
      view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      last = START;
      expected = NONE;
      if (anew) next.fill(NONE);
    },
    expectedEnd(at) {
      expected = next[last]!;
      expectedAt = at;
      if (table.isAt(expected, 0, view, at)) return at + table.lengthOf(expected);
      expected = NONE;
      return NONE;
    },
    get(from, to) {
      const isExpected = expected !== NONE && expectedAt === from && table.lengthOf(expected) === to - from;
      const key = isExpected ? expected : table.find(0, view, from, to);
      expected = NONE;
      if (key === NONE) return undefined;
      found(key);
      return values[key];
    },
    add(from, to, value) {
      const key = table.add(0, view, from, to);
      values[key] = value;
      if (key + 1 >= next.length) {
        const more = new Int32Array(next.length * 2).fill(NONE);
        more.set(next);
        next = more;
      }
      found(key);
    },
    *forgetting(isOver) {
      expected = NONE;
      for (let key = 0; key < values.length; key += 1) {
        if (key % LOOKED_AT_ONCE === LOOKED_AT_ONCE - 1) yield undefined;
        const value = values[key];
        if (value === undefined || !isOver(value)) continue;
        table.remove(key);
        values[key] = undefined;
      }
    },
    get size() {
      return table.size;
    },
  };
}
