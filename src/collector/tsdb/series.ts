import type { Labels } from '../../model/labels.ts';
import type { SeriesRef } from '../storage/storage.ts';
import { createColumns, decodeChunk, type SampleColumns, type SealedChunk, seal } from './chunk.ts';
import { OUT_OF_ORDER_WINDOW_MS } from './limits.ts';
import { appendSample, createXorChunk, endXorChunk, type XorChunk } from './xor-chunk.ts';

/** A series in memory: its newest samples, oldest chunk first; older ones may be on disk only. */
export interface MemorySeries {
  readonly ref: SeriesRef;
  readonly labels: Labels;
  /** The bytes of its labels in the table of series; -1 when it is in none. */
  key: number;
  /** Can be found by its labels. */
  listed: boolean;
  sealed: SealedChunk[];
  open: XorChunk | undefined;
  /** Newest sample, on disk or not; -Infinity when there is none. */
  lastT: number;
  /** Everything up to here is on disk and changes no more; -Infinity when nothing is. */
  persistedT: number;
  /** The round of maintenance in which someone last asked for it. */
  touched: number;
  /** Has a row of its own on disk. */
  stored: boolean;
  /** How often a sample went between others: what was worked out from them before no longer holds. */
  rewrites: number;
}

export type AppendOutcome = 'appended' | 'duplicate' | 'rejected';

const CHUNK_SAMPLES = 120;
// Seals the chunks of slow series too, so that nothing waits in the journal for long.
const CHUNK_SPAN_MS = 3_600_000;

export function createSeries(ref: SeriesRef, labels: Labels): MemorySeries {
  return {
    ref,
    labels,
    key: -1,
    listed: false,
    sealed: [],
    open: undefined,
    lastT: Number.NEGATIVE_INFINITY,
    persistedT: Number.NEGATIVE_INFINITY,
    touched: 0,
    stored: false,
    rewrites: 0,
  };
}

/**
 * Takes a sample, its value as two words. A sample not newer than the newest goes to its place when it is within
 * the out-of-order window; the same value again is a duplicate, another value at a time already taken is rejected.
 */
export function appendToSeries(series: MemorySeries, t: number, high: number, low: number): AppendOutcome {
  if (t > series.lastT) {
    appendInOrder(series, t, high, low);
    return 'appended';
  }
  if (t <= series.persistedT || t < series.lastT - OUT_OF_ORDER_WINDOW_MS) {
    return t === series.lastT ? compareNewest(series, high, low) : 'rejected';
  }
  return insert(series, t, high, low);
}

function appendInOrder(series: MemorySeries, t: number, high: number, low: number): void {
  if (series.open !== undefined && isFull(series.open, t)) sealOpen(series);
  series.open ??= createXorChunk();
  appendSample(series.open, t, high, low);
  series.lastT = t;
}

const isFull = (chunk: XorChunk, t: number) =>
  chunk.count >= CHUNK_SAMPLES || t - chunk.minT >= CHUNK_SPAN_MS;

export function sealOpen(series: MemorySeries): void {
  if (series.open === undefined || series.open.count === 0) return;
  series.sealed.push(seal(series.open));
  endXorChunk(series.open);
  series.open = undefined;
}

function sealAndEnd(chunk: XorChunk): SealedChunk {
  const sealed = seal(chunk);
  endXorChunk(chunk);
  return sealed;
}

/** The series leaves memory: its open chunk goes with it. */
export function letGo(series: MemorySeries): void {
  if (series.open !== undefined) endXorChunk(series.open);
}

function compareNewest(series: MemorySeries, high: number, low: number): AppendOutcome {
  const { open } = series;
  if (open === undefined) return 'rejected';
  return open.high >>> 0 === high >>> 0 && open.low >>> 0 === low >>> 0 ? 'duplicate' : 'rejected';
}

/** Puts a sample between others: decodes the chunk it belongs to, and writes it again. */
function insert(series: MemorySeries, t: number, high: number, low: number): AppendOutcome {
  const inOpen = series.open !== undefined && (t >= series.open.minT || series.sealed.length === 0);
  // The newest sealed chunk that starts at or before `t`, or the first: it may grow at either end.
  const at = inOpen
    ? -1
    : Math.max(
        0,
        series.sealed.findLastIndex((chunk) => chunk.minT <= t),
      );
  const chunk = inOpen ? series.open : series.sealed[at];
  if (chunk === undefined) return 'rejected';
  const columns = createColumns(chunk.count);
  decodeChunk(chunk, columns, 0);
  const place = lowerBound(columns.t, t, chunk.count);
  if (place < chunk.count && columns.t[place] === t) {
    const same = columns.words[place * 2] === low >>> 0 && columns.words[place * 2 + 1] === high >>> 0;
    return same ? 'duplicate' : 'rejected';
  }
  const rewritten = rewrite(columns, chunk.count, place, { t, high, low });
  if (!inOpen) series.sealed.splice(at, 1, ...rewritten.map(sealAndEnd));
  else {
    endXorChunk(series.open!);
    series.open = rewritten.pop();
    series.sealed.push(...rewritten.map(sealAndEnd));
  }
  series.rewrites += 1;
  return 'appended';
}

/** The samples with one more at `place`; in two chunks once one would be long, so that each insert stays cheap. */
function rewrite(
  columns: SampleColumns,
  count: number,
  place: number,
  added: { readonly t: number; readonly high: number; readonly low: number },
): XorChunk[] {
  const chunks = [createXorChunk()];
  const put = (t: number, high: number, low: number) => {
    if (count >= CHUNK_SAMPLES * 2 && chunks.at(-1)!.count > count / 2 && chunks.length === 1)
      chunks.push(createXorChunk());
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
export function settleChunks(series: MemorySeries, newestT: number): readonly SealedChunk[] {
  // A series that fell silent is settled as a whole.
  if (isSilent(series, newestT)) sealOpen(series);
  const settled =
    series.open === undefined
      ? [...series.sealed]
      : series.sealed.filter((chunk) => chunk.maxT < series.lastT - OUT_OF_ORDER_WINDOW_MS);
  if (settled.length > 0) series.persistedT = Math.max(series.persistedT, settled.at(-1)!.maxT);
  return settled;
}

export const isSilent = (series: MemorySeries, newestT: number) => newestT - series.lastT >= CHUNK_SPAN_MS;

/** Lets go of chunks that are now on disk. */
export function releaseChunks(series: MemorySeries, chunks: readonly SealedChunk[]): void {
  if (chunks.length > 0) series.sealed = series.sealed.filter((chunk) => !chunks.includes(chunk));
}

/** Oldest sample that is in memory only; Infinity when there is none. */
export const oldestInMemory = (series: MemorySeries) =>
  series.sealed[0]?.minT ?? series.open?.minT ?? Number.POSITIVE_INFINITY;

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
