import { createSummary, isUsable, type RangeSummary } from '../storage/range-summary.ts';
import type { SeriesRef } from '../storage/storage.ts';
import { addChunk, liveSamples, summaryOf } from './chunk-summary.ts';
import type { SampleColumns } from './sample-columns.ts';
import type { SealedChunk } from './sealed-chunk.ts';
import { lowerBound, type MemorySeries } from './series.ts';

/** A row of chunks on disk, its chunks not read; no summary where none was made yet. */
export interface SummaryRow {
  readonly minT: number;
  readonly maxT: number;
  readonly summary: RangeSummary | undefined;
}

export interface DiskRows {
  /** Rows that overlap the bounds and start before `beforeT`, oldest first. */
  rows(ref: SeriesRef, minT: number, maxT: number, beforeT: number): readonly SummaryRow[];
  /** Chunks that overlap the bounds and start before `beforeT`, oldest first. */
  chunks(ref: SeriesRef, minT: number, maxT: number, beforeT: number): readonly SealedChunk[];
  /** The summary of a row that had none. */
  found(ref: SeriesRef, row: SummaryRow, summary: RangeSummary): void;
}

/** Is told what lies within the bounds of a walk, oldest first, stale markers left out. */
export interface RangeSink {
  /**
   * Entries `from` to `to` - 1, at least one, of the columns of `chunk`, which are valid during the call only. `endT` is
   * the end of what they are kept in; an open chunk takes more samples.
   */
  samples(
    columns: SampleColumns,
    from: number,
    to: number,
    endT: number,
    chunk: SealedChunk,
    isOpen: boolean,
  ): void;
  summary(part: RangeSummary): void;
}

/** A series to walk over: one in memory, or one that is on disk only. */
export interface WalkedSeries {
  readonly ref: SeriesRef;
  readonly memory: MemorySeries | undefined;
}

/**
 * Goes over the samples with minT <= t <= maxT. What lies wholly within is told by its summary, but for the first
 * stretch, or for anything, where `samples` says so; the rest is decoded.
 */
export function walkRange(
  { ref, memory }: WalkedSeries,
  disk: DiskRows,
  minT: number,
  maxT: number,
  sink: RangeSink,
  samples: 'at the ends' | 'first' | 'all' = 'at the ends',
): void {
  let decodeNext = samples !== 'at the ends';

  const decode = (chunk: SealedChunk, endT: number, isOpen = false) => {
    const columns = liveSamples(chunk);
    const from = chunk.minT >= minT ? 0 : lowerBound(columns.t, minT, columns.length);
    const to = chunk.maxT <= maxT ? columns.length : lowerBound(columns.t, maxT + 1, columns.length);
    if (from >= to) return;
    decodeNext = samples === 'all';
    sink.samples(columns, from, to, endT, chunk, isOpen);
  };

  const isWithin = (part: { readonly minT: number; readonly maxT: number }) =>
    part.minT >= minT && part.maxT <= maxT;

  const ofRow = (row: SummaryRow) => {
    const summary = createSummary();
    for (const one of disk.chunks(ref, row.minT, row.maxT, Number.POSITIVE_INFINITY)) addChunk(summary, one);
    disk.found(ref, row, summary);
    return summary;
  };

  const inMemory = (one: SealedChunk, isOpen: boolean) => {
    if (one.maxT < minT || one.minT > maxT) return;
    if (!isOpen && isWithin(one) && !decodeNext) sink.summary(summaryOf(one));
    else decode(one, one.maxT, isOpen);
  };

  const beforeT = memory?.oldestT ?? Number.POSITIVE_INFINITY;
  if (memory === undefined || memory.persistedT >= minT) {
    for (const row of disk.rows(ref, minT, maxT, beforeT)) {
      // A row of which the end is still in memory, after it was written, is told by what is in memory.
      const isWhole = isWithin(row) && row.maxT < beforeT && !decodeNext;
      const summary = isWhole ? (row.summary ?? ofRow(row)) : undefined;
      if (summary !== undefined && isUsable(summary)) {
        sink.summary(summary);
        continue;
      }
      const chunks = disk.chunks(ref, Math.max(minT, row.minT), Math.min(maxT, row.maxT), beforeT);
      for (const one of chunks) decode(one, row.maxT);
    }
  }
  if (memory === undefined) return;
  for (const one of memory.sealed) inMemory(one, false);
  if (memory.openCount === 0 || memory.openT > maxT || memory.lastT < minT) return;
  const { open } = memory;
  if (open !== undefined) inMemory(open, true);
}
