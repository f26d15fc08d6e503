import type { SampleColumns } from './sample-columns.ts';
import type { SealedChunk } from './sealed-chunk.ts';
import { type ByteWriter, writeVarint, zigzag } from './varint.ts';

/**
 * Samples whose values are all whole numbers, as differences. One byte says whether the times are evenly spaced;
 * then nothing more is said of them, as the chunk's first and last time and its count tell all. Else follow, as
 * zigzag varints, the differences between one gap and the next (the first gap against 0). Then the values: the
 * first, and the difference to the one before of each other. A difference of 0 is followed by how many more of them
 * come. All varints are LEB128.
 */

// So that a difference, doubled by zigzag, is still exact.
const LARGEST = 2 ** 51;
const EVEN = 1;
const UNEVEN = 0;
const writer: ByteWriter = { bytes: new Uint8Array(1024), at: 0 };

/** Undefined where a value is not a whole number, -0 or too large. */
export function encodeIntegers(
  { t, v }: Pick<SampleColumns, 't' | 'v'>,
  count: number,
): Uint8Array | undefined {
  for (let i = 0; i < count; i += 1) if (!isEncodable(v[i]!)) return undefined;
  writer.at = 0;
  writeTimes(t, count);
  writeValues(v, count);
  return writer.bytes.slice(0, writer.at);
}

const isEncodable = (value: number) =>
  Number.isInteger(value) && value <= LARGEST && value >= -LARGEST && !Object.is(value, -0);

function writeTimes(t: Float64Array, count: number): void {
  const gap = count > 1 ? t[1]! - t[0]! : 0;
  let even = true;
  for (let i = 2; i < count && even; i += 1) even = t[i]! - t[i - 1]! === gap;
  writeVarint(writer, even ? EVEN : UNEVEN);
  if (even) return;
  let before = 0;
  for (let i = 1; i < count; i += 1) {
    const next = t[i]! - t[i - 1]!;
    writeVarint(writer, zigzag(next - before));
    before = next;
  }
}

function writeValues(v: Float64Array, count: number): void {
  if (count === 0) return;
  writeVarint(writer, zigzag(v[0]!));
  let i = 1;
  while (i < count) {
    const difference = v[i]! - v[i - 1]!;
    writeVarint(writer, zigzag(difference));
    i += 1;
    if (difference !== 0) continue;
    const first = i;
    while (i < count && v[i] === v[i - 1]) i += 1;
    writeVarint(writer, i - first);
  }
}

// Bytes to read from, with one more behind them that is looked at but not used; grows to the longest chunk.
let ahead = new Uint8Array(1024);

/** Decodes to `out` from entry `begin` on. The loops are written out: this is what a query spends its time on. */
export function decodeIntegers(chunk: SealedChunk, { t, v }: SampleColumns, begin: number): void {
  const { count } = chunk;
  if (count === 0) return;
  if (ahead.length <= chunk.bytes.length) ahead = new Uint8Array(chunk.bytes.length * 2);
  ahead.set(chunk.bytes);
  const bytes = ahead;
  const end = begin + count;
  let at = 1;
  if (bytes[0] === EVEN) {
    const gap = count > 1 ? (chunk.maxT - chunk.minT) / (count - 1) : 0;
    let time = chunk.minT;
    for (let i = begin; i < end; i += 1) {
      t[i] = time;
      time += gap;
    }
  } else {
    let time = chunk.minT;
    let gap = 0;
    t[begin] = time;
    for (let i = begin + 1; i < end; i += 1) {
      let code = bytes[at++]!;
      if (code > 0x7f) {
        code &= 0x7f;
        for (let scale = 0x80, byte = 0x80; byte > 0x7f; scale *= 0x80) {
          byte = bytes[at++]!;
          code += (byte & 0x7f) * scale;
        }
      }
      gap += code % 2 === 1 ? -(code + 1) / 2 : code / 2;
      time += gap;
      t[i] = time;
    }
  }
  let value = 0;
  let i = begin;
  while (i < end) {
    // Codes of one and two bytes without a branch, which nothing could foretell.
    const first = bytes[at]!;
    let byte = bytes[at + 1]!;
    const more = first >>> 7;
    at += 1 + more;
    let code = (first & 0x7f) | ((byte & 0x7f & -more) << 7);
    if ((byte & 0x80 & (more << 7)) !== 0) {
      // The first 28 bits of a code are whole numbers to V8.
      for (let shift = 14; byte > 0x7f && shift <= 21; shift += 7) {
        byte = bytes[at++]!;
        code |= (byte & 0x7f) << shift;
      }
      if (byte > 0x7f) {
        let large = code;
        for (let scale = 2 ** 28; byte > 0x7f; scale *= 0x80) {
          byte = bytes[at++]!;
          large += (byte & 0x7f) * scale;
        }
        value += large % 2 === 1 ? -(large + 1) / 2 : large / 2;
        v[i++] = value;
        continue;
      }
    }
    value += (code >>> 1) ^ -(code & 1);
    v[i++] = value;
    if (code !== 0 || i === begin + 1) continue;
    let run = bytes[at++]!;
    if (run > 0x7f) {
      run &= 0x7f;
      for (let scale = 0x80, byte = 0x80; byte > 0x7f; scale *= 0x80) {
        byte = bytes[at++]!;
        run += (byte & 0x7f) * scale;
      }
    }
    for (const stop = i + run; i < stop; i += 1) v[i] = value;
  }
}
