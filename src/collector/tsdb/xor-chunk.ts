import { type ByteBlocks, roomFor, startOf } from './byte-blocks.ts';
import type { SampleColumns } from './sample-columns.ts';
import { XOR } from './sealed-chunk.ts';

/**
 * Samples of one series, compressed: timestamps by delta of delta, values by XOR with the one before, bits written
 * from the highest down. Values are handled as two 32-bit words, so the bits of every NaN survive.
 * Source: Pelkonen et al., "Gorilla: a fast, scalable, in-memory time series database", VLDB 2015, section 4.1
 */
export interface XorChunk {
  readonly encoding: typeof XOR;
  /** What it is written to, among others: its bytes are those of `xorBytes`. */
  readonly blocks: ByteBlocks;
  page: Uint8Array;
  start: number;
  room: number;
  block: number;
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

const FIRST_BYTES = 32;
const NO_WINDOW = 255;
const float = new Float64Array(1);
const floatWords = new Uint32Array(float.buffer);

export function createXorChunk(blocks: ByteBlocks): XorChunk {
  const block = blocks.take(FIRST_BYTES);
  return {
    encoding: XOR,
    blocks,
    page: blocks.page(block),
    start: startOf(block),
    room: FIRST_BYTES,
    block,
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

/** Makes of a chunk that has ended, or whose state is kept elsewhere, a new one. */
export function beginXorChunk(chunk: XorChunk): void {
  const block = chunk.blocks.take(FIRST_BYTES);
  chunk.page = chunk.blocks.page(block);
  chunk.start = startOf(block);
  chunk.room = FIRST_BYTES;
  chunk.block = block;
  chunk.bits = 0;
  chunk.count = 0;
  chunk.delta = 0;
  chunk.leading = NO_WINDOW;
  chunk.trailing = 0;
}

/** A view; good until the next sample. */
export const xorBytes = ({ page, start, bits }: XorChunk): Uint8Array =>
  page.subarray(start, start + Math.ceil(bits / 8));

/** No sample comes any more, and nobody reads it: its memory may go to others. */
export const endXorChunk = ({ blocks, block, room }: XorChunk): void => blocks.give(block, room);

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

// Bytes to read from, with room behind them for a look ahead; grows to the longest chunk.
let ahead = new Uint8Array(1024);
let aheadView = new DataView(ahead.buffer);
const LOOK_AHEAD_BYTES = 9;

/** Decodes all samples to `out`, from entry `begin` on; the columns must have room for `chunk.count`. */
export function decodeXor(
  written: Uint8Array,
  chunk: { readonly count: number; readonly minT: number },
  { t, words }: SampleColumns,
  begin: number,
): void {
  if (ahead.length < written.length + LOOK_AHEAD_BYTES) {
    ahead = new Uint8Array(written.length * 2 + LOOK_AHEAD_BYTES);
    aheadView = new DataView(ahead.buffer);
  }
  ahead.set(written);
  const view = aheadView;
  const { count } = chunk;
  if (count === 0) return;
  let time = chunk.minT;
  let delta = 0;
  let high = view.getInt32(0);
  let low = view.getInt32(4);
  t[begin] = time;
  words[begin * 2] = low;
  words[begin * 2 + 1] = high;
  let at = 64;
  let leading = 0;
  let significant = 64;
  // Which bits of the two words may differ; what is read behind those of a value belongs to the next.
  let highMask = -1;
  let lowMask = -1;
  const end = begin + count;
  for (let i = begin + 1; i < end; i += 1) {
    // At most 14 bits are looked at, of the 25 that are there wherever in a byte they begin.
    let bits = view.getInt32(at >>> 3) << (at & 7);
    if (bits >= 0) {
      bits <<= 1;
      at += 1;
    } else {
      if ((bits & 0x40000000) === 0) {
        delta += (bits << 2) >> 18;
        at += 16;
      } else if ((bits & 0x20000000) === 0) {
        delta += (bits << 3) >> 15;
        at += 20;
      } else if ((bits & 0x10000000) === 0) {
        delta += (bits << 4) >> 12;
        at += 24;
      } else {
        floatWords[1] = peek(view, at + 4);
        floatWords[0] = peek(view, at + 36);
        delta += float[0]!;
        at += 68;
      }
      bits = view.getInt32(at >>> 3) << (at & 7);
    }
    time += delta;
    if (bits >= 0) at += 1;
    else {
      if ((bits & 0x40000000) === 0) at += 2;
      else {
        leading = (bits >>> 25) & 31;
        significant = (bits >>> 19) & 63 || 64;
        const trailing = 64 - leading - significant;
        highMask = trailing > 32 ? -1 << (trailing - 32) : -1;
        lowMask = trailing >= 32 ? 0 : -1 << trailing;
        at += 13;
      }
      // 64 bits from `at` on, moved to where they belong; a shift by 32 would be one by 0, so it is made in two steps.
      const byte = at >>> 3;
      const shift = at & 7;
      const middle = view.getInt32(byte + 4);
      const upper = (view.getInt32(byte) << shift) | ((middle >>> 1) >>> (31 - shift));
      const lower = (middle << shift) | (view.getUint8(byte + 8) >>> (8 - shift));
      high ^= (upper >>> leading) & highMask;
      low ^= ((lower >>> leading) | ((upper << 1) << (31 - leading))) & lowMask;
      at += significant;
    }
    t[i] = time;
    words[i * 2] = low;
    words[i * 2 + 1] = high;
  }
}

/** The 32 bits from `at` on, the first one highest. */
function peek(view: DataView, at: number): number {
  const i = at >>> 3;
  const shift = at & 7;
  // A shift by 32 would be one by 0, so that the bits that follow are moved in two steps.
  return (view.getInt32(i) << shift) | (view.getUint8(i + 4) >>> (8 - shift));
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

const fits = (value: number, bits: number) => value >= -(2 ** (bits - 1)) && value < 2 ** (bits - 1);

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
  if (chunk.bits + count > chunk.room * 8) grow(chunk);
  const { page, start } = chunk;
  let left = count;
  while (left > 0) {
    const free = 8 - (chunk.bits & 7);
    const take = Math.min(free, left);
    const part = (value >>> (left - take)) & ((1 << take) - 1);
    page[start + (chunk.bits >>> 3)]! |= part << (free - take);
    chunk.bits += take;
    left -= take;
  }
}

function grow(chunk: XorChunk): void {
  const { blocks } = chunk;
  const room = roomFor(chunk.room + chunk.room / 2);
  const block = blocks.take(room);
  const page = blocks.page(block);
  const start = startOf(block);
  page.set(xorBytes(chunk), start);
  endXorChunk(chunk);
  chunk.page = page;
  chunk.start = start;
  chunk.room = room;
  chunk.block = block;
}
