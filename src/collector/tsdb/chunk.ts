import { decodeIntegers, encodeIntegers } from './integer-chunk.ts';
import { decodeXor, type XorChunk, xorBytes } from './xor-chunk.ts';

/** How the samples of a chunk are written. The numbers are those on disk. */
export const XOR = 0;
export const INTEGER = 1;
export type ChunkEncoding = typeof XOR | typeof INTEGER;

/** A chunk that takes no more samples. `minT` and `maxT` are its first and last time. */
export interface SealedChunk {
  readonly encoding: ChunkEncoding;
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

export function createColumns(length: number): SampleColumns {
  const v = new Float64Array(length);
  return { t: new Float64Array(length), v, words: new Uint32Array(v.buffer) };
}

/** Decodes all samples to `out`, from entry `at` on; the columns must have room for `chunk.count`. */
export function decodeChunk(chunk: SealedChunk | XorChunk, out: SampleColumns, at: number): void {
  if (chunk.encoding === INTEGER) decodeIntegers(chunk, out, at);
  else decodeXor('page' in chunk ? xorBytes(chunk) : chunk.bytes, chunk, out, at);
}

let scratch = createColumns(512);

/** What an open chunk becomes: differences where all its values are whole numbers, which decode fastest. */
export function seal(chunk: XorChunk): SealedChunk {
  const { minT, maxT, count } = chunk;
  if (scratch.t.length < count) scratch = createColumns(count);
  const bytes = xorBytes(chunk);
  decodeXor(bytes, chunk, scratch, 0);
  const integers = encodeIntegers(scratch, count);
  if (integers !== undefined) return { encoding: INTEGER, minT, maxT, count, bytes: integers };
  return { encoding: XOR, minT, maxT, count, bytes: bytes.slice() };
}
