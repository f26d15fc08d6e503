/** Hashes bytes by words, in two lanes whose multipliers come from a seed; 64 bits together. */
export interface KeyHash {
  /** Over the bytes that were read last. */
  readonly view: DataView;
  first: number;
  second: number;
  read(bytes: Uint8Array, from: number, to: number): void;
}

const NO_BYTES = new Uint8Array(0);

export function createKeyHash(seed: number): KeyHash {
  const firstFactor = Math.imul(seed ^ 0x9e3779b1, 0x85ebca6b) | 1;
  const secondFactor = Math.imul(seed ^ 0x7feb352d, 0xc2b2ae35) | 1;
  const secondSeed = Math.imul(seed, 0x27d4eb2f);
  let last = NO_BYTES;
  let view = viewOf(last);
  const hash = {
    get view() {
      return view;
    },
    first: 0,
    second: 0,
    read(bytes: Uint8Array, from: number, to: number) {
      if (bytes !== last) {
        last = bytes as Uint8Array<ArrayBuffer>;
        view = viewOf(bytes);
      }
      const data = view;
      const length = to - from;
      let a = seed ^ length;
      let b = secondSeed ^ length;
      let i = from;
      for (; i + 4 <= to; i += 4) {
        const word = data.getInt32(i, true);
        a = Math.imul(a ^ word, firstFactor);
        a ^= a >>> 16;
        b = Math.imul(b + word, secondFactor);
        b ^= b >>> 13;
      }
      if (i < to) {
        let word = 0;
        for (let shift = 0; i < to; i += 1, shift += 8) word |= bytes[i]! << shift;
        a = Math.imul(a ^ word, firstFactor);
        b = Math.imul(b + word, secondFactor);
        b ^= b >>> 13;
      }
      a = Math.imul(a ^ (a >>> 15), 0x2c1b3c6d);
      b = Math.imul(b ^ (b >>> 15), 0x297a2d39);
      hash.first = a ^ (a >>> 13);
      hash.second = b ^ (b >>> 14);
    },
  };
  return hash;
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
