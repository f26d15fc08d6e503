import { decodeLabels, encodeLabels, isCanonical, type Labels, toLabels } from '../../model/labels.ts';
import { CodedError } from '../../util/coded-error.ts';
import type { LabelMatcher } from '../storage/label-matcher.ts';
import type { Committed, SeriesRef } from '../storage/storage.ts';
import { createByteBlocks } from './byte-blocks.ts';
import { createKeyHash } from './key-hash.ts';
import { checkKey, checkLabels } from './label-limits.ts';
import { createLabelSymbols } from './label-symbols.ts';
import type { StoreLimits } from './limits.ts';
import { createPostings } from './postings.ts';
import { createRowTable } from './row-table.ts';
import type { SampleBatch } from './sample-batch.ts';
import { appendToSeries, letGo, type MemorySeries, seriesAt } from './series.ts';
import { beginRow, createSeriesColumns, type SeriesColumns } from './series-columns.ts';
import { createSeriesLabels } from './series-labels.ts';
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
  reference(key: Uint8Array): SeriesRef;
  /** The series by bytes `from` to before `to`, if it is in memory under just these. */
  find(bytes: Uint8Array, from: number, to: number): SeriesRef | undefined;
  /** Keeps the series in memory for another while; false when it is not there. */
  touch(ref: SeriesRef): boolean;
  /** The row of a series; -1 when it is not in memory. */
  rowOf(ref: SeriesRef): number;
  readonly columns: SeriesColumns;
  /** The canonical bytes of the labels of a series in memory. */
  keyOf(row: number): Uint8Array;
  labelsOf(row: number): Labels;
  /** Puts a series back that was on disk only. */
  restore(key: Uint8Array, identity: StoredIdentity): void;
  /**
   * Takes the samples of a batch, and gives the thread up after each some of them: whoever looks in between finds those
   * that were taken. With `replay`, samples that are on disk already are passed over.
   */
  applying(batch: SampleBatch, replay?: boolean): Generator<undefined, Committed>;
  /** The same at a stretch. */
  apply(batch: SampleBatch, replay?: boolean): Committed;
  /** Yields `undefined` for what is looked at and does not match. */
  select(matchers: readonly LabelMatcher[]): Iterable<MemorySeries | undefined>;
  /** The rows of all series. */
  rows(): Iterable<number>;
  /** How many series have no row on disk yet. */
  readonly unstored: number;
  /** Whether it has one, or is not in memory. */
  isStored(ref: SeriesRef): boolean;
  /** It has one now. */
  stored(ref: SeriesRef): void;
  drop(row: number): void;
  /** Called at each round of maintenance; a series not touched for a whole round may be dropped. */
  nextRound(): void;
  isUntouched(row: number): boolean;
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

// Some tenths of a millisecond; less is seen as a whole or not at all.
const SAMPLES_A_STEP = 1_000;

export function createHead(options: HeadOptions): Head {
  const { limits } = options;
  const hash = createKeyHash(options.seed);
  const columns = createSeriesColumns(createByteBlocks());
  const labels = createSeriesLabels(columns, createLabelSymbols(columns.blocks, hash));
  const table = createSeriesTable(columns, labels, hash);
  const freeRows: number[] = [];
  const postings = createPostings(columns, labels, (row) => freeRows.push(row));
  const rows = createRowTable(columns);
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
  let unstored = 0;

  const hold = (key: Uint8Array, ref: SeriesRef) => {
    const row = freeRows.pop() ?? columns.length;
    beginRow(columns, row, ref);
    table.add(key, row);
    rows.add(row);
    columns.touched[row] = round;
    nextRef = Math.max(nextRef, ref + 1);
    counts.active += 1;
    return row;
  };

  const restore = (key: Uint8Array, { ref, persistedT }: StoredIdentity) => {
    const row = hold(key, ref);
    columns.lastT[row] = persistedT;
    columns.persistedT[row] = persistedT;
    columns.stored[row] = 1;
    newestT = Math.max(newestT, persistedT);
    postings.add(row);
    generation += 1;
    return row;
  };

  const make = (key: Uint8Array) => {
    if (counts.active >= limits.activeSeries) {
      counts.refused += 1;
      throw new CodedError(
        'STORE_SERIES_LIMIT',
        `the store holds ${counts.active} active series, its limit; send fewer series or raise collector.limits.activeSeries`,
        { status: 429 },
      );
    }
    const identity = options.recall(key);
    if (identity !== undefined) return restore(key, identity);
    const row = hold(key, nextRef);
    unstored += 1;
    counts.created += 1;
    return row;
  };

  /** Not found by these bytes: reads them, and looks again by their canonical spelling. */
  const resolve = (spelling: Uint8Array) => {
    const isOwn = isCanonical(spelling);
    let key = spelling;
    try {
      if (isOwn) checkKey(key, limits);
      else key = encodeLabels(checkLabels(toLabels(decodeLabels(spelling)), limits));
    } catch (error) {
      counts.refused += 1;
      throw error;
    }
    if (isOwn) return make(key);
    const known = table.find(key, 0, key.length);
    const row = known < 0 ? make(key) : known;
    table.alias(spelling, row);
    return row;
  };

  const metricName = (symbol: number) => (symbol < 0 ? '' : labels.symbols.value(symbol));

  const touched = (row: number) => {
    columns.touched[row] = round;
    return columns.refs[row]!;
  };

  /** Samples `from` to before `to` of a batch; adds the numbers of the names of series that got some. */
  const take = (batch: SampleBatch, from: number, to: number, replay: boolean, names: Set<number>) => {
    changes += 1;
    for (let i = from; i < to; i += 1) {
      const ref = batch.refs[i]!;
      const row = rows.find(ref);
      const t = batch.t[i]!;
      // The number of a series that is gone must not become that of another, whose samples these would be.
      if (replay && row < 0) nextRef = Math.max(nextRef, ref + 1);
      if (replay && (row < 0 || t <= columns.persistedT[row]!)) continue;
      if (row < 0) {
        counts.rejected += 1;
        continue;
      }
      const isFirst = columns.lastT[row] === Number.NEGATIVE_INFINITY;
      const outcome = appendToSeries(columns, row, t, batch.high[i]!, batch.low[i]!);
      counts[outcome] += 1;
      if (outcome !== 'appended') continue;
      if (isFirst) {
        postings.add(row);
        generation += 1;
      }
      if (t > newestT) newestT = t;
      names.add(columns.names[row]!);
    }
  };

  function* applying(batch: SampleBatch, replay = false): Generator<undefined, Committed> {
    const names = new Set<number>();
    let [samples, rejected] = [0, 0];
    for (let from = 0; from < batch.length; from += SAMPLES_A_STEP) {
      if (from > 0) yield undefined;
      const before = { ...counts };
      take(batch, from, Math.min(batch.length, from + SAMPLES_A_STEP), replay, names);
      samples += counts.appended - before.appended;
      rejected += counts.rejected - before.rejected;
    }
    return { metricNames: new Set(Array.from(names, metricName)), samples, rejected };
  }

  return {
    reference(key) {
      const known = table.find(key, 0, key.length);
      return touched(known < 0 ? resolve(key) : known);
    },
    find(bytes, from, to) {
      const row = table.find(bytes, from, to);
      return row < 0 ? undefined : touched(row);
    },
    touch(ref) {
      const row = rows.find(ref);
      if (row >= 0) touched(row);
      return row >= 0;
    },
    rowOf: rows.find,
    columns,
    keyOf: labels.keyOf,
    labelsOf: labels.of,
    restore,
    applying,
    apply(batch, replay) {
      const steps = applying(batch, replay);
      for (;;) {
        const { done, value } = steps.next();
        if (done) return value;
      }
    },
    *select(matchers) {
      for (const row of postings.select(matchers))
        yield row === undefined ? undefined : seriesAt(columns, row, labels.of);
    },
    *rows() {
      for (let row = 0; row < columns.length; row += 1) if (columns.births[row] !== 0) yield row;
    },
    get unstored() {
      return unstored;
    },
    isStored(ref) {
      const row = rows.find(ref);
      return row < 0 || columns.stored[row] === 1;
    },
    stored(ref) {
      const row = rows.find(ref);
      if (row < 0 || columns.stored[row] === 1) return;
      columns.stored[row] = 1;
      unstored -= 1;
    },
    drop(row) {
      letGo(columns, row);
      postings.remove(row);
      table.remove(row);
      rows.remove(row);
      if (columns.stored[row] === 0) unstored -= 1;
      columns.births[row] = 0;
      generation += 1;
      counts.active -= 1;
      counts.dropped += 1;
    },
    nextRound() {
      round += 1;
    },
    isUntouched: (row) => columns.touched[row]! < round - 1,
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
