import type { Labels } from '../../model/labels.ts';
import type { Matcher } from '../../model/matcher.ts';
import type { Samples } from '../../model/sample.ts';
import { compileMatcher, type LabelMatcher } from '../storage/label-matcher.ts';
import type { Querier, SeriesRef, StoredSeries } from '../storage/storage.ts';
import type { Head } from './head.ts';
import { createColumns, lowerBound, type MemorySeries, oldestInMemory } from './series.ts';
import { decodeChunk, type SampleColumns, type SealedChunk, type XorChunk } from './xor-chunk.ts';

/** The part of a store that is on disk, as a querier reads it; a memory store has none. */
export interface DiskReads {
  /** Chunks that overlap the bounds and start before `beforeT`, oldest first. */
  chunks(ref: SeriesRef, minT: number, maxT: number, beforeT: number): readonly SealedChunk[];
  selectDropped(
    matchers: readonly LabelMatcher[],
    minT: number,
    maxT: number,
  ): Iterable<{ readonly ref: SeriesRef; readonly labels: Labels }>;
}

export function createQuerier(head: Head, disk: DiskReads): Querier {
  function* select(matchers: readonly Matcher[], minT: number, maxT: number): Iterable<StoredSeries> {
    const compiled = matchers.map(compileMatcher);
    for (const series of head.select(compiled))
      if (series.lastT >= minT)
        yield storedSeries(series.labels, (from, to) => chunksOf(series, disk, from, to));
    for (const { ref, labels } of disk.selectDropped(compiled, minT, maxT))
      yield storedSeries(labels, (from, to) => disk.chunks(ref, from, to, Number.POSITIVE_INFINITY));
  }
  return {
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

function storedSeries(
  labels: Labels,
  chunks: (minT: number, maxT: number) => readonly Chunk[],
): StoredSeries {
  let columns: SampleColumns = createColumns(0);
  return {
    labels,
    samples(minT, maxT) {
      const found = chunks(minT, maxT);
      const count = found.reduce((sum, chunk) => sum + chunk.count, 0);
      if (columns.t.length < count) columns = createColumns(count);
      let at = 0;
      for (const chunk of found) {
        decodeChunk(chunk, columns, at);
        at += chunk.count;
      }
      return between(columns, count, minT, maxT);
    },
  };
}

function between(columns: SampleColumns, count: number, minT: number, maxT: number): Samples {
  const start = lowerBound(columns.t, minT, count);
  const end = lowerBound(columns.t, maxT + 1, count);
  return { t: columns.t.subarray(start, end), v: columns.v.subarray(start, end), length: end - start };
}
