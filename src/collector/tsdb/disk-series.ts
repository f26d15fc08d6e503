import { hash } from 'node:crypto';
import type { Journal } from '../../journal/journal.ts';
import { decodeLabels, type Labels } from '../../model/labels.ts';
import type { LabelMatcher } from '../storage/label-matcher.ts';
import type { SeriesRef } from '../storage/storage.ts';
import type { StoredIdentity } from './head.ts';
import { matchesAll } from './postings.ts';
import { createRowCheck, seriesCheck } from './row-check.ts';
import { toSafe } from './safe-time.ts';
import { fromStored, toStored } from './stored-labels.ts';

const HASH_BYTES = 6;

/** By which a series is found on disk: the first six bytes of the SHA-256 of its labels as stored, so that nobody makes them collide. */
export const labelsHash = (stored: Uint8Array): number =>
  hash('sha256', stored, 'buffer').readUIntBE(0, HASH_BYTES);

export interface DroppedSeries {
  readonly ref: SeriesRef;
  readonly labels: Labels;
}

/** The series that are on disk, found by their labels. Methods that change something are for inside `journal.write` only. */
export interface DiskSeries {
  add(ref: SeriesRef, labels: Uint8Array): void;
  /** The series is on disk only from now on; `lastT` is its newest sample. */
  drop(ref: SeriesRef, labels: Labels, lastT: number): void;
  /** Removes a series whose samples are all gone by retention. */
  forget(ref: SeriesRef): void;
  recall(ref: SeriesRef): void;
  /** Removes some dropped series that end before `cutoffT`, whose chunks are gone; true when there may be more. */
  removeBefore(cutoffT: number): boolean;
  labelsOf(ref: SeriesRef): Uint8Array | undefined;
  find(labels: Uint8Array): (StoredIdentity & { readonly dropped: boolean }) | undefined;
  active(): Iterable<StoredIdentity & { readonly labels: Uint8Array }>;
  /** Some of the hashes that are missing; true when there are more. */
  keepHashes(): boolean;
  /** Yields `undefined` now and then while it looks; reads a page at a time. */
  selectDropped(
    matchers: readonly LabelMatcher[],
    minT: number,
    maxT: number,
  ): Iterable<DroppedSeries | undefined>;
  /** The newest sample of all dropped series. */
  newestDroppedT(): number;
  /** The highest number there is, when the store was opened. */
  readonly lastRef: SeriesRef;
}

interface DroppedRow {
  readonly ref: number;
  readonly labels: Uint8Array;
  readonly crc: number | null;
  readonly found: number;
}

// Rows read at a stretch.
const PAGE_ROWS = 500;
// Each of these some milliseconds.
const SERIES_REMOVED_AT_ONCE = 50;
const HASHES_AT_ONCE = 500;
const LAST_CHUNK_END = '(SELECT max_t FROM chunk WHERE chunk.ref = series.ref ORDER BY min_t DESC LIMIT 1)';

export function createDiskSeries(journal: Journal): DiskSeries {
  const sql = {
    add: journal.prepare('INSERT OR IGNORE INTO series (ref, labels, crc, hash) VALUES (?, ?, ?, ?)'),
    withoutHash: journal.prepare('SELECT ref, labels FROM series WHERE hash IS NULL'),
    setHash: journal.prepare('UPDATE series SET hash = ? WHERE ref = ?'),
    firstChunk: journal.prepare('SELECT min_t AS t FROM chunk WHERE ref = ? ORDER BY min_t LIMIT 1'),
    drop: journal.prepare('UPDATE series SET dropped = 1, min_t = ?, max_t = ? WHERE ref = ?'),
    addLabel: journal.prepare('INSERT OR IGNORE INTO series_label (name, value, ref) VALUES (?, ?, ?)'),
    removeLabel: journal.prepare('DELETE FROM series_label WHERE name = ? AND value = ? AND ref = ?'),
    recall: journal.prepare('UPDATE series SET dropped = 0 WHERE ref = ?'),
    ended: journal.prepare(
      `SELECT ref, labels, crc FROM series WHERE dropped = 1 AND max_t < ? LIMIT ${SERIES_REMOVED_AT_ONCE}`,
    ),
    remove: journal.prepare('DELETE FROM series WHERE ref = ?'),
    find: journal.prepare(
      `SELECT ref, dropped, ${LAST_CHUNK_END} AS t FROM series WHERE hash = ? AND labels = ?`,
    ),
    findByRef: journal.prepare(
      `SELECT ref, dropped, ${LAST_CHUNK_END} AS t FROM series WHERE ref = ? AND labels = ?`,
    ),
    active: journal.prepare(`SELECT ref, labels, crc, ${LAST_CHUNK_END} AS t FROM series WHERE dropped = 0`),
    labelsOf: journal.prepare('SELECT labels FROM series WHERE ref = ?'),
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
  };
  const isSound = createRowCheck(journal);
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

  const isSoundSeries = ({ ref, labels, crc }: Record<string, unknown>) =>
    isSound(
      'series',
      crc,
      () => seriesCheck(Number(ref), labels as Uint8Array),
      () => `series ${ref}`,
    );

  return {
    add(ref, labelBytes) {
      const labels = toStored(labelBytes);
      sql.add.run(ref, labels, seriesCheck(ref, labels), labelsHash(labels));
    },
    drop(ref, labels, lastT) {
      const minT = time(sql.firstChunk.get(ref), lastT);
      sql.drop.run(minT, toSafe(lastT), ref);
      for (const [name, value] of labels) sql.addLabel.run(name, value, ref);
    },
    forget: (ref) => void sql.remove.run(ref),
    recall: (ref) => void sql.recall.run(ref),
    removeBefore(cutoffT) {
      const ended = sql.ended.all(toSafe(cutoffT));
      for (const row of ended) {
        const labels = isSoundSeries(row) ? decodeLabels(fromStored(row.labels as Uint8Array)) : [];
        for (const [name, value] of labels) sql.removeLabel.run(name, value, Number(row.ref));
        sql.remove.run(Number(row.ref));
      }
      return ended.length === SERIES_REMOVED_AT_ONCE;
    },
    labelsOf(ref) {
      const row = sql.labelsOf.get(ref);
      return row && fromStored(row.labels as Uint8Array);
    },
    find(labels) {
      const row = findByLabels(labels);
      if (row === undefined) return undefined;
      const persistedT = time(row, Number.NEGATIVE_INFINITY);
      return { ref: Number(row.ref), persistedT, dropped: row.dropped === 1 };
    },
    *active() {
      for (const row of sql.active.iterate()) {
        if (!isSoundSeries(row)) continue;
        const persistedT = time(row, Number.NEGATIVE_INFINITY);
        yield { ref: Number(row.ref), labels: fromStored(row.labels as Uint8Array), persistedT };
      }
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
    *selectDropped(matchers, minT, maxT) {
      const narrow = yield* narrowing(matchers);
      const bounds = [toSafe(minT), toSafe(maxT)] as const;
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
  };
}
