import { hash } from 'node:crypto';
import type { Journal } from '../../journal/journal.ts';
import { decodeLabels, type Labels } from '../../model/labels.ts';
import type { LabelMatcher } from '../storage/label-matcher.ts';
import type { SeriesRef } from '../storage/storage.ts';
import { addToRow, type ChunkRow, chunksOfRow } from './chunk-row.ts';
import type { StoredIdentity } from './head.ts';
import { matchesAll } from './postings.ts';
import { batchCheck, chunkCheck, isAsWritten, seriesCheck } from './row-check.ts';
import { type SealedChunk, XOR } from './sealed-chunk.ts';
import { fromStored, toStored } from './stored-labels.ts';
import { createSummaryTable, type SummaryTable } from './summary-table.ts';

const HASH_BYTES = 6;

/** By which a series is found on disk: the first six bytes of the SHA-256 of its labels as stored, so that nobody makes them collide. */
export const labelsHash = (stored: Uint8Array): number =>
  hash('sha256', stored, 'buffer').readUIntBE(0, HASH_BYTES);

export interface DroppedSeries {
  readonly ref: SeriesRef;
  readonly labels: Labels;
}

/** What is on disk. Methods that change something are for inside `journal.write` only. */
export interface BlockTable {
  addSeries(ref: SeriesRef, labels: Uint8Array): void;
  addBatch(maxT: number, body: Uint8Array): number;
  addChunk(ref: SeriesRef, chunk: SealedChunk): void;
  /** The series is on disk only from now on; `lastT` is its newest sample. */
  dropSeries(ref: SeriesRef, labels: Labels, lastT: number): void;
  /** Removes a series whose samples are all gone by retention. */
  forgetSeries(ref: SeriesRef): void;
  recallSeries(ref: SeriesRef): void;
  removeBatch(id: number): void;
  /** The newest sample of each commit that is on disk; who removed one takes it out once that is committed. */
  readonly batchEnds: Map<number, number>;
  /** Removes some chunks that end before `cutoffT`, and dropped series without any chunk left; true when there may be more. */
  removeBefore(cutoffT: number): boolean;
  /** The end of the oldest chunks, some hundreds of them on; undefined when there are no chunks. */
  oldestEnd(): number | undefined;
  /** The first times of all rows of chunks, in no order, some at a time; what is written meanwhile may be left out. */
  firstTimes(): Iterable<readonly number[]>;
  /** Commits after `id`, oldest first. */
  batchesAfter(id: number): Iterable<{ readonly id: number; readonly body: Uint8Array }>;
  /** How many commits there are after `id`, and their bytes. */
  sizeAfter(id: number): { readonly commits: number; readonly bytes: number };
  /** The newest commit that is beyond the last `bytes` of those after `id`, or ends before `minT`; `id` if none is. */
  newestBeyond(id: number, bytes: number, minT: number): number;
  labelsOf(ref: SeriesRef): Uint8Array | undefined;
  find(labels: Uint8Array): (StoredIdentity & { readonly dropped: boolean }) | undefined;
  active(): Iterable<StoredIdentity & { readonly labels: Uint8Array }>;
  batches(): Iterable<{ readonly id: number; readonly body: Uint8Array }>;
  readonly summaries: SummaryTable;
  /** Looks whether the next rows of chunks are what was written; true at the end, after which it begins again. */
  checkChunks(rows: number): boolean;
  /** Forgets what rows came to that are found damaged. */
  forgetDamaged(): void;
  /** Some of the hashes that are missing; true when there are more. */
  keepHashes(): boolean;
  chunks(ref: SeriesRef, minT: number, maxT: number, beforeT: number): readonly SealedChunk[];
  /** Yields `undefined` now and then while it looks; reads a page at a time. */
  selectDropped(
    matchers: readonly LabelMatcher[],
    minT: number,
    maxT: number,
  ): Iterable<DroppedSeries | undefined>;
  /** The newest sample of all dropped series. */
  newestDroppedT(): number;
  readonly lastRef: SeriesRef;
  readonly lastBatch: number;
}

interface DroppedRow {
  readonly ref: number;
  readonly labels: Uint8Array;
  readonly crc: number | null;
  readonly found: number;
}

// A range that ends in a row decodes a part of it.
const LONGEST_ROW_SAMPLES = 8_192;
// Rows read at a stretch.
const PAGE_ROWS = 500;

interface StoredRow extends ChunkRow {
  readonly count: number;
  readonly layout: number;
  readonly crc: number | null;
}

const FRAMES = 1;

function chunksIn(row: StoredRow): Iterable<SealedChunk> {
  if (row.layout === FRAMES) return chunksOfRow(row);
  return [{ encoding: XOR, minT: row.minT, maxT: row.maxT, count: row.count, bytes: row.body }];
}

const OLDEST_CHUNKS_AT_ONCE = 500;
const FIRST_TIMES_AT_ONCE = 1_000;
// Each of these some milliseconds.
const ROWS_REMOVED_AT_ONCE = 100;
const SERIES_REMOVED_AT_ONCE = 50;
const HASHES_AT_ONCE = 500;
const MOST_DAMAGED = 1_000;
// SQLite integers are 64 bit, but JavaScript's are safe to 2^53 only.
const clamp = (t: number) => Math.min(Math.max(t, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);

export function createBlockTable(journal: Journal): BlockTable {
  const sql = {
    addSeries: journal.prepare('INSERT OR IGNORE INTO series (ref, labels, crc, hash) VALUES (?, ?, ?, ?)'),
    withoutHash: journal.prepare('SELECT ref, labels FROM series WHERE hash IS NULL'),
    setHash: journal.prepare('UPDATE series SET hash = ? WHERE ref = ?'),
    addBatch: journal.prepare('INSERT INTO batch (max_t, body, crc) VALUES (?, ?, ?)'),
    addRow: journal.prepare(
      `INSERT OR REPLACE INTO chunk (ref, min_t, max_t, count, body, layout, crc)
       VALUES (?, ?, ?, ?, ?, ${FRAMES}, ?)`,
    ),
    lastRow: journal.prepare(
      `SELECT min_t AS minT, max_t AS maxT, count, body, layout, crc FROM chunk
       WHERE ref = ? ORDER BY min_t DESC LIMIT 1`,
    ),
    firstChunk: journal.prepare('SELECT min_t AS t FROM chunk WHERE ref = ? ORDER BY min_t LIMIT 1'),
    lastChunk: journal.prepare('SELECT max_t AS t FROM chunk WHERE ref = ? ORDER BY min_t DESC LIMIT 1'),
    drop: journal.prepare('UPDATE series SET dropped = 1, min_t = ?, max_t = ? WHERE ref = ?'),
    addLabel: journal.prepare('INSERT OR IGNORE INTO series_label (name, value, ref) VALUES (?, ?, ?)'),
    removeLabel: journal.prepare('DELETE FROM series_label WHERE name = ? AND value = ? AND ref = ?'),
    recall: journal.prepare('UPDATE series SET dropped = 0 WHERE ref = ?'),
    removeBatch: journal.prepare('DELETE FROM batch WHERE id = ?'),
    batchEnds: journal.prepare('SELECT id, max_t AS maxT FROM batch'),
    removeChunks: journal.prepare(
      `DELETE FROM chunk WHERE (ref, min_t) IN
         (SELECT ref, min_t FROM chunk WHERE max_t < ? ORDER BY max_t LIMIT ${ROWS_REMOVED_AT_ONCE})`,
    ),
    endedSeries: journal.prepare(
      `SELECT ref, labels, crc FROM series WHERE dropped = 1 AND max_t < ? LIMIT ${SERIES_REMOVED_AT_ONCE}`,
    ),
    removeSeries: journal.prepare('DELETE FROM series WHERE ref = ?'),
    oldestEnd: journal.prepare(
      `SELECT max(max_t) AS t FROM (SELECT max_t FROM chunk ORDER BY max_t LIMIT ${OLDEST_CHUNKS_AT_ONCE})`,
    ),
    // What it reads is all in the index.
    firstTimes: journal.prepare(
      `SELECT max_t, ref, min_t FROM chunk WHERE (max_t, ref, min_t) > (?, ?, ?)
       ORDER BY max_t, ref, min_t LIMIT ${FIRST_TIMES_AT_ONCE}`,
    ),
    find: journal.prepare('SELECT ref, dropped FROM series WHERE hash = ? AND labels = ?'),
    findByRef: journal.prepare('SELECT ref, dropped FROM series WHERE ref = ? AND labels = ?'),
    active: journal.prepare(
      `SELECT ref, labels, crc,
         (SELECT max_t FROM chunk WHERE chunk.ref = series.ref ORDER BY min_t DESC LIMIT 1) AS t
       FROM series WHERE dropped = 0`,
    ),
    batches: journal.prepare('SELECT id, max_t AS maxT, body, crc FROM batch ORDER BY id'),
    batchesAfter: journal.prepare('SELECT id, max_t AS maxT, body, crc FROM batch WHERE id > ? ORDER BY id'),
    sizeAfter: journal.prepare(
      'SELECT count(*) AS commits, coalesce(sum(length(body)), 0) AS bytes FROM batch WHERE id > ?',
    ),
    newestBeyond: journal.prepare(
      `SELECT coalesce(max(id), ?1) AS id FROM (
         SELECT id, max_t, sum(length(body)) OVER (ORDER BY id DESC) AS bytes FROM batch WHERE id > ?1
       ) WHERE bytes > ?2 OR max_t < ?3`,
    ),
    labelsOf: journal.prepare('SELECT labels FROM series WHERE ref = ?'),
    chunks: journal.prepare(
      // Rows do not overlap, so the one that holds ?2 starts at or before it and all others after.
      `SELECT min_t AS minT, max_t AS maxT, count, body, layout, crc FROM chunk
       WHERE ref = ?1 AND min_t >= coalesce((SELECT max(min_t) FROM chunk WHERE ref = ?1 AND min_t <= ?2), ?2)
         AND min_t <= ?3 AND min_t < ?4 ORDER BY min_t`,
    ),
    chunksAfter: journal.prepare(
      `SELECT ref, min_t AS minT, max_t AS maxT, count, body, layout, crc FROM chunk
       WHERE (ref, min_t) > (?, ?) ORDER BY ref, min_t LIMIT ?`,
    ),
    labelValues: journal.prepare(
      `SELECT DISTINCT value FROM series_label WHERE name = ? AND value > ? ORDER BY value LIMIT ${PAGE_ROWS}`,
    ),
    withLabel: journal.prepare(
      `SELECT s.ref, s.labels, s.crc, s.dropped = 1 AND s.max_t >= ?3 AND s.min_t <= ?4 AS found
       FROM series_label l JOIN series s ON s.ref = l.ref
       WHERE l.name = ?1 AND l.value = ?2 AND l.ref > ?5 ORDER BY l.ref LIMIT ${PAGE_ROWS}`,
    ),
    dropped: journal.prepare(
      `SELECT ref, labels, crc, dropped = 1 AND max_t >= ?1 AND min_t <= ?2 AS found
       FROM series WHERE ref > ?3 ORDER BY ref LIMIT ${PAGE_ROWS}`,
    ),
    newestDropped: journal.prepare('SELECT max(max_t) AS t FROM series WHERE dropped = 1'),
    lastRef: journal.prepare('SELECT max(ref) AS ref FROM series'),
    lastBatch: journal.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'batch'"),
  };

  const batchEnds = new Map(sql.batchEnds.all().map(({ id, maxT }) => [Number(id), Number(maxT)]));
  const summaries = createSummaryTable(journal);
  const withoutHash = new Map<number, SeriesRef[]>();
  for (const { ref, labels } of sql.withoutHash.iterate()) {
    const digest = labelsHash(labels as Uint8Array);
    withoutHash.set(digest, [...(withoutHash.get(digest) ?? []), Number(ref)]);
  }
  const findByLabels = (labelBytes: Uint8Array) => {
    const labels = toStored(labelBytes);
    const digest = labelsHash(labels);
    const row = sql.find.get(digest, labels);
    if (row !== undefined) return row;
    for (const ref of withoutHash.get(digest) ?? []) {
      const old = sql.findByRef.get(ref, labels);
      if (old !== undefined) return old;
    }
    return undefined;
  };
  const time = (row: unknown, otherwise: number) =>
    Number((row as { t: number | null } | undefined)?.t ?? otherwise);
  const persistedT = (ref: SeriesRef) => time(sql.lastChunk.get(ref), Number.NEGATIVE_INFINITY);

  // The values one of which a dropped series must have to match, narrowest matcher first known.
  function* narrowing(
    matchers: readonly LabelMatcher[],
  ): Generator<undefined, { name: string; values: readonly string[] } | undefined> {
    const exact = matchers.filter((matcher) => !matcher.matchesEmpty && matcher.values !== undefined);
    const best = exact.find((matcher) => matcher.name !== '__name__') ?? exact[0];
    if (best !== undefined) return { name: best.name, values: best.values! };
    const other = matchers.find((matcher) => !matcher.matchesEmpty);
    if (other === undefined) return undefined;
    const values: string[] = [];
    for (let after = ''; ; ) {
      const page = journal.read(() => sql.labelValues.all(other.name, after)).map((row) => String(row.value));
      if (page.length === 0) return { name: other.name, values };
      for (const value of page) if (other.matches(value)) values.push(value);
      after = page.at(-1)!;
      yield undefined;
    }
  }

  /** Rows of all pages; `page` answers those after a ref. */
  function* paged(page: (afterRef: number) => readonly Record<string, unknown>[]): Generator<DroppedRow> {
    for (let after = 0; ; ) {
      const rows = journal.read(() => page(after)) as unknown as DroppedRow[];
      yield* rows;
      if (rows.length < PAGE_ROWS) return;
      after = Number(rows.at(-1)!.ref);
    }
  }

  const isSound = (table: string, crc: unknown, expected: () => number, what: () => string) => {
    if (isAsWritten(crc, expected)) return true;
    journal.foundDamage(`a row of ${table} (${what()}) is not what was written`);
    return false;
  };
  const isSoundSeries = ({ ref, labels, crc }: Record<string, unknown>) =>
    isSound(
      'series',
      crc,
      () => seriesCheck(Number(ref), labels as Uint8Array),
      () => `series ${ref}`,
    );
  const damaged: (readonly [ref: SeriesRef, minT: number])[] = [];
  const isSoundChunk = (ref: SeriesRef, row: StoredRow) => {
    const sound = isSound(
      'chunk',
      row.crc,
      () => chunkCheck(ref, row),
      () => `series ${ref} from ${new Date(row.minT).toISOString()}`,
    );
    // What it came to must not be told either, or a long range would count what a short one does not find.
    if (!sound && damaged.length < MOST_DAMAGED) damaged.push([ref, row.minT]);
    return sound;
  };
  let checkedTo: readonly [ref: SeriesRef, minT: number] = [0, Number.MIN_SAFE_INTEGER];
  function* batchesOf(rows: Iterable<Record<string, unknown>>) {
    for (const { id, maxT, body, crc } of rows) {
      const bytes = body as Uint8Array;
      const sound = isSound(
        'batch',
        crc,
        () => batchCheck(Number(maxT), bytes),
        () => `commit ${id}`,
      );
      if (sound) yield { id: Number(id), body: bytes };
    }
  }

  return {
    addSeries(ref, labelBytes) {
      const labels = toStored(labelBytes);
      sql.addSeries.run(ref, labels, seriesCheck(ref, labels), labelsHash(labels));
    },
    addBatch(maxT, body) {
      const id = Number(sql.addBatch.run(maxT, body, batchCheck(maxT, body)).lastInsertRowid);
      batchEnds.set(id, maxT);
      return id;
    },
    addChunk(ref, chunk) {
      const last = sql.lastRow.get(ref) as StoredRow | undefined;
      // Settled again after a failure that came too late.
      if (last !== undefined && chunk.minT <= last.maxT) return;
      const fits =
        last !== undefined &&
        last.layout === FRAMES &&
        last.count + chunk.count <= LONGEST_ROW_SAMPLES &&
        isSoundChunk(ref, last);
      const row = addToRow(fits ? last : undefined, chunk);
      const count = chunk.count + (row.minT === last?.minT ? last.count : 0);
      const crc = chunkCheck(ref, { ...row, count, layout: FRAMES });
      sql.addRow.run(ref, row.minT, row.maxT, count, row.body, crc);
      const before = row.minT === last?.minT ? last : undefined;
      summaries.add(ref, row, chunk, before && { maxT: before.maxT, chunks: () => chunksIn(before) });
    },
    dropSeries(ref, labels, lastT) {
      const minT = time(sql.firstChunk.get(ref), lastT);
      sql.drop.run(minT, clamp(lastT), ref);
      for (const [name, value] of labels) sql.addLabel.run(name, value, ref);
    },
    forgetSeries: (ref) => void sql.removeSeries.run(ref),
    recallSeries: (ref) => void sql.recall.run(ref),
    removeBatch: (id) => void sql.removeBatch.run(id),
    batchEnds,
    removeBefore(cutoffT) {
      const { changes } = sql.removeChunks.run(clamp(cutoffT));
      // While chunks are left, so are their series.
      if (Number(changes) === ROWS_REMOVED_AT_ONCE) return true;
      const ended = sql.endedSeries.all(clamp(cutoffT));
      for (const row of ended) {
        const labels = isSoundSeries(row) ? decodeLabels(fromStored(row.labels as Uint8Array)) : [];
        for (const [name, value] of labels) sql.removeLabel.run(name, value, Number(row.ref));
        sql.removeSeries.run(Number(row.ref));
      }
      return ended.length === SERIES_REMOVED_AT_ONCE;
    },
    *firstTimes() {
      let [maxT, ref, minT] = [Number.MIN_SAFE_INTEGER, 0, 0];
      for (;;) {
        const rows = journal.read(() => sql.firstTimes.all(maxT, ref, minT));
        if (rows.length > 0) yield rows.map((row) => Number(row.min_t));
        const last = rows.at(-1);
        if (last === undefined || rows.length < FIRST_TIMES_AT_ONCE) return;
        [maxT, ref, minT] = [Number(last.max_t), Number(last.ref), Number(last.min_t)];
      }
    },
    oldestEnd() {
      const row = sql.oldestEnd.get();
      return row?.t === null ? undefined : Number(row?.t);
    },
    find(labels) {
      const row = findByLabels(labels);
      if (row === undefined) return undefined;
      const ref = Number(row.ref);
      return { ref, persistedT: persistedT(ref), dropped: row.dropped === 1 };
    },
    *active() {
      for (const row of sql.active.iterate()) {
        if (!isSoundSeries(row)) continue;
        const persistedT = time(row, Number.NEGATIVE_INFINITY);
        yield { ref: Number(row.ref), labels: fromStored(row.labels as Uint8Array), persistedT };
      }
    },
    batches: () => batchesOf(sql.batches.iterate()),
    batchesAfter: (id) => batchesOf(sql.batchesAfter.iterate(id)),
    sizeAfter: (id) => sql.sizeAfter.get(id) as { commits: number; bytes: number },
    newestBeyond: (id, bytes, minT) => Number(sql.newestBeyond.get(id, bytes, clamp(minT))?.id),
    summaries,
    checkChunks(rows) {
      const page = sql.chunksAfter.all(...checkedTo, rows) as unknown as (StoredRow & { ref: number })[];
      for (const row of page) isSoundChunk(row.ref, row);
      const last = page.length < rows ? undefined : page.at(-1);
      checkedTo = last === undefined ? [0, Number.MIN_SAFE_INTEGER] : [last.ref, last.minT];
      return last === undefined;
    },
    forgetDamaged() {
      for (const row of damaged.splice(0)) summaries.remove(...row);
    },
    keepHashes() {
      let room = HASHES_AT_ONCE;
      for (const [digest, refs] of withoutHash) {
        for (const ref of refs) sql.setHash.run(digest, ref);
        withoutHash.delete(digest);
        room -= refs.length;
        if (room <= 0) return true;
      }
      return false;
    },
    labelsOf(ref) {
      const row = sql.labelsOf.get(ref);
      return row && fromStored(row.labels as Uint8Array);
    },
    chunks(ref, minT, maxT, beforeT) {
      const rows = sql.chunks.all(ref, clamp(minT), clamp(maxT), clamp(beforeT)) as unknown as StoredRow[];
      const found: SealedChunk[] = [];
      for (const row of rows) {
        if (!isSoundChunk(ref, row)) continue;
        for (const chunk of chunksIn(row)) {
          if (chunk.maxT >= minT && chunk.minT <= maxT && chunk.minT < beforeT) found.push(chunk);
        }
      }
      return found;
    },
    *selectDropped(matchers, minT, maxT) {
      const narrow = yield* narrowing(matchers);
      const bounds = [clamp(minT), clamp(maxT)] as const;
      const pages =
        narrow === undefined
          ? [(after: number) => sql.dropped.all(...bounds, after)]
          : narrow.values.map(
              (value) => (after: number) => sql.withLabel.all(narrow.name, value, ...bounds, after),
            );
      for (const page of pages) {
        for (const row of paged(page)) {
          const sound = row.found === 1 && isSoundSeries({ ...row });
          const labels = sound ? decodeLabels(fromStored(row.labels)) : undefined;
          const matches = labels !== undefined && matchesAll(labels, matchers);
          yield matches ? { ref: Number(row.ref), labels } : undefined;
        }
        yield undefined;
      }
    },
    newestDroppedT: () => time(sql.newestDropped.get(), Number.NEGATIVE_INFINITY),
    lastRef: Number(sql.lastRef.get()?.ref ?? 0),
    lastBatch: Number(sql.lastBatch.get()?.seq ?? 0),
  };
}
