import { malformed } from './protobuf.ts';

/**
 * A place in a protocol buffers message, for what is read very often: unlike `PbfReader` it makes nothing, and every field
 * is stepped over or read by whoever asked for it. Sees that a message stays within its parent.
 * Source: https://protobuf.dev/programming-guides/encoding/
 */
export interface Cursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at: number;
  /** The wire type of the field that was entered last. */
  type: number;
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

export function createCursor(bytes: Uint8Array): Cursor {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), at: 0, type: VARINT };
}

/** The number of the next field of the message that ends at `end`, 0 where there is none. */
export function nextField(cursor: Cursor, end: number): number {
  if (cursor.at >= end) {
    if (cursor.at !== end) throw malformed(`a field ends at byte ${cursor.at}, its message at ${end}`);
    return 0;
  }
  const tag = varint(cursor);
  cursor.type = tag & 7;
  const field = tag >>> 3;
  if (field === 0) throw malformed(`a field of byte ${cursor.at} has no number`);
  return field;
}

/** Steps over the field that was entered. */
export function skip(cursor: Cursor, end: number): void {
  if (cursor.type === BYTES) cursor.at = enter(cursor, end);
  else if (cursor.type === FIXED64) cursor.at += 8;
  else if (cursor.type === VARINT) varint(cursor);
  else if (cursor.type === FIXED32) cursor.at += 4;
  else throw malformed(`wire type ${cursor.type} at byte ${cursor.at}`);
}

/** Steps into a length-delimited field of the message that ends at `parentEnd`, and answers where it ends. */
export function enter(cursor: Cursor, parentEnd: number): number {
  expectType(cursor, BYTES);
  const length = varint(cursor);
  const end = cursor.at + length;
  if (end > parentEnd) throw malformed(`a field of byte ${cursor.at} ends after its message`);
  return end;
}

export function readVarint(cursor: Cursor): number {
  expectType(cursor, VARINT);
  return varint(cursor);
}

export function readDouble(cursor: Cursor): number {
  expectType(cursor, FIXED64);
  cursor.at += 8;
  return cursor.view.getFloat64(cursor.at - 8, true);
}

const WORD = 2 ** 32;

export function readSigned64(cursor: Cursor): number {
  expectType(cursor, FIXED64);
  cursor.at += 8;
  return cursor.view.getUint32(cursor.at - 8, true) + cursor.view.getInt32(cursor.at - 4, true) * WORD;
}

export function readUnsigned64(cursor: Cursor): number {
  expectType(cursor, FIXED64);
  cursor.at += 8;
  return unsigned64At(cursor.view, cursor.at - 8);
}

export const unsigned64At = (view: DataView, at: number): number =>
  view.getUint32(at, true) + view.getUint32(at + 4, true) * WORD;

export const doubleAt = (view: DataView, at: number): number => view.getFloat64(at, true);

/** Nanoseconds since the epoch as whole milliseconds, cut off; exact, though nanoseconds do not fit a number. */
export function readMilliseconds(cursor: Cursor): number {
  expectType(cursor, FIXED64);
  const low = cursor.view.getUint32(cursor.at, true);
  const high = cursor.view.getUint32(cursor.at + 4, true);
  cursor.at += 8;
  // 2^32 ns = 4,294 ms + 967,296 ns
  return high * 4_294 + Math.floor((high * 967_296 + low) / 1_000_000);
}

/** Numbers that are read one after another, in memory that is used again and again. */
export interface Numbers {
  values: Float64Array;
  length: number;
}

export const createNumbers = (): Numbers => ({ values: new Float64Array(64), length: 0 });

export function pushNumber(numbers: Numbers, value: number): void {
  if (numbers.length === numbers.values.length) {
    const larger = new Float64Array(numbers.length * 2);
    larger.set(numbers.values);
    numbers.values = larger;
  }
  numbers.values[numbers.length] = value;
  numbers.length += 1;
}

/** A repeated 8-byte field, packed or not. */
export function readRepeated64(
  cursor: Cursor,
  parentEnd: number,
  into: Numbers,
  numberAt: (view: DataView, at: number) => number,
): void {
  const end = cursor.type === FIXED64 ? cursor.at + 8 : enter(cursor, parentEnd);
  if ((end - cursor.at) % 8 !== 0) throw malformed(`a packed field at byte ${cursor.at} has half a number`);
  for (; cursor.at < end; cursor.at += 8) pushNumber(into, numberAt(cursor.view, cursor.at));
}

function expectType(cursor: Cursor, type: number): void {
  if (cursor.type !== type)
    throw malformed(`wire type ${cursor.type} at byte ${cursor.at}, expected ${type}`);
}

const MOST_VARINT_BYTES = 10;

function varint(cursor: Cursor): number {
  const { bytes } = cursor;
  const start = cursor.at;
  const first = bytes[start];
  if (first !== undefined && first < 0x80) {
    cursor.at = start + 1;
    return first;
  }
  let value = 0;
  let factor = 1;
  for (let at = start; at < bytes.length && at < start + MOST_VARINT_BYTES; at += 1) {
    const byte = bytes[at]!;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) {
      cursor.at = at + 1;
      return value;
    }
    factor *= 0x80;
  }
  throw malformed(`a number at byte ${start} does not end`);
}
