import type { Labels } from '../../model/labels.ts';
import type { Matcher } from '../../model/matcher.ts';
import type { Samples } from '../../model/sample.ts';
import { compileMatcher, type LabelMatcher } from '../storage/label-matcher.ts';
import {
  addSamples,
  addSummary,
  clearSummary,
  createSummary,
  type RangeSummary,
} from '../storage/range-summary.ts';
import type { MovingSeries, MovingWindows, Querier, SeriesRef, StoredSeries } from '../storage/storage.ts';
import { decodeChunk } from './chunk.ts';
import type { Head } from './head.ts';
import { createMovingWindow } from './moving-window.ts';
import { type DiskRows, type RangeSink, type WalkedSeries, walkRange } from './range-walk.ts';
import { createRecentSamples } from './recent-samples.ts';
import { createColumns, type SampleColumns } from './sample-columns.ts';
import { INTEGER, type SealedChunk } from './sealed-chunk.ts';
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
    const shared = { columns: createColumns(0) };
    for (const series of head.select(compiled)) {
      if (series === undefined || !mayHaveSamples(series, minT, maxT)) yield undefined;
      else yield inMemory(series, shared);
    }
    for (const dropped of disk.selectDropped(compiled, minT, maxT))
      yield dropped === undefined ? undefined : onDisk(dropped.ref, dropped.labels, shared);
  }

  const inMemory = (memory: MemorySeries, columns: SharedColumns) =>
    new SeriesOfStore({ ref: memory.ref, memory }, memory.labels, columns, disk);

  const onDisk = (ref: SeriesRef, labels: Labels, columns: SharedColumns) =>
    new SeriesOfStore({ ref, memory: undefined }, labels, columns, disk);

  const windows = (matchers: readonly Matcher[], rangeMs: number): MovingWindows => {
    const compiled = matchers.map(compileMatcher);
    const shared = { columns: createColumns(0) };
    let known = new Map<SeriesRef, { readonly birth: number | undefined; readonly one: MovingSeries }>();

    const moving = (series: WalkedSeries, stored: StoredSeries): MovingSeries => {
      const window = createMovingWindow({ series, disk, recent, rangeMs, removedBefore: disk.removedBefore });
      return Object.assign(stored, { summaryUntil: window.summaryUntil });
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
          else yield keep(series.ref, series, () => inMemory(series, shared));
        }
        for (const dropped of disk.selectDropped(compiled, endT - rangeMs + 1, endT)) {
          if (dropped === undefined) yield undefined;
          else yield keep(dropped.ref, undefined, () => onDisk(dropped.ref, dropped.labels, shared));
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

/** All series of a selection are decoded to the same columns, one at a time. */
interface SharedColumns {
  columns: SampleColumns;
}

// What is decoded without asking whether it is others' turn: some ten thousand samples, which take a tenth of a millisecond.
const CHUNKS_AT_ONCE = 64;
// Samples that are moved rather than looked at through views, which cost more.
const MOVED_SAMPLES = 256;
const NO_CHUNKS: readonly SealedChunk[] = [];

const total = createSummary();
const toTotal: RangeSink = {
  samples: ({ t, v }, from, to) => addSamples(total, t, v, from, to),
  summary: (part) => addSummary(total, part),
};

// Made for each series of each selection: functions of its own would cost more than many an answer.
class SeriesOfStore implements StoredSeries {
  readonly labels: Labels;
  readonly #walked: WalkedSeries;
  readonly #shared: SharedColumns;
  readonly #disk: DiskReads;

  constructor(walked: WalkedSeries, labels: Labels, shared: SharedColumns, disk: DiskReads) {
    this.labels = labels;
    this.#walked = walked;
    this.#shared = shared;
    this.#disk = disk;
  }

  newest(maxT: number): Samples | undefined {
    return newestOf(this.#walked.memory, maxT);
  }

  summary(minT: number, maxT: number): RangeSummary {
    clearSummary(total);
    walkRange(this.#walked, this.#disk, minT, maxT, toTotal);
    return total;
  }

  samples(minT: number, maxT: number): Samples {
    const reading = this.reading(minT, maxT);
    const { t, v, length } = 'length' in reading ? reading : lastOf(reading);
    return { t: t.subarray(0, length), v: v.subarray(0, length), length };
  }

  reading(minT: number, maxT: number): Samples | Generator<undefined, Samples> {
    const { memory, ref } = this.#walked;
    let chunks = NO_CHUNKS;
    if (memory === undefined) chunks = this.#disk.chunks(ref, minT, maxT, Number.POSITIVE_INFINITY);
    else {
      if (memory.persistedT >= minT) chunks = this.#disk.chunks(ref, minT, maxT, memory.oldestT);
      const waiting = memory.sealed;
      if (waiting.length > 0)
        chunks = [...chunks, ...waiting.filter((chunk) => chunk.maxT >= minT && chunk.minT <= maxT)];
    }
    let room = 0;
    for (const chunk of chunks) room += chunk.count;
    const sealed = room;
    const withOpen =
      memory !== undefined && memory.openCount > 0 && memory.lastT >= minT && memory.openT <= maxT;
    if (withOpen) room += memory.openCount;
    if (this.#shared.columns.t.length < room) this.#shared.columns = createColumns(room);
    const { columns } = this.#shared;
    // Before others have their turn, who may write to it.
    if (withOpen) memory.decodeOpen(columns, sealed);
    const bounds = { room, whole: wholeNumbers(chunks), minT, maxT };
    if (chunks.length > CHUNKS_AT_ONCE) return decodeInTurns(chunks, columns, bounds);
    let at = 0;
    for (const chunk of chunks) {
      decodeChunk(chunk, columns, at);
      at += chunk.count;
    }
    return within(columns, bounds);
  }
}

function* decodeInTurns(
  chunks: readonly SealedChunk[],
  columns: SampleColumns,
  bounds: Bounds,
): Generator<undefined, Samples> {
  let at = 0;
  for (const chunk of chunks) {
    decodeChunk(chunk, columns, at);
    at += chunk.count;
    yield undefined;
  }
  return within(columns, bounds);
}

/** How many samples there are in columns, how many of the first are whole numbers, and which of all are wanted. */
interface Bounds {
  readonly room: number;
  readonly whole: number;
  readonly minT: number;
  readonly maxT: number;
}

function wholeNumbers(chunks: readonly SealedChunk[]): number {
  let whole = 0;
  for (const { encoding, count } of chunks) {
    if (encoding !== INTEGER) break;
    whole += count;
  }
  return whole;
}

function lastOf(reading: Generator<undefined, Samples>): Samples {
  for (;;) {
    const { done, value } = reading.next();
    if (done) return value;
  }
}

function within({ t, v }: SampleColumns, bounds: Bounds): Samples {
  const { room, minT, maxT } = bounds;
  const start = lowerBound(t, minT, room);
  const end = lowerBound(t, maxT + 1, room);
  const length = end - start;
  const whole = Math.max(0, Math.min(length, bounds.whole - start));
  if (start === 0) return { t, v, length, whole };
  if (length > MOVED_SAMPLES) return { t: t.subarray(start, end), v: v.subarray(start, end), length, whole };
  t.copyWithin(0, start, end);
  v.copyWithin(0, start, end);
  return { t, v, length, whole };
}
