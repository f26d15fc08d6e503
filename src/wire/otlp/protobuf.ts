import { PbfReader, type PbfWriter } from 'pbf';
import { CodedError, messageOf } from '../../util/coded-error.ts';

// Protocol buffers, read as hostile input: pbf itself does not check that a message stays within its parent.
// Source: https://protobuf.dev/programming-guides/encoding/

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

export function malformed(what: string, cause?: unknown): CodedError {
  return new CodedError(
    'OTLP_MALFORMED',
    `the OTLP request is malformed: ${what}; nothing of it was stored`,
    {
      status: 400,
      cause,
    },
  );
}

/** Reads `bytes` with `read`. @throws OTLP_MALFORMED for whatever is wrong with them. */
export function decodeWith<T>(bytes: Uint8Array, read: (reader: PbfReader) => T): T {
  try {
    return read(new PbfReader(bytes));
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw malformed(messageOf(error), error);
  }
}

/** Calls `visit` for each field up to `end`; a field it does not read is passed over. */
export function scan(reader: PbfReader, end: number, visit: (field: number) => void): void {
  while (reader.pos < end) {
    const field = reader.nextField(end);
    if (field === 0) break;
    visit(field);
  }
  if (reader.pos !== end) throw malformed(`a field ends at byte ${reader.pos}, its message at ${end}`);
}

function expectType(reader: PbfReader, type: number): void {
  if (reader.type !== type)
    throw malformed(`wire type ${reader.type} at byte ${reader.pos}, expected ${type}`);
}

/** Steps into a length-delimited field and answers where it ends. */
export function enter(reader: PbfReader): number {
  expectType(reader, BYTES);
  const end = reader.readVarint() + reader.pos;
  if (!(end <= reader.length)) throw malformed(`a field of byte ${reader.pos} ends after the request`);
  return end;
}

export function readText(reader: PbfReader): string {
  const { buffer, byteOffset, length } = readSpan(reader);
  return Buffer.from(buffer, byteOffset, length).toString('utf8');
}

/** The bytes of a length-delimited field; a view, not a copy. */
export function readSpan(reader: PbfReader): Uint8Array {
  const end = enter(reader);
  const span = reader.buf.subarray(reader.pos, end);
  reader.pos = end;
  return span;
}

export function readNumber(reader: PbfReader): number {
  expectType(reader, FIXED64);
  return reader.readDouble();
}

export function readSigned64(reader: PbfReader): number {
  expectType(reader, FIXED64);
  return reader.readSFixed64();
}

export function readVarint(reader: PbfReader): number {
  expectType(reader, VARINT);
  return reader.readVarint(true);
}

export function readFixed32(reader: PbfReader): number {
  expectType(reader, FIXED32);
  return reader.readFixed32();
}

/** A repeated 8-byte field, packed or not. */
export function readRepeated64(reader: PbfReader, into: number[], read: (reader: PbfReader) => number): void {
  if (reader.type === FIXED64) {
    into.push(read(reader));
    return;
  }
  const end = enter(reader);
  if ((end - reader.pos) % 8 !== 0) throw malformed(`a packed field at byte ${reader.pos} has half a number`);
  while (reader.pos < end) into.push(read(reader));
}

/** Nanoseconds since the epoch as whole milliseconds, cut off; exact, though nanoseconds do not fit a number. */
export function readMilliseconds(reader: PbfReader): number {
  expectType(reader, FIXED64);
  const low = reader.readFixed32();
  const high = reader.readFixed32();
  // 2^32 ns = 4,294 ms + 967,296 ns
  return high * 4_294 + Math.floor((high * 967_296 + low) / 1_000_000);
}

/** Milliseconds since the epoch, written as nanoseconds. */
export function writeNanoseconds(writer: PbfWriter, field: number, ms: number): void {
  writer.writeTag(field, FIXED64);
  writer.writeFixed32(nanosecondsLow(ms));
  writer.writeFixed32(nanosecondsHigh(ms));
}

// Two halves of 32 bits, as nanoseconds do not fit a number: 2^20 ms are 2^20 * 10^6 ns.
const upperOf = (ms: number) => Math.floor(ms / 2 ** 20) * 1_000_000;
const lowerOf = (ms: number) => (upperOf(ms) % 2 ** 12) * 2 ** 20 + (ms % 2 ** 20) * 1_000_000;
const wholeOf = (ms: number) => Math.max(0, Math.trunc(ms));

export const nanosecondsLow = (ms: number): number => lowerOf(wholeOf(ms)) % 2 ** 32;

export const nanosecondsHigh = (ms: number): number =>
  Math.floor(upperOf(wholeOf(ms)) / 2 ** 12) + Math.floor(lowerOf(wholeOf(ms)) / 2 ** 32);
