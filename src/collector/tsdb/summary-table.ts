import type { Journal } from '../../journal/journal.ts';
import { addSummary, createSummary, type RangeSummary } from '../storage/range-summary.ts';
import type { SeriesRef } from '../storage/storage.ts';
import { addChunk } from './chunk-summary.ts';
import type { SummaryRow } from './range-walk.ts';
import { summaryCheck } from './row-check.ts';
import { toSafe } from './safe-time.ts';
import type { SealedChunk } from './sealed-chunk.ts';
import { decodeSummary, encodeSummary } from './summary-row.ts';

/**
 * `summary` has a row for a row of `chunk` with the same key: what its samples come to, so that a range that holds all
 * of it need not read it. Rows written before there were summaries have none until somebody asks for them. They go
 * with their row of `chunk`; one that grows is replaced together with its summary. A summary whose check sum is wrong, or
 * that was of a shorter row, counts as none.
 */
export const summarySchema = `
  CREATE TABLE summary (
    ref INTEGER NOT NULL, min_t INTEGER NOT NULL, body BLOB NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY (ref, min_t)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER summary_ends AFTER DELETE ON chunk
  BEGIN
    DELETE FROM summary WHERE ref = OLD.ref AND min_t = OLD.min_t;
  END`;

export interface SummaryTable {
  /** `chunk` made `row`, or made it out of `before`. For inside `journal.write` only. */
  add(ref: SeriesRef, row: RowBounds, chunk: SealedChunk, before: RowBefore | undefined): void;
  rows(ref: SeriesRef, minT: number, maxT: number, beforeT: number): readonly SummaryRow[];
  /** Of an old row without one: found out by whoever had to read it. Kept at the next `keepFound`. */
  found(ref: SeriesRef, row: SummaryRow, summary: RangeSummary): void;
  /** Keeps some; true when there are more. For inside `journal.write` only. */
  keepFound(): boolean;
  /** Of a row that is not what was written. For inside `journal.write` only. */
  remove(ref: SeriesRef, minT: number): void;
}

interface RowBounds {
  readonly minT: number;
  readonly maxT: number;
}

interface RowBefore {
  readonly maxT: number;
  readonly chunks: () => Iterable<SealedChunk>;
}

const MOST_FOUND = 10_000;
const KEPT_AT_ONCE = 200;

export function createSummaryTable(journal: Journal): SummaryTable {
  const sql = {
    get: journal.prepare('SELECT body, crc FROM summary WHERE ref = ? AND min_t = ?'),
    remove: journal.prepare('DELETE FROM summary WHERE ref = ? AND min_t = ?'),
    put: journal.prepare('INSERT OR REPLACE INTO summary (ref, min_t, body, crc) VALUES (?, ?, ?, ?)'),
    putFound: journal.prepare(
      `INSERT OR REPLACE INTO summary (ref, min_t, body, crc)
       SELECT ref, min_t, ?4, ?5 FROM chunk WHERE ref = ?1 AND min_t = ?2 AND max_t = ?3`,
    ),
    rows: journal.prepare(
      // As in chunk-table.ts: the row that holds ?2 starts at or before it.
      `SELECT c.min_t AS minT, c.max_t AS maxT, s.body AS body, s.crc AS crc
       FROM chunk c LEFT JOIN summary s ON s.ref = c.ref AND s.min_t = c.min_t
       WHERE c.ref = ?1
         AND c.min_t >= coalesce((SELECT max(min_t) FROM chunk WHERE ref = ?1 AND min_t <= ?2), ?2)
         AND c.min_t <= ?3 AND c.min_t < ?4 ORDER BY c.min_t`,
    ),
  };
  const waiting = new Map<
    string,
    readonly [ref: number, minT: number, maxT: number, body: Uint8Array, crc: number]
  >();

  /** Undefined where there is none to be believed. */
  const read = (ref: SeriesRef, { minT, maxT }: RowBounds, row: Record<string, unknown> | undefined) => {
    if (row === undefined || row.body === null) return undefined;
    const body = row.body as Uint8Array;
    return summaryCheck(ref, minT, maxT, body) === row.crc ? decodeSummary(body) : undefined;
  };

  const ofBefore = (ref: SeriesRef, minT: number, { maxT, chunks }: RowBefore) => {
    const known = read(ref, { minT, maxT }, sql.get.get(ref, minT));
    if (known !== undefined) return known;
    const summary = createSummary();
    for (const chunk of chunks()) addChunk(summary, chunk);
    return summary;
  };

  return {
    add(ref, { minT, maxT }, chunk, before) {
      const summary = before === undefined ? createSummary() : ofBefore(ref, minT, before);
      const added = createSummary();
      addChunk(added, chunk);
      addSummary(summary, added);
      const body = encodeSummary(summary);
      sql.put.run(ref, minT, body, summaryCheck(ref, minT, maxT, body));
    },
    rows(ref, minT, maxT, beforeT) {
      const found: SummaryRow[] = [];
      for (const row of sql.rows.all(ref, toSafe(minT), toSafe(maxT), toSafe(beforeT))) {
        const bounds = { minT: Number(row.minT), maxT: Number(row.maxT) };
        if (bounds.maxT >= minT) found.push({ ...bounds, summary: read(ref, bounds, row) });
      }
      return found;
    },
    found(ref, { minT, maxT }, summary) {
      if (waiting.size >= MOST_FOUND) return;
      const body = encodeSummary(summary);
      waiting.set(`${ref}:${minT}`, [ref, minT, maxT, body, summaryCheck(ref, minT, maxT, body)]);
    },
    remove: (ref, minT) => void sql.remove.run(ref, toSafe(minT)),
    keepFound() {
      let room = KEPT_AT_ONCE;
      for (const [key, row] of waiting) {
        if (room === 0) return true;
        sql.putFound.run(...row);
        waiting.delete(key);
        room -= 1;
      }
      return false;
    },
  };
}
