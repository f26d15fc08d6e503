import type { Journal } from '../../journal/journal.ts';
import { batchCheck, createRowCheck } from './row-check.ts';
import { toSafe } from './safe-time.ts';

export interface StoredBatch {
  readonly id: number;
  readonly body: Uint8Array;
}

/** Commits whose samples are not all in chunks. Methods that change something are for inside `journal.write` only. */
export interface BatchTable {
  add(maxT: number, body: Uint8Array): number;
  remove(id: number): void;
  /** The newest sample of each commit that is on disk; who removed one takes it out once that is committed. */
  readonly ends: Map<number, number>;
  /** Oldest first. */
  all(): Iterable<StoredBatch>;
  /** Commits after `id`, oldest first. */
  after(id: number): Iterable<StoredBatch>;
  /** How many commits there are after `id`, and their bytes. */
  sizeAfter(id: number): { readonly commits: number; readonly bytes: number };
  /** The newest commit that is beyond the last `bytes` of those after `id`, or ends before `minT`; `id` if none is. */
  newestBeyond(id: number, bytes: number, minT: number): number;
  /** The newest that there ever was, when the store was opened. */
  readonly last: number;
}

export function createBatchTable(journal: Journal): BatchTable {
  const sql = {
    add: journal.prepare('INSERT INTO batch (max_t, body, crc) VALUES (?, ?, ?)'),
    remove: journal.prepare('DELETE FROM batch WHERE id = ?'),
    ends: journal.prepare('SELECT id, max_t AS maxT FROM batch'),
    all: journal.prepare('SELECT id, max_t AS maxT, body, crc FROM batch ORDER BY id'),
    after: journal.prepare('SELECT id, max_t AS maxT, body, crc FROM batch WHERE id > ? ORDER BY id'),
    sizeAfter: journal.prepare(
      'SELECT count(*) AS commits, coalesce(sum(length(body)), 0) AS bytes FROM batch WHERE id > ?',
    ),
    newestBeyond: journal.prepare(
      `SELECT coalesce(max(id), ?1) AS id FROM (
         SELECT id, max_t, sum(length(body)) OVER (ORDER BY id DESC) AS bytes FROM batch WHERE id > ?1
       ) WHERE bytes > ?2 OR max_t < ?3`,
    ),
    last: journal.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'batch'"),
  };
  const isSound = createRowCheck(journal);
  const ends = new Map(sql.ends.all().map(({ id, maxT }) => [Number(id), Number(maxT)]));

  function* sound(rows: Iterable<Record<string, unknown>>): Generator<StoredBatch> {
    for (const { id, maxT, body, crc } of rows) {
      const bytes = body as Uint8Array;
      const isWhole = isSound(
        'batch',
        crc,
        () => batchCheck(Number(maxT), bytes),
        () => `commit ${id}`,
      );
      if (isWhole) yield { id: Number(id), body: bytes };
    }
  }

  return {
    add(maxT, body) {
      const id = Number(sql.add.run(maxT, body, batchCheck(maxT, body)).lastInsertRowid);
      ends.set(id, maxT);
      return id;
    },
    remove: (id) => void sql.remove.run(id),
    ends,
    all: () => sound(sql.all.iterate()),
    after: (id) => sound(sql.after.iterate(id)),
    sizeAfter: (id) => sql.sizeAfter.get(id) as { commits: number; bytes: number },
    newestBeyond: (id, bytes, minT) => Number(sql.newestBeyond.get(id, bytes, toSafe(minT))?.id),
    last: Number(sql.last.get()?.seq ?? 0),
  };
}
