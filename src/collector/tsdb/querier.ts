import type { Labels } from '../../model/labels.ts';
import type { Matcher } from '../../model/matcher.ts';
import type { Samples } from '../../model/sample.ts';
import { compileMatcher, type LabelMatcher } from '../storage/label-matcher.ts';
import { addSamples, addSummary, clearSummary, createSummary } from '../storage/range-summary.ts';
import type { MovingSeries, MovingWindows, Querier, SeriesRef, StoredSeries } from '../storage/storage.ts';
import { createColumns, decodeChunk, type SampleColumns, type SealedChunk } from './chunk.ts';
import type { Head } from './head.ts';
import { createMovingWindow } from './moving-window.ts';
import { type DiskRows, type RangeSink, type WalkedSeries, walkRange } from './range-walk.ts';
import { createRecentSamples } from './recent-samples.ts';
import { lowerBound, type MemorySeries } from './series.ts';

/** The part of a store that is on disk, as a querier reads it; a memory store has none. */
export interface DiskReads extends DiskRows {
  /** Yields `undefined` now and then while it looks. */
  selectDropped(
    matchers: readonly LabelMatcher[],
    minT: number,
    maxT: number,
  ): Iterable<{ readonly ref: SeriesRef; readonly labels: Labels } | undefined>;
  /** Whatever ended before this time is gone. */
  removedBefore(): number;
}

export function createQuerier(head: Head, disk: DiskReads): Querier {
  const recent = createRecentSamples();
  function* search(
    matchers: readonly Matcher[],
    minT: number,
    maxT: number,
  ): Iterable<StoredSeries | undefined> {
    const compiled = matchers.map(compileMatcher);
    const read = createReader();
    for (const series of head.select(compiled)) {
      if (series === undefined || !mayHaveSamples(series, minT, maxT)) yield undefined;
      else yield inMemory(series, read);
    }
    for (const dropped of disk.selectDropped(compiled, minT, maxT))
      yield dropped === undefined ? undefined : onDisk(dropped.ref, dropped.labels, read);
  }

  const inMemory = (series: MemorySeries, read: Read) =>
    storedSeries(
      { ref: series.ref, memory: series },
      series.labels,
      (from, to) => chunksOf(series, disk, from, to),
      read,
      disk,
    );

  const onDisk = (ref: SeriesRef, labels: Labels, read: Read) => {
    const chunks = (minT: number, maxT: number) => disk.chunks(ref, minT, maxT, Number.POSITIVE_INFINITY);
    return storedSeries({ ref, memory: undefined }, labels, chunks, read, disk);
  };

  const windows = (matchers: readonly Matcher[], rangeMs: number): MovingWindows => {
    const compiled = matchers.map(compileMatcher);
    const read = createReader();
    let known = new Map<SeriesRef, { readonly birth: number | undefined; readonly one: MovingSeries }>();

    const moving = (series: WalkedSeries, stored: StoredSeries): MovingSeries => {
      const window = createMovingWindow({ series, disk, recent, rangeMs, removedBefore: disk.removedBefore });
      return { ...stored, summaryUntil: window.summaryUntil };
    };

    return {
      get generation() {
        return head.generation;
      },
      *search(endT) {
        const before = known;
        known = new Map();
        const keep = (ref: SeriesRef, memory: MemorySeries | undefined, make: () => StoredSeries) => {
          const found = before.get(ref);
          const birth = memory?.birth;
          const one =
            found !== undefined && found.birth === birth ? found.one : moving({ ref, memory }, make());
          known.set(ref, { birth, one });
          return one;
        };
        for (const series of head.select(compiled)) {
          if (series === undefined) yield undefined;
          else yield keep(series.ref, series, () => inMemory(series, read));
        }
        for (const dropped of disk.selectDropped(compiled, endT - rangeMs + 1, endT)) {
          if (dropped === undefined) yield undefined;
          else yield keep(dropped.ref, undefined, () => onDisk(dropped.ref, dropped.labels, read));
        }
      },
    };
  };

  function* select(matchers: readonly Matcher[], minT: number, maxT: number): Iterable<StoredSeries> {
    for (const series of search(matchers, minT, maxT)) if (series !== undefined) yield series;
  }
  return {
    search,
    select,
    windows,
    get changes() {
      return head.changes + Math.max(0, disk.removedBefore());
    },
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

/** What is on disk may be of whatever age; what is only in memory began with its oldest chunk. */
function mayHaveSamples(series: MemorySeries, minT: number, maxT: number): boolean {
  if (series.lastT < minT || minT > maxT) return false;
  return series.persistedT !== Number.NEGATIVE_INFINITY || series.oldestT <= maxT;
}

function chunksOf(series: MemorySeries, disk: DiskReads, minT: number, maxT: number): readonly SealedChunk[] {
  const chunks: SealedChunk[] = [];
  if (series.persistedT >= minT) chunks.push(...disk.chunks(series.ref, minT, maxT, series.oldestT));
  for (const chunk of series.sealed) if (chunk.maxT >= minT && chunk.minT <= maxT) chunks.push(chunk);
  if (series.openCount > 0 && series.lastT >= minT && series.openT <= maxT) chunks.push(series.open!);
  return chunks;
}

const single = createColumns(1);
const newest: Samples = { t: single.t, v: single.v, length: 1 };

/** What the open chunk compares its next sample with is the newest of all. */
function newestOf(series: MemorySeries | undefined, maxT: number): Samples | undefined {
  if (series === undefined || series.openCount === 0 || series.lastT > maxT) return undefined;
  single.t[0] = series.lastT;
  single.words[0] = series.lastLow;
  single.words[1] = series.lastHigh;
  return newest;
}

/** Decodes chunks one after another, giving the thread up between them where the caller wants; see `StoredSeries`. */
type Read = (chunks: readonly SealedChunk[], minT: number, maxT: number) => Generator<undefined, Samples>;

/** All series of a selection are decoded to the same columns, one at a time. */
function createReader(): Read {
  let columns: SampleColumns = createColumns(0);
  return function* read(chunks, minT, maxT) {
    const room = chunks.reduce((sum, chunk) => sum + chunk.count, 0);
    if (columns.t.length < room) columns = createColumns(room);
    let at = 0;
    for (const chunk of chunks) {
      decodeChunk(chunk, columns, at);
      at += chunk.count;
      yield undefined;
    }
    const start = lowerBound(columns.t, minT, room);
    const end = lowerBound(columns.t, maxT + 1, room);
    return { t: columns.t.subarray(start, end), v: columns.v.subarray(start, end), length: end - start };
  };
}

const total = createSummary();
const toTotal: RangeSink = {
  samples: ({ t, v }, from, to) => addSamples(total, t, v, from, to),
  summary: (part) => addSummary(total, part),
};

function storedSeries(
  walked: WalkedSeries,
  labels: Labels,
  chunks: (minT: number, maxT: number) => readonly SealedChunk[],
  read: Read,
  disk: DiskRows,
): StoredSeries {
  const reading = (minT: number, maxT: number) => read(chunks(minT, maxT), minT, maxT);
  return {
    labels,
    reading,
    newest: (maxT) => newestOf(walked.memory, maxT),
    summary(minT, maxT) {
      clearSummary(total);
      walkRange(walked, disk, minT, maxT, toTotal);
      return total;
    },
    samples(minT, maxT) {
      const steps = reading(minT, maxT);
      for (;;) {
        const { done, value } = steps.next();
        if (done) return value;
      }
    },
  };
}
