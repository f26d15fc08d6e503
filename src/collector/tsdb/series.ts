import type { Labels } from '../../model/labels.ts';
import type { SeriesRef } from '../storage/storage.ts';
import type { ByteBlocks } from './byte-blocks.ts';
import { decodeChunk, seal } from './chunk.ts';
import { OUT_OF_ORDER_WINDOW_MS } from './limits.ts';
import { createColumns, type SampleColumns } from './sample-columns.ts';
import type { SealedChunk } from './sealed-chunk.ts';
import { openChunk, putDown, type SeriesColumns, takeUp } from './series-columns.ts';
import { appendSample, beginXorChunk, createXorChunk, endXorChunk, type XorChunk } from './xor-chunk.ts';

/**
 * A series in memory, as it is whenever it is looked at: its newest samples; older ones may be on disk only. Once it has
 * left memory all of it is on disk, and nothing is told of its samples here.
 */
export interface MemorySeries {
  readonly ref: SeriesRef;
  /** No other series of the store, and not this one when it comes back, has the same. */
  readonly birth: number;
  readonly labels: Labels;
  /** Newest sample, on disk or not; -Infinity when there is none. */
  readonly lastT: number;
  /** Everything up to here is on disk and changes no more; -Infinity when nothing is. */
  readonly persistedT: number;
  /** How often a sample went between others; another number once the series has left memory. */
  readonly rewrites: number;
  /** Oldest sample that is in memory only; Infinity when there is none. */
  readonly oldestT: number;
  /** Oldest first. */
  readonly sealed: readonly SealedChunk[];
  /** A copy of the chunk that takes the next sample. */
  readonly open: SealedChunk | undefined;
  /** The first time of that chunk and the number of its samples; NaN and 0 when there is none. */
  readonly openT: number;
  readonly openCount: number;
  /** Decodes the samples of that chunk to `out`, from entry `at` on, where there is room for `openCount`. */
  decodeOpen(out: SampleColumns, at: number): void;
  /** The words of its last value. */
  readonly lastHigh: number;
  readonly lastLow: number;
}

export type AppendOutcome = 'appended' | 'duplicate' | 'rejected';

const CHUNK_SAMPLES = 120;
// Seals the chunks of slow series too, so that nothing waits in the journal for long.
const CHUNK_SPAN_MS = 3_600_000;
const NO_CHUNKS: readonly SealedChunk[] = [];

/**
 * Takes a sample, its value as two words. A sample not newer than the newest goes to its place when it is within
 * the out-of-order window; the same value again is a duplicate, another value at a time already taken is rejected.
 */
export function appendToSeries(
  columns: SeriesColumns,
  row: number,
  t: number,
  high: number,
  low: number,
): AppendOutcome {
  const lastT = columns.lastT[row]!;
  if (t > lastT) {
    appendInOrder(columns, row, t, high, low);
    return 'appended';
  }
  if (t <= columns.persistedT[row]! || t < lastT - OUT_OF_ORDER_WINDOW_MS) {
    return t === lastT ? compareNewest(columns, row, high, low) : 'rejected';
  }
  return insert(columns, row, t, high, low);
}

function appendInOrder(columns: SeriesColumns, row: number, t: number, high: number, low: number): void {
  const count = columns.counts[row]!;
  if (count > 0 && (count >= CHUNK_SAMPLES || t - columns.minT[row]! >= CHUNK_SPAN_MS))
    sealOpen(columns, row);
  const { pen } = columns;
  if (columns.counts[row] === 0) beginXorChunk(pen);
  else takeUp(columns, row);
  appendSample(pen, t, high, low);
  putDown(columns, row, pen);
  columns.lastT[row] = t;
}

const sealedOf = (columns: SeriesColumns, row: number) => columns.sealed.get(row) ?? NO_CHUNKS;

function addSealed(columns: SeriesColumns, row: number, ...chunks: SealedChunk[]): void {
  if (chunks.length > 0) columns.sealed.set(row, [...sealedOf(columns, row), ...chunks]);
}

function sealOpen(columns: SeriesColumns, row: number): void {
  if (columns.counts[row] === 0) return;
  addSealed(columns, row, sealAndEnd(takeUp(columns, row)));
  columns.counts[row] = 0;
}

function sealAndEnd(chunk: XorChunk): SealedChunk {
  const sealed = seal(chunk);
  endXorChunk(chunk);
  return sealed;
}

/** The series leaves memory: its chunks go with it. */
export function letGo(columns: SeriesColumns, row: number): void {
  if (columns.counts[row]! > 0) endXorChunk(takeUp(columns, row));
  columns.counts[row] = 0;
  columns.sealed.delete(row);
}

function compareNewest(columns: SeriesColumns, row: number, high: number, low: number): AppendOutcome {
  if (columns.counts[row] === 0) return 'rejected';
  return columns.highs[row] === high >>> 0 && columns.lows[row] === low >>> 0 ? 'duplicate' : 'rejected';
}

/** Puts a sample between others: decodes the chunk it belongs to, and writes it again. */
function insert(columns: SeriesColumns, row: number, t: number, high: number, low: number): AppendOutcome {
  const sealed = sealedOf(columns, row);
  const inOpen = columns.counts[row]! > 0 && (t >= columns.minT[row]! || sealed.length === 0);
  // The newest sealed chunk that starts at or before `t`, or the first: it may grow at either end.
  const at = inOpen
    ? -1
    : Math.max(
        0,
        sealed.findLastIndex((chunk) => chunk.minT <= t),
      );
  const chunk = inOpen ? takeUp(columns, row) : sealed[at];
  if (chunk === undefined) return 'rejected';
  const { count } = chunk;
  const samples = createColumns(count);
  decodeChunk(chunk, samples, 0);
  const place = lowerBound(samples.t, t, count);
  if (place < count && samples.t[place] === t) {
    const same = samples.words[place * 2] === low >>> 0 && samples.words[place * 2 + 1] === high >>> 0;
    return same ? 'duplicate' : 'rejected';
  }
  const rewritten = rewrite(columns.blocks, samples, count, place, { t, high, low });
  if (!inOpen) columns.sealed.set(row, sealed.toSpliced(at, 1, ...rewritten.map(sealAndEnd)));
  else {
    endXorChunk(columns.pen);
    putDown(columns, row, rewritten.pop()!);
    addSealed(columns, row, ...rewritten.map(sealAndEnd));
  }
  columns.rewrites[row]! += 1;
  return 'appended';
}

/** The samples with one more at `place`; in two chunks once one would be long, so that each insert stays cheap. */
function rewrite(
  blocks: ByteBlocks,
  columns: SampleColumns,
  count: number,
  place: number,
  added: { readonly t: number; readonly high: number; readonly low: number },
): XorChunk[] {
  const chunks = [createXorChunk(blocks)];
  const put = (t: number, high: number, low: number) => {
    if (count >= CHUNK_SAMPLES * 2 && chunks.at(-1)!.count > count / 2 && chunks.length === 1)
      chunks.push(createXorChunk(blocks));
    appendSample(chunks.at(-1)!, t, high, low);
  };
  for (let i = 0; i <= count; i += 1) {
    if (i === place) put(added.t, added.high, added.low);
    if (i < count) put(columns.t[i]!, columns.words[i * 2 + 1]!, columns.words[i * 2]!);
  }
  return chunks;
}

/**
 * Takes leave of the chunks that may go to disk: no sample can change them from now on. `newestT` is the newest
 * sample of the store. Answers them oldest first; they stay in memory until `releaseChunks`.
 */
export function settleChunks(columns: SeriesColumns, row: number, newestT: number): readonly SealedChunk[] {
  // A series that fell silent is settled as a whole.
  if (isSilent(columns, row, newestT)) sealOpen(columns, row);
  const sealed = sealedOf(columns, row);
  if (sealed.length === 0) return sealed;
  const lateT = columns.lastT[row]! - OUT_OF_ORDER_WINDOW_MS;
  const settled = columns.counts[row] === 0 ? sealed : sealed.filter((chunk) => chunk.maxT < lateT);
  if (settled.length > 0) columns.persistedT[row] = Math.max(columns.persistedT[row]!, settled.at(-1)!.maxT);
  return settled;
}

export const isSilent = (columns: SeriesColumns, row: number, newestT: number) =>
  newestT - columns.lastT[row]! >= CHUNK_SPAN_MS;

/** Lets go of chunks that are now on disk. */
export function releaseChunks(columns: SeriesColumns, row: number, chunks: readonly SealedChunk[]): void {
  const left = sealedOf(columns, row).filter((chunk) => !chunks.includes(chunk));
  if (left.length === 0) columns.sealed.delete(row);
  else columns.sealed.set(row, left);
}

/** Oldest sample that is in memory only, the first `passed` sealed chunks left out; Infinity when there is none. */
export function oldestInMemory(columns: SeriesColumns, row: number, passed = 0): number {
  const chunk = columns.sealed.get(row)?.[passed];
  if (chunk !== undefined) return chunk.minT;
  return columns.counts[row] === 0 ? Number.POSITIVE_INFINITY : columns.minT[row]!;
}

export const hasSamples = (columns: SeriesColumns, row: number) =>
  columns.lastT[row] !== Number.NEGATIVE_INFINITY;

/** What a reader sees of the series that has the row now. */
export function seriesAt(
  columns: SeriesColumns,
  row: number,
  labelsOf: (row: number) => Labels,
): MemorySeries {
  return new SeriesAtRow(columns, row, labelsOf(row));
}

// Made for each series of each selection: getters of a literal would be functions of their own each time.
class SeriesAtRow implements MemorySeries {
  readonly ref: SeriesRef;
  readonly birth: number;
  readonly labels: Labels;
  readonly #columns: SeriesColumns;
  readonly #row: number;

  constructor(columns: SeriesColumns, row: number, labels: Labels) {
    this.ref = columns.refs[row]!;
    this.birth = columns.births[row]!;
    this.labels = labels;
    this.#columns = columns;
    this.#row = row;
  }

  get #isHere() {
    return this.#columns.births[this.#row] === this.birth;
  }
  get lastT() {
    return this.#isHere ? this.#columns.lastT[this.#row]! : Number.NEGATIVE_INFINITY;
  }
  get persistedT() {
    return this.#isHere ? this.#columns.persistedT[this.#row]! : Number.POSITIVE_INFINITY;
  }
  get rewrites() {
    return this.#isHere ? this.#columns.rewrites[this.#row]! : -1;
  }
  get oldestT() {
    return this.#isHere ? oldestInMemory(this.#columns, this.#row) : Number.POSITIVE_INFINITY;
  }
  get sealed() {
    return this.#isHere ? sealedOf(this.#columns, this.#row) : NO_CHUNKS;
  }
  get open() {
    return this.#isHere ? openChunk(this.#columns, this.#row) : undefined;
  }
  decodeOpen(out: SampleColumns, at: number) {
    if (this.openCount === 0) return;
    const chunk = takeUp(this.#columns, this.#row);
    decodeChunk(chunk, out, at);
  }
  get openT() {
    // A chunk that was sealed leaves its own behind in the column.
    return this.openCount === 0 ? Number.NaN : this.#columns.minT[this.#row]!;
  }
  get openCount() {
    return this.#isHere ? this.#columns.counts[this.#row]! : 0;
  }
  get lastHigh() {
    return this.#columns.highs[this.#row]!;
  }
  get lastLow() {
    return this.#columns.lows[this.#row]!;
  }
}

/** First index whose `t` is at least `wanted`, among the first `length`. */
export function lowerBound(t: Float64Array, wanted: number, length: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (t[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
