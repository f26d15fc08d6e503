/** Hashes bytes by words, in lanes whose multipliers come from a seed; 64 bits together. */
export interface KeyHash {
  /** Over the bytes that were asked for last. */
  readonly view: DataView;
  over(bytes: Uint8Array): DataView;
  readonly first: number;
  readonly second: number;
  read(bytes: Uint8Array, from: number, to: number): void;
}

const NO_BYTES = new Uint8Array(0);

export function createKeyHash(seed: number): KeyHash {
  const firstFactor = Math.imul(seed ^ 0x9e3779b1, 0x85ebca6b) | 1;
  const secondFactor = Math.imul(seed ^ 0x7feb352d, 0xc2b2ae35) | 1;
  const secondSeed = Math.imul(seed, 0x27d4eb2f);
  let last: Uint8Array = NO_BYTES;
  let view = viewOf(last);
  let first = 0;
  let second = 0;

  const over = (bytes: Uint8Array) => {
    if (bytes !== last) {
      last = bytes;
      view = viewOf(bytes);
    }
    return view;
  };

  const read = (bytes: Uint8Array, from: number, to: number) => {
    const data = over(bytes);
    const length = to - from;
    // Four lanes that do not wait for each other.
    let a = seed ^ length;
    let b = secondSeed ^ length;
    let c = ~seed;
    let d = ~secondSeed;
    let i = from;
    for (; i + 16 <= to; i += 16) {
      a = Math.imul(a ^ data.getInt32(i, true), firstFactor);
      b = Math.imul(b ^ data.getInt32(i + 4, true), secondFactor);
      c = Math.imul(c ^ data.getInt32(i + 8, true), firstFactor);
      d = Math.imul(d ^ data.getInt32(i + 12, true), secondFactor);
      a ^= a >>> 16;
      b ^= b >>> 13;
      c ^= c >>> 15;
      d ^= d >>> 14;
    }
    for (; i + 4 <= to; i += 4) {
      a = Math.imul(a ^ data.getInt32(i, true), firstFactor);
      a ^= a >>> 16;
    }
    for (; i < to; i += 1) {
      b = Math.imul(b ^ bytes[i]!, secondFactor);
      b ^= b >>> 13;
    }
    const one = mixed(a, mixed(b, c, firstFactor) ^ d, secondFactor);
    first = mixed(one, c, firstFactor);
    second = mixed(d, b, secondFactor) ^ mixed(c ^ one, a, firstFactor);
  };
  return {
    get view() {
      return view;
    },
    get first() {
      return first;
    },
    get second() {
      return second;
    },
    over,
    read,
  };
}

function mixed(a: number, b: number, factor: number): number {
  let x = Math.imul(a ^ (a >>> 15) ^ b, 0x2c1b3c6d);
  x = Math.imul(x ^ (x >>> 13), factor);
  return x ^ (x >>> 16);
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
