/** LEB128 for whole numbers up to 2^53, of which bit operations see only 32 bits. */
export interface ByteWriter {
  bytes: Uint8Array;
  at: number;
}

const LONGEST_VARINT = 8;

/** Makes room for `count` more bytes. */
export function reserve(writer: ByteWriter, count: number): void {
  if (writer.at + count <= writer.bytes.length) return;
  const bytes = new Uint8Array(Math.max(writer.bytes.length * 2, writer.at + count));
  bytes.set(writer.bytes);
  writer.bytes = bytes;
}

export function writeVarint(writer: ByteWriter, value: number): void {
  reserve(writer, LONGEST_VARINT);
  let rest = value;
  while (rest >= 0x80) {
    writer.bytes[writer.at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  writer.bytes[writer.at++] = rest;
}

/** Small numbers of either sign stay short: 0, -1, 1, -2, … are 0, 1, 2, 3, … */
export const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);

export interface ByteReader {
  readonly bytes: Uint8Array;
  at: number;
}

export function readVarint(reader: ByteReader): number {
  const { bytes } = reader;
  let byte = bytes[reader.at++]!;
  let value = byte & 0x7f;
  for (let scale = 0x80; byte >= 0x80; scale *= 0x80) {
    byte = bytes[reader.at++]!;
    value += (byte & 0x7f) * scale;
  }
  return value;
}
