import { decodeIntegers, encodeIntegers } from './integer-chunk.ts';
import { createColumns, type SampleColumns } from './sample-columns.ts';
import { INTEGER, type SealedChunk, XOR } from './sealed-chunk.ts';
import { decodeXor, type XorChunk, xorBytes } from './xor-chunk.ts';

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
