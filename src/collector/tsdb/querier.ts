import type { Labels } from '../../model/labels.ts';
import type { Matcher } from '../../model/matcher.ts';
import type { Samples } from '../../model/sample.ts';
import { compileMatcher, type LabelMatcher } from '../storage/label-matcher.ts';
import type { Querier, SeriesRef, StoredSeries } from '../storage/storage.ts';
import { createColumns, decodeChunk, type SampleColumns, type SealedChunk } from './chunk.ts';
import type { Head } from './head.ts';
import { lowerBound, type MemorySeries, oldestInMemory } from './series.ts';
import type { XorChunk } from './xor-chunk.ts';

/** The part of a store that is on disk, as a querier reads it; a memory store has none. */
export interface DiskReads {
  /** Chunks that overlap the bounds and start before `beforeT`, oldest first. */
  chunks(ref: SeriesRef, minT: number, maxT: number, beforeT: number): readonly SealedChunk[];
  /** Yields `undefined` now and then while it looks. */
  selectDropped(
    matchers: readonly LabelMatcher[],
    minT: number,
    maxT: number,
  ): Iterable<{ readonly ref: SeriesRef; readonly labels: Labels } | undefined>;
}

export function createQuerier(head: Head, disk: DiskReads): Querier {
  function* search(
    matchers: readonly Matcher[],
    minT: number,
    maxT: number,
  ): Iterable<StoredSeries | undefined> {
    const compiled = matchers.map(compileMatcher);
    const read = createReader();
    for (const series of head.select(compiled)) {
      if (series === undefined || series.lastT < minT) yield undefined;
      else yield storedSeries(series.labels, (from, to) => chunksOf(series, disk, from, to), read);
    }
    for (const dropped of disk.selectDropped(compiled, minT, maxT)) {
      if (dropped === undefined) yield undefined;
      else yield storedSeries(dropped.labels, (from, to) => ofDropped(dropped.ref, from, to), read);
    }
  }

  const ofDropped = (ref: SeriesRef, minT: number, maxT: number) =>
    disk.chunks(ref, minT, maxT, Number.POSITIVE_INFINITY);

  function* select(matchers: readonly Matcher[], minT: number, maxT: number): Iterable<StoredSeries> {
    for (const series of search(matchers, minT, maxT)) if (series !== undefined) yield series;
  }
  return {
    search,
    select,
    labelNames(matchers, minT, maxT) {
      const names = new Set<string>();
      for (const { labels } of select(matchers, minT, maxT)) for (const [name] of labels) names.add(name);
      return [...names].sort();
    },
    labelValues(name, matchers, minT, maxT) {
      const values = new Set<string>();
      for (const { labels } of select(matchers, minT, maxT))
        for (const label of labels) if (label[0] === name) values.add(label[1]);
      return [...values].sort();
    },
  };
}

type Chunk = SealedChunk | XorChunk;

function chunksOf(series: MemorySeries, disk: DiskReads, minT: number, maxT: number): readonly Chunk[] {
  const chunks: Chunk[] = [];
  if (series.persistedT >= minT) chunks.push(...disk.chunks(series.ref, minT, maxT, oldestInMemory(series)));
  for (const chunk of series.sealed) if (chunk.maxT >= minT && chunk.minT <= maxT) chunks.push(chunk);
  const { open } = series;
  if (open !== undefined && open.maxT >= minT && open.minT <= maxT) chunks.push(open);
  return chunks;
}

/** Decodes chunks one after another, giving the thread up between them where the caller wants; see `StoredSeries`. */
type Read = (chunks: readonly Chunk[], minT: number, maxT: number) => Generator<undefined, Samples>;

/** All series of a selection are decoded to the same columns, one at a time. */
function createReader(): Read {
  let columns: SampleColumns = createColumns(0);
  return function* read(chunks, minT, maxT) {
    const room = chunks.reduce((sum, chunk) => sum + chunk.count, 0);
    if (columns.t.length < room) columns = createColumns(room);
    // The newest first: it may be open, and grow once the thread is given up.
    let at = room;
    for (const chunk of chunks.toReversed()) {
      at -= chunk.count;
      decodeChunk(chunk, columns, at);
      yield undefined;
    }
    const start = lowerBound(columns.t, minT, room);
    const end = lowerBound(columns.t, maxT + 1, room);
    return { t: columns.t.subarray(start, end), v: columns.v.subarray(start, end), length: end - start };
  };
}

function storedSeries(
  labels: Labels,
  chunks: (minT: number, maxT: number) => readonly Chunk[],
  read: Read,
): StoredSeries {
  const reading = (minT: number, maxT: number) => read(chunks(minT, maxT), minT, maxT);
  return {
    labels,
    reading,
    samples(minT, maxT) {
      const steps = reading(minT, maxT);
      for (;;) {
        const { done, value } = steps.next();
        if (done) return value;
      }
    },
  };
}
