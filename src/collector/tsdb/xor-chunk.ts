/**
 * Samples of one series, compressed: timestamps by delta of delta, values by XOR with the one before, bits written
 * from the highest down. Values are handled as two 32-bit words, so the bits of every NaN survive.
 * Source: Pelkonen et al., "Gorilla: a fast, scalable, in-memory time series database", VLDB 2015, section 4.1
 */
export interface XorChunk {
  bytes: Uint8Array;
  bits: number;
  count: number;
  minT: number;
  maxT: number;
  delta: number;
  high: number;
  low: number;
  leading: number;
  trailing: number;
}

/** A chunk that takes no more samples. `minT` is where its timestamps start from. */
export interface SealedChunk {
  readonly minT: number;
  readonly maxT: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** Columns to decode into; `words` are those of `v`. */
export interface SampleColumns {
  readonly t: Float64Array;
  readonly v: Float64Array;
  readonly words: Uint32Array;
}

const FIRST_BYTES = 48;
const NO_WINDOW = 255;
const float = new Float64Array(1);
const floatWords = new Uint32Array(float.buffer);

export function createXorChunk(): XorChunk {
  return {
    bytes: new Uint8Array(FIRST_BYTES),
    bits: 0,
    count: 0,
    minT: 0,
    maxT: 0,
    delta: 0,
    high: 0,
    low: 0,
    leading: NO_WINDOW,
    trailing: 0,
  };
}

export function seal(chunk: XorChunk): SealedChunk {
  const { minT, maxT, count } = chunk;
  return { minT, maxT, count, bytes: chunk.bytes.slice(0, Math.ceil(chunk.bits / 8)) };
}

/** Appends a sample later than all others of the chunk; the value as its high and low word. */
export function appendSample(chunk: XorChunk, t: number, high: number, low: number): void {
  if (chunk.count === 0) {
    chunk.minT = t;
    writeBits(chunk, high, 32);
    writeBits(chunk, low, 32);
  } else {
    const delta = t - chunk.maxT;
    writeDeltaOfDelta(chunk, delta - chunk.delta);
    chunk.delta = delta;
    writeXor(chunk, high ^ chunk.high, low ^ chunk.low);
  }
  chunk.maxT = t;
  chunk.high = high;
  chunk.low = low;
  chunk.count += 1;
}

/** Decodes all samples to `out`, from entry `at` on; the columns must have room for `chunk.count`. */
export function decodeChunk(chunk: SealedChunk | XorChunk, out: SampleColumns, at: number): void {
  const reader: BitReader = { bytes: chunk.bytes, at: 0 };
  let t = chunk.minT;
  let delta = 0;
  let high = readBits(reader, 32);
  let low = readBits(reader, 32);
  let leading = 0;
  let trailing = 0;
  for (let i = 0; i < chunk.count; i += 1) {
    if (i > 0) {
      delta += readDeltaOfDelta(reader);
      t += delta;
      if (readBits(reader, 1) === 1) {
        if (readBits(reader, 1) === 1) {
          leading = readBits(reader, 5);
          trailing = 64 - leading - (readBits(reader, 6) || 64);
        }
        const significant = 64 - leading - trailing;
        const upper = significant > 32 ? readBits(reader, significant - 32) : 0;
        const lower = readBits(reader, Math.min(significant, 32));
        if (trailing >= 32) high ^= lower << (trailing - 32);
        else if (trailing === 0) {
          high ^= upper;
          low ^= lower;
        } else {
          high ^= (upper << trailing) | (lower >>> (32 - trailing));
          low ^= lower << trailing;
        }
      }
    }
    out.t[at + i] = t;
    out.words[(at + i) * 2] = low;
    out.words[(at + i) * 2 + 1] = high;
  }
}

// Prefix, and the bits that follow it, of each size of delta of delta.
function writeDeltaOfDelta(chunk: XorChunk, value: number): void {
  if (value === 0) writeBits(chunk, 0b0, 1);
  else if (fits(value, 14)) writePrefixed(chunk, 0b10, 2, value, 14);
  else if (fits(value, 17)) writePrefixed(chunk, 0b110, 3, value, 17);
  else if (fits(value, 20)) writePrefixed(chunk, 0b1110, 4, value, 20);
  else {
    writeBits(chunk, 0b1111, 4);
    float[0] = value;
    const [low, high] = [floatWords[0]!, floatWords[1]!];
    writeBits(chunk, high, 32);
    writeBits(chunk, low, 32);
  }
}

function readDeltaOfDelta(reader: BitReader): number {
  if (readBits(reader, 1) === 0) return 0;
  if (readBits(reader, 1) === 0) return signed(readBits(reader, 14), 14);
  if (readBits(reader, 1) === 0) return signed(readBits(reader, 17), 17);
  if (readBits(reader, 1) === 0) return signed(readBits(reader, 20), 20);
  const high = readBits(reader, 32);
  floatWords[0] = readBits(reader, 32);
  floatWords[1] = high;
  return float[0]!;
}

const fits = (value: number, bits: number) => value >= -(2 ** (bits - 1)) && value < 2 ** (bits - 1);
const signed = (value: number, bits: number) => (value << (32 - bits)) >> (32 - bits);

function writePrefixed(
  chunk: XorChunk,
  prefix: number,
  prefixBits: number,
  value: number,
  bits: number,
): void {
  writeBits(chunk, prefix, prefixBits);
  writeBits(chunk, value & (2 ** bits - 1), bits);
}

function writeXor(chunk: XorChunk, high: number, low: number): void {
  if (high === 0 && low === 0) {
    writeBits(chunk, 0b0, 1);
    return;
  }
  const leading = Math.min(31, high === 0 ? 32 + Math.clz32(low) : Math.clz32(high));
  const trailing = low === 0 ? 32 + trailingZeros(high) : trailingZeros(low);
  if (chunk.leading !== NO_WINDOW && leading >= chunk.leading && trailing >= chunk.trailing) {
    writeBits(chunk, 0b10, 2);
  } else {
    chunk.leading = leading;
    chunk.trailing = trailing;
    writeBits(chunk, 0b11, 2);
    writeBits(chunk, leading, 5);
    // 64 does not fit six bits and 0 never occurs, so 0 stands for 64.
    writeBits(chunk, (64 - leading - trailing) & 63, 6);
  }
  writeSignificant(chunk, high, low);
}

function writeSignificant(chunk: XorChunk, high: number, low: number): void {
  const { leading, trailing } = chunk;
  const significant = 64 - leading - trailing;
  let upper = high;
  let lower = low;
  if (trailing >= 32) {
    lower = high >>> (trailing - 32);
    upper = 0;
  } else if (trailing > 0) {
    lower = (low >>> trailing) | (high << (32 - trailing));
    upper = high >>> trailing;
  }
  if (significant > 32) writeBits(chunk, upper, significant - 32);
  writeBits(chunk, lower, Math.min(significant, 32));
}

const trailingZeros = (word: number) => 31 - Math.clz32(word & -word);

/** The lowest `count` bits of `value`, 1 to 32 of them. */
function writeBits(chunk: XorChunk, value: number, count: number): void {
  if (chunk.bits + count > chunk.bytes.length * 8) grow(chunk);
  const { bytes } = chunk;
  let left = count;
  while (left > 0) {
    const free = 8 - (chunk.bits & 7);
    const take = Math.min(free, left);
    const part = (value >>> (left - take)) & ((1 << take) - 1);
    bytes[chunk.bits >>> 3]! |= part << (free - take);
    chunk.bits += take;
    left -= take;
  }
}

function grow(chunk: XorChunk): void {
  const bytes = new Uint8Array(chunk.bytes.length * 2);
  bytes.set(chunk.bytes);
  chunk.bytes = bytes;
}

interface BitReader {
  readonly bytes: Uint8Array;
  at: number;
}

function readBits(reader: BitReader, count: number): number {
  const { bytes } = reader;
  let value = 0;
  let left = count;
  while (left > 0) {
    const available = 8 - (reader.at & 7);
    const take = Math.min(available, left);
    const part = (bytes[reader.at >>> 3]! >>> (available - take)) & ((1 << take) - 1);
    value = (value << take) | part;
    reader.at += take;
    left -= take;
  }
  return value >>> 0;
}
