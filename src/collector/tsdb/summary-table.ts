import type { Journal } from '../../journal/journal.ts';
import { addSummary, createSummary, type RangeSummary } from '../storage/range-summary.ts';
import type { SeriesRef } from '../storage/storage.ts';
import type { SealedChunk } from './chunk.ts';
import { addChunk } from './chunk-summary.ts';
import type { SummaryRow } from './range-walk.ts';
import { decodeSummary, encodeSummary } from './summary-row.ts';

/**
 * `summary` has a row for a row of `chunk` with the same key: what its samples come to, so that a range that holds all
 * of it need not read it. Rows written before there were summaries have none until somebody asks for them. They go
 * with their row of `chunk`; one that grows is replaced together with its summary.
 */
export const summarySchema = `
  CREATE TABLE summary (
    ref INTEGER NOT NULL, min_t INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (ref, min_t)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER summary_ends AFTER DELETE ON chunk
  BEGIN
    DELETE FROM summary WHERE ref = OLD.ref AND min_t = OLD.min_t;
  END`;

export interface SummaryTable {
  /** `chunk` was added to the row that starts at `minT`, after `others`. For inside `journal.write` only. */
  add(ref: SeriesRef, minT: number, chunk: SealedChunk, others?: () => Iterable<SealedChunk>): void;
  rows(ref: SeriesRef, minT: number, maxT: number, beforeT: number): readonly SummaryRow[];
  /** Of an old row without one: found out by whoever had to read it. Kept at the next `keepFound`. */
  found(ref: SeriesRef, row: SummaryRow, summary: RangeSummary): void;
  /** For inside `journal.write` only. */
  keepFound(): void;
}

const MOST_FOUND = 10_000;
const clamp = (t: number) => Math.min(Math.max(t, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);

export function createSummaryTable(journal: Journal): SummaryTable {
  const sql = {
    get: journal.prepare('SELECT body FROM summary WHERE ref = ? AND min_t = ?'),
    put: journal.prepare('INSERT OR REPLACE INTO summary (ref, min_t, body) VALUES (?, ?, ?)'),
    putFound: journal.prepare(
      `INSERT OR IGNORE INTO summary (ref, min_t, body)
       SELECT ref, min_t, ?4 FROM chunk WHERE ref = ?1 AND min_t = ?2 AND max_t = ?3`,
    ),
    rows: journal.prepare(
      // As in block-table.ts: the row that holds ?2 starts at or before it.
      `SELECT c.min_t AS minT, c.max_t AS maxT, s.body AS body
       FROM chunk c LEFT JOIN summary s ON s.ref = c.ref AND s.min_t = c.min_t
       WHERE c.ref = ?1
         AND c.min_t >= coalesce((SELECT max(min_t) FROM chunk WHERE ref = ?1 AND min_t <= ?2), ?2)
         AND c.min_t <= ?3 AND c.min_t < ?4 ORDER BY c.min_t`,
    ),
  };
  const waiting = new Map<string, readonly [ref: number, minT: number, maxT: number, body: Uint8Array]>();

  const ofOthers = (ref: SeriesRef, minT: number, others: () => Iterable<SealedChunk>) => {
    const row = sql.get.get(ref, minT);
    if (row !== undefined) return decodeSummary(row.body as Uint8Array);
    const summary = createSummary();
    for (const chunk of others()) addChunk(summary, chunk);
    return summary;
  };

  return {
    add(ref, minT, chunk, others) {
      const summary = others === undefined ? createSummary() : ofOthers(ref, minT, others);
      const added = createSummary();
      addChunk(added, chunk);
      addSummary(summary, added);
      sql.put.run(ref, minT, encodeSummary(summary));
    },
    rows(ref, minT, maxT, beforeT) {
      const found: SummaryRow[] = [];
      for (const row of sql.rows.all(ref, clamp(minT), clamp(maxT), clamp(beforeT))) {
        const endT = Number(row.maxT);
        if (endT < minT) continue;
        const summary = row.body === null ? undefined : decodeSummary(row.body as Uint8Array);
        found.push({ minT: Number(row.minT), maxT: endT, summary });
      }
      return found;
    },
    found(ref, { minT, maxT }, summary) {
      if (waiting.size < MOST_FOUND) waiting.set(`${ref}:${minT}`, [ref, minT, maxT, encodeSummary(summary)]);
    },
    keepFound() {
      for (const row of waiting.values()) sql.putFound.run(...row);
      waiting.clear();
    },
  };
}
