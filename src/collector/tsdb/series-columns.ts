import type { SeriesRef } from '../storage/storage.ts';
import { type ByteBlocks, startOf } from './byte-blocks.ts';
import type { SealedChunk } from './sealed-chunk.ts';
import { grown } from './typed-columns.ts';
import { createXorChunk, type XorChunk, xorBytes } from './xor-chunk.ts';

/**
 * The series in memory: each is a row, and what is known of it stands in columns, so that one costs no object. The row
 * of a series that left is given to another once nobody can mistake the two.
 */
export interface SeriesColumns {
  readonly blocks: ByteBlocks;
  /** Rows below this one may be in use. */
  length: number;
  /** The newest of all births. */
  lastBirth: number;
  /** The row with which columns grow next. */
  growAt: number;
  refs: Float64Array;
  /** The how-manieth series of all it is that has the row; 0 when none has. */
  births: Uint32Array;
  /** Newest sample, on disk or not; -Infinity when there is none. */
  lastT: Float64Array;
  /** Everything up to here is on disk and changes no more; -Infinity when nothing is. */
  persistedT: Float64Array;
  /** The round of maintenance in which someone last asked for it. */
  touched: Uint32Array;
  /** 1: has a row of its own on disk. */
  stored: Uint8Array;
  /** 1: can be found by its labels. */
  listed: Uint8Array;
  /** How often a sample went between others: what was worked out from them before no longer holds. */
  rewrites: Uint32Array;
  /** A block with the numbers of its labels, and how many those are. */
  labelBlocks: Uint32Array;
  labelCounts: Uint16Array;
  /** The number of its label `__name__`; -1 without one. */
  names: Int32Array;
  /** The row that was asked for after it the last time. */
  followers: Uint32Array;
  /** Samples in its open chunk; 0 when there is none, and what follows does not count. */
  counts: Uint16Array;
  minT: Float64Array;
  chunkBlocks: Uint32Array;
  rooms: Uint16Array;
  bits: Uint16Array;
  deltas: Float64Array;
  highs: Uint32Array;
  lows: Uint32Array;
  leading: Uint8Array;
  trailing: Uint8Array;
  /** Chunks that wait for the disk, oldest first; most series have none. */
  readonly sealed: Map<number, readonly SealedChunk[]>;
  /** The open chunk that is written to just now. */
  readonly pen: XorChunk;
}

const FIRST_ROWS = 64;
const LONG_ROWS = 16_384;

export function createSeriesColumns(blocks: ByteBlocks): SeriesColumns {
  const floats = () => new Float64Array(FIRST_ROWS);
  const words = () => new Uint32Array(FIRST_ROWS);
  const shorts = () => new Uint16Array(FIRST_ROWS);
  const bytes = () => new Uint8Array(FIRST_ROWS);
  return {
    blocks,
    length: 0,
    lastBirth: 0,
    growAt: FIRST_ROWS,
    refs: floats(),
    births: words(),
    lastT: floats(),
    persistedT: floats(),
    touched: words(),
    stored: bytes(),
    listed: bytes(),
    rewrites: words(),
    labelBlocks: words(),
    labelCounts: shorts(),
    names: new Int32Array(FIRST_ROWS),
    followers: words(),
    counts: shorts(),
    minT: floats(),
    chunkBlocks: words(),
    rooms: shorts(),
    bits: shorts(),
    deltas: floats(),
    highs: words(),
    lows: words(),
    leading: bytes(),
    trailing: bytes(),
    sealed: new Map(),
    pen: createXorChunk(blocks),
  };
}

/** Makes `row`, which nobody has, the row of a series without samples and labels. */
export function beginRow(columns: SeriesColumns, row: number, ref: SeriesRef): void {
  if (row >= columns.growAt) growSome(columns, row);
  columns.length = Math.max(columns.length, row + 1);
  columns.refs[row] = ref;
  columns.lastBirth += 1;
  columns.births[row] = columns.lastBirth;
  columns.lastT[row] = Number.NEGATIVE_INFINITY;
  columns.persistedT[row] = Number.NEGATIVE_INFINITY;
  columns.touched[row] = 0;
  columns.stored[row] = 0;
  columns.listed[row] = 0;
  columns.rewrites[row] = 0;
  columns.labelCounts[row] = 0;
  columns.names[row] = -1;
  columns.followers[row] = row;
  columns.counts[row] = 0;
}

/**
 * Makes room for more rows than `row`: of short columns at once, of long ones one at a time, soon enough that all are done
 * before the room is needed, as all together would hold everybody up.
 */
function growSome(columns: SeriesColumns, row: number): void {
  const all = Object.entries(columns).filter(([, column]) => ArrayBuffer.isView(column));
  const shortest = Math.min(...all.map(([, column]) => column.length));
  const due = all.filter(([, column]) => column.length === shortest);
  const grow = shortest < LONG_ROWS ? due : due.slice(0, 1);
  for (const [name, column] of grow) Object.assign(columns, { [name]: grown(column) });
  const left = due.length - grow.length;
  const room = left > 0 ? shortest : shortest * 2;
  if (room < LONG_ROWS) columns.growAt = room;
  else if (left > 0) columns.growAt = row + 1 + Math.floor((room - row - 1) / (left + 1));
  else columns.growAt = room - room / 4;
}

/** Puts the open chunk of `row`, which has one, under the pen. */
export function takeUp(columns: SeriesColumns, row: number): XorChunk {
  const { pen, blocks } = columns;
  const block = columns.chunkBlocks[row]!;
  pen.page = blocks.page(block);
  pen.start = startOf(block);
  pen.block = block;
  pen.room = columns.rooms[row]!;
  pen.bits = columns.bits[row]!;
  pen.count = columns.counts[row]!;
  pen.minT = columns.minT[row]!;
  pen.maxT = columns.lastT[row]!;
  pen.delta = columns.deltas[row]!;
  pen.high = columns.highs[row]!;
  pen.low = columns.lows[row]!;
  pen.leading = columns.leading[row]!;
  pen.trailing = columns.trailing[row]!;
  return pen;
}

/** Makes `chunk` the open chunk of `row`. */
export function putDown(columns: SeriesColumns, row: number, chunk: XorChunk): void {
  columns.chunkBlocks[row] = chunk.block;
  columns.rooms[row] = chunk.room;
  columns.bits[row] = chunk.bits;
  columns.counts[row] = chunk.count;
  columns.minT[row] = chunk.minT;
  columns.deltas[row] = chunk.delta;
  columns.highs[row] = chunk.high;
  columns.lows[row] = chunk.low;
  columns.leading[row] = chunk.leading;
  columns.trailing[row] = chunk.trailing;
}

/** The open chunk as it is now, in a copy; undefined when there is none. */
export function openChunk(columns: SeriesColumns, row: number): SealedChunk | undefined {
  if (columns.counts[row] === 0) return undefined;
  const { encoding, minT, maxT, count } = takeUp(columns, row);
  return { encoding, minT, maxT, count, bytes: xorBytes(columns.pen).slice() };
}
