import type { Journal } from '../../journal/journal.ts';
import type { SeriesRef } from '../storage/storage.ts';
import { addToRow, type ChunkRow, chunksOfRow } from './chunk-row.ts';
import { chunkCheck, createRowCheck } from './row-check.ts';
import { toSafe } from './safe-time.ts';
import { type SealedChunk, XOR } from './sealed-chunk.ts';
import { createSummaryTable, type SummaryTable } from './summary-table.ts';

/** The chunks that are on disk, and what they come to. Methods that change something are for inside `journal.write` only. */
export interface ChunkTable {
  add(ref: SeriesRef, chunk: SealedChunk): void;
  /** Removes some chunks that end before `cutoffT`; true when there may be more. */
  removeBefore(cutoffT: number): boolean;
  find(ref: SeriesRef, minT: number, maxT: number, beforeT: number): readonly SealedChunk[];
  readonly summaries: SummaryTable;
  /** The end of the oldest chunks, some hundreds of them on; undefined when there are no chunks. */
  oldestEnd(): number | undefined;
  /** The first times of all rows of chunks, in no order, some at a time; what is written meanwhile may be left out. */
  firstTimes(): Iterable<readonly number[]>;
  /** Looks whether the next rows are what was written; true at the end, after which it begins again. */
  check(rows: number): boolean;
  /** Forgets what rows came to that are found damaged. */
  forgetDamaged(): void;
}

// A range that ends in a row decodes a part of it.
const LONGEST_ROW_SAMPLES = 8_192;

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

const OLDEST_AT_ONCE = 500;
const FIRST_TIMES_AT_ONCE = 1_000;
// Some milliseconds.
const ROWS_REMOVED_AT_ONCE = 100;
const MOST_DAMAGED = 1_000;

export function createChunkTable(journal: Journal): ChunkTable {
  const sql = {
    addRow: journal.prepare(
      `INSERT OR REPLACE INTO chunk (ref, min_t, max_t, count, body, layout, crc)
       VALUES (?, ?, ?, ?, ?, ${FRAMES}, ?)`,
    ),
    lastRow: journal.prepare(
      `SELECT min_t AS minT, max_t AS maxT, count, body, layout, crc FROM chunk
       WHERE ref = ? ORDER BY min_t DESC LIMIT 1`,
    ),
    removeBefore: journal.prepare(
      `DELETE FROM chunk WHERE (ref, min_t) IN
         (SELECT ref, min_t FROM chunk WHERE max_t < ? ORDER BY max_t LIMIT ${ROWS_REMOVED_AT_ONCE})`,
    ),
    oldestEnd: journal.prepare(
      `SELECT max(max_t) AS t FROM (SELECT max_t FROM chunk ORDER BY max_t LIMIT ${OLDEST_AT_ONCE})`,
    ),
    // What it reads is all in the index.
    firstTimes: journal.prepare(
      `SELECT max_t, ref, min_t FROM chunk WHERE (max_t, ref, min_t) > (?, ?, ?)
       ORDER BY max_t, ref, min_t LIMIT ${FIRST_TIMES_AT_ONCE}`,
    ),
    find: journal.prepare(
      // Rows do not overlap, so the one that holds ?2 starts at or before it and all others after.
      `SELECT min_t AS minT, max_t AS maxT, count, body, layout, crc FROM chunk
       WHERE ref = ?1 AND min_t >= coalesce((SELECT max(min_t) FROM chunk WHERE ref = ?1 AND min_t <= ?2), ?2)
         AND min_t <= ?3 AND min_t < ?4 ORDER BY min_t`,
    ),
    after: journal.prepare(
      `SELECT ref, min_t AS minT, max_t AS maxT, count, body, layout, crc FROM chunk
       WHERE (ref, min_t) > (?, ?) ORDER BY ref, min_t LIMIT ?`,
    ),
  };
  const isSound = createRowCheck(journal);
  const summaries = createSummaryTable(journal);
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

  return {
    add(ref, chunk) {
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
    removeBefore: (cutoffT) => Number(sql.removeBefore.run(toSafe(cutoffT)).changes) === ROWS_REMOVED_AT_ONCE,
    find(ref, minT, maxT, beforeT) {
      const rows = sql.find.all(ref, toSafe(minT), toSafe(maxT), toSafe(beforeT)) as unknown as StoredRow[];
      const found: SealedChunk[] = [];
      for (const row of rows) {
        if (!isSoundChunk(ref, row)) continue;
        for (const chunk of chunksIn(row)) {
          if (chunk.maxT >= minT && chunk.minT <= maxT && chunk.minT < beforeT) found.push(chunk);
        }
      }
      return found;
    },
    summaries,
    oldestEnd() {
      const row = sql.oldestEnd.get();
      return row?.t === null ? undefined : Number(row?.t);
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
    check(rows) {
      const page = sql.after.all(...checkedTo, rows) as unknown as (StoredRow & { ref: number })[];
      for (const row of page) isSoundChunk(row.ref, row);
      const last = page.length < rows ? undefined : page.at(-1);
      checkedTo = last === undefined ? [0, Number.MIN_SAFE_INTEGER] : [last.ref, last.minT];
      return last === undefined;
    },
    forgetDamaged() {
      for (const row of damaged.splice(0)) summaries.remove(...row);
    },
  };
}
