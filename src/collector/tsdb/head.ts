import {
  decodeLabels,
  encodeLabels,
  isCanonical,
  type Labels,
  METRIC_NAME,
  toLabels,
} from '../../model/labels.ts';
import { CodedError } from '../../util/coded-error.ts';
import type { LabelMatcher } from '../storage/label-matcher.ts';
import type { Committed, SeriesRef } from '../storage/storage.ts';
import type { StoreLimits } from './limits.ts';
import { createPostings } from './postings.ts';
import type { SampleBatch } from './sample-batch.ts';
import { appendToSeries, createSeries, letGo, type MemorySeries } from './series.ts';
import { createSeriesTable } from './series-table.ts';

/** What is known of a series that is not in memory. */
export interface StoredIdentity {
  readonly ref: SeriesRef;
  readonly persistedT: number;
}

export interface HeadOptions {
  readonly limits: StoreLimits;
  /** Seed of the label hash: random, but for tests. */
  readonly seed: number;
  /** Looks on disk for a series with these canonical label bytes. */
  readonly recall: (key: Uint8Array) => StoredIdentity | undefined;
  readonly firstRef: SeriesRef;
}

/** The series that get samples now, and their newest samples. Knows nothing of disks. */
export interface Head {
  /** @throws STORE_SERIES_LIMIT, STORE_LABELS_INVALID */
  reference(key: Uint8Array): MemorySeries;
  /** The series by bytes `from` to before `to`, if it is in memory under just these. */
  find(bytes: Uint8Array, from: number, to: number): MemorySeries | undefined;
  get(ref: SeriesRef): MemorySeries | undefined;
  /** Keeps the series in memory for another while; false when it is not there. */
  touch(ref: SeriesRef): boolean;
  /** The canonical bytes of its labels. */
  keyOf(series: MemorySeries): Uint8Array;
  /** Puts a series back that was on disk only. */
  restore(key: Uint8Array, identity: StoredIdentity): MemorySeries;
  /** Takes the samples of a batch. With `replay`, samples that are on disk already are passed over. */
  apply(batch: SampleBatch, replay?: boolean): Committed;
  /** Yields `undefined` for what is looked at and does not match. */
  select(matchers: readonly LabelMatcher[]): Iterable<MemorySeries | undefined>;
  series(): Iterable<MemorySeries>;
  /** Series that may have no row on disk yet; who writes it takes them out. */
  readonly unstored: Set<MemorySeries>;
  drop(series: MemorySeries): void;
  /** Nobody asks for anything any more. */
  close(): void;
  /** Called at each round of maintenance; a series not touched for a whole round may be dropped. */
  nextRound(): void;
  isUntouched(series: MemorySeries): boolean;
  /** Another number whenever a series is found that was not before, or no longer. */
  readonly generation: number;
  /** Another number whenever a sample may have been added or a series dropped. */
  readonly changes: number;
  /** The newest sample of all; -Infinity when there is none. */
  readonly newestT: number;
  readonly counts: HeadCounts;
}

export interface HeadCounts {
  active: number;
  appended: number;
  rejected: number;
  duplicate: number;
  refused: number;
  created: number;
  dropped: number;
}

export function createHead(options: HeadOptions): Head {
  const { limits } = options;
  const table = createSeriesTable(options.seed);
  const postings = createPostings();
  const byRef = new Map<SeriesRef, MemorySeries>();
  const unstored = new Set<MemorySeries>();
  const counts: HeadCounts = {
    active: 0,
    appended: 0,
    rejected: 0,
    duplicate: 0,
    refused: 0,
    created: 0,
    dropped: 0,
  };
  let nextRef = options.firstRef;
  let newestT = Number.NEGATIVE_INFINITY;
  let round = 1;
  let generation = 0;
  let changes = 0;

  const hold = (key: Uint8Array, series: MemorySeries) => {
    table.add(key, series);
    byRef.set(series.ref, series);
    series.touched = round;
    counts.active = byRef.size;
  };

  const restore = (key: Uint8Array, identity: StoredIdentity, labels: Labels) => {
    const series = createSeries(identity.ref, postings.intern(labels));
    series.lastT = identity.persistedT;
    series.persistedT = identity.persistedT;
    series.stored = true;
    nextRef = Math.max(nextRef, identity.ref + 1);
    newestT = Math.max(newestT, identity.persistedT);
    hold(key, series);
    postings.add(series);
    generation += 1;
    return series;
  };

  const make = (key: Uint8Array, labels: Labels) => {
    if (byRef.size >= limits.activeSeries) {
      counts.refused += 1;
      throw new CodedError(
        'STORE_SERIES_LIMIT',
        `the store holds ${byRef.size} active series, its limit; send fewer series or raise collector.limits.activeSeries`,
        { status: 429 },
      );
    }
    const identity = options.recall(key);
    if (identity !== undefined) return restore(key, identity, labels);
    const series = createSeries(nextRef, postings.intern(labels));
    nextRef += 1;
    hold(key, series);
    unstored.add(series);
    counts.created += 1;
    return series;
  };

  /** Not found by these bytes: reads them, and looks again by their canonical spelling. */
  const resolve = (spelling: Uint8Array) => {
    const isOwn = isCanonical(spelling);
    let labels: Labels;
    try {
      const decoded = decodeLabels(spelling);
      labels = checkLabels(isOwn ? decoded : toLabels(decoded), limits);
    } catch (error) {
      counts.refused += 1;
      throw error;
    }
    if (isOwn) return make(spelling, labels);
    const key = encodeLabels(labels);
    const series = table.find(key, 0, key.length) ?? make(key, labels);
    table.alias(spelling, series);
    return series;
  };

  return {
    reference(key) {
      const series = table.find(key, 0, key.length) ?? resolve(key);
      series.touched = round;
      return series;
    },
    find(bytes, from, to) {
      const series = table.find(bytes, from, to);
      if (series !== undefined) series.touched = round;
      return series;
    },
    get: (ref) => byRef.get(ref),
    touch(ref) {
      const series = byRef.get(ref);
      if (series !== undefined) series.touched = round;
      return series !== undefined;
    },
    keyOf: (series) => table.keyOf(series),
    restore: (key, identity) => restore(key, identity, decodeLabels(key)),
    apply(batch, replay = false) {
      const metricNames = new Set<string>();
      const before = { ...counts };
      changes += 1;
      for (let i = 0; i < batch.length; i += 1) {
        const series = byRef.get(batch.refs[i]!);
        const t = batch.t[i]!;
        // The number of a series that is gone must not become that of another, whose samples these would be.
        if (replay && series === undefined) nextRef = Math.max(nextRef, batch.refs[i]! + 1);
        if (replay && (series === undefined || t <= series.persistedT)) continue;
        if (series === undefined) {
          counts.rejected += 1;
          continue;
        }
        const isFirst = series.lastT === Number.NEGATIVE_INFINITY;
        const outcome = appendToSeries(series, t, batch.high[i]!, batch.low[i]!);
        counts[outcome] += 1;
        if (outcome !== 'appended') continue;
        if (isFirst) {
          postings.add(series);
          generation += 1;
        }
        if (t > newestT) newestT = t;
        metricNames.add(metricName(series.labels));
      }
      return {
        metricNames,
        samples: counts.appended - before.appended,
        rejected: counts.rejected - before.rejected,
      };
    },
    select: (matchers) => postings.select(matchers),
    series: () => byRef.values(),
    unstored,
    drop(series) {
      letGo(series);
      table.remove(series);
      byRef.delete(series.ref);
      unstored.delete(series);
      postings.remove(series);
      generation += 1;
      counts.active = byRef.size;
      counts.dropped += 1;
    },
    close() {
      for (const series of byRef.values()) letGo(series);
    },
    nextRound() {
      round += 1;
    },
    isUntouched: (series) => series.touched < round - 1,
    get generation() {
      return generation;
    },
    get changes() {
      return changes + generation;
    },
    get newestT() {
      return newestT;
    },
    counts,
  };
}

function metricName(labels: Labels): string {
  // `__name__` sorts before every lower-case name, so it is nearly always the first.
  for (const [name, value] of labels) if (name === METRIC_NAME) return value;
  return '';
}

function checkLabels(labels: Labels, limits: StoreLimits): Labels {
  const wrong = (what: string) => {
    throw new CodedError('STORE_LABELS_INVALID', `a series with ${what} is refused`, { status: 400 });
  };
  if (labels.length === 0) wrong('no labels');
  if (labels.length > limits.labelsPerSeries)
    wrong(`${labels.length} labels (at most ${limits.labelsPerSeries})`);
  for (const [name, value] of labels) {
    if (name === '') wrong('an empty label name');
    if (isLonger(name, limits.labelNameBytes))
      wrong(`the label name ${JSON.stringify(name.slice(0, 40))}… (at most ${limits.labelNameBytes} bytes)`);
    if (isLonger(value, limits.labelValueBytes))
      wrong(`a value of label ${JSON.stringify(name)} longer than ${limits.labelValueBytes} bytes`);
  }
  return labels;
}

// A code unit takes at most three bytes: mostly there is no need to count.
const isLonger = (text: string, bytes: number) => text.length * 3 > bytes && Buffer.byteLength(text) > bytes;
