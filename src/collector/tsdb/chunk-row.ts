import type { ChunkEncoding, SealedChunk } from './sealed-chunk.ts';
import { type ByteReader, type ByteWriter, readVarint, reserve, writeVarint } from './varint.ts';

/**
 * Several chunks of a series in one row of the chunk table, so that a query over a long range reads few rows. Each
 * is a frame: its encoding (a byte), count, first time (since the end of the frame before, the row's first since
 * the row's `min_t`), length in milliseconds, number of bytes (varints), and its bytes.
 */
export interface ChunkRow {
  readonly minT: number;
  readonly maxT: number;
  readonly body: Uint8Array;
}

/** Two overflow pages of SQLite and what it keeps beside them: a row this long wastes none of its pages. */
const LONGEST_ROW_BYTES = 9_000;

/** `row` with a chunk more, or a new row when there is none or no room. The chunk is later than all of the row. */
export function addToRow(row: ChunkRow | undefined, chunk: SealedChunk): ChunkRow {
  if (row === undefined || row.body.length + chunk.bytes.length > LONGEST_ROW_BYTES) {
    return addFrame({ minT: chunk.minT, maxT: chunk.minT, body: new Uint8Array(0) }, chunk);
  }
  return addFrame(row, chunk);
}

const HEADER_BYTES = 40;

function addFrame({ minT, maxT, body }: ChunkRow, chunk: SealedChunk): ChunkRow {
  const writer: ByteWriter = {
    bytes: new Uint8Array(body.length + HEADER_BYTES + chunk.bytes.length),
    at: body.length,
  };
  writer.bytes.set(body);
  writer.bytes[writer.at++] = chunk.encoding;
  for (const value of [chunk.count, chunk.minT - maxT, chunk.maxT - chunk.minT, chunk.bytes.length])
    writeVarint(writer, value);
  reserve(writer, chunk.bytes.length);
  writer.bytes.set(chunk.bytes, writer.at);
  return { minT, maxT: chunk.maxT, body: writer.bytes.subarray(0, writer.at + chunk.bytes.length) };
}

/** The chunks of a row, oldest first; their bytes are views of the row's. */
export function* chunksOfRow({ minT, body }: ChunkRow): Generator<SealedChunk> {
  const reader: ByteReader = { bytes: body, at: 0 };
  let before = minT;
  while (reader.at < body.length) {
    const encoding = body[reader.at++] as ChunkEncoding;
    const count = readVarint(reader);
    const first = before + readVarint(reader);
    const last = first + readVarint(reader);
    const length = readVarint(reader);
    const bytes = body.subarray(reader.at, reader.at + length);
    reader.at += length;
    before = last;
    yield { encoding, minT: first, maxT: last, count, bytes };
  }
}
