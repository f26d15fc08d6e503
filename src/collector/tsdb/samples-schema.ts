import type { Schema } from '../../journal/schema.ts';
import { summarySchema } from './summary-table.ts';

/**
 * `series` has a row for every series with samples, `dropped` once it is on disk only; those are found by
 * `series_label`. `batch` holds commits whose samples are not all in `chunk` yet: it is replayed at the start. The
 * body of a `chunk` with `layout` 0, from before there were others, is one XOR chunk; with 1 it is a `ChunkRow`. `crc`
 * as in row-check.ts; null in rows from before there was one. A row that is not what was written is passed over. `hash`
 * is null in rows from before there was one, and after a salvage, until `keepHashes`.
 */
export const samplesSchema: Schema = {
  name: 'samples',
  migrations: [
    `CREATE TABLE series (
       ref INTEGER PRIMARY KEY, labels BLOB NOT NULL UNIQUE, dropped INTEGER NOT NULL DEFAULT 0,
       min_t INTEGER, max_t INTEGER
     ) STRICT;
     CREATE INDEX series_dropped ON series (dropped, max_t);
     CREATE TABLE series_label (
       name TEXT NOT NULL, value TEXT NOT NULL, ref INTEGER NOT NULL, PRIMARY KEY (name, value, ref)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE batch (id INTEGER PRIMARY KEY AUTOINCREMENT, max_t INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
     CREATE TABLE chunk (
       ref INTEGER NOT NULL, min_t INTEGER NOT NULL, max_t INTEGER NOT NULL, count INTEGER NOT NULL,
       body BLOB NOT NULL, PRIMARY KEY (ref, min_t)
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX chunk_by_end ON chunk (max_t)`,
    'ALTER TABLE chunk ADD COLUMN layout INTEGER NOT NULL DEFAULT 0',
    `ALTER TABLE series ADD COLUMN crc INTEGER;
     ALTER TABLE batch ADD COLUMN crc INTEGER;
     ALTER TABLE chunk ADD COLUMN crc INTEGER`,
    summarySchema,
    // Without the index over all of the labels, which cost more than the labels themselves.
    `ALTER TABLE series RENAME TO series_before;
     DROP INDEX series_dropped;
     CREATE TABLE series (
       ref INTEGER PRIMARY KEY, labels BLOB NOT NULL, dropped INTEGER NOT NULL DEFAULT 0,
       min_t INTEGER, max_t INTEGER, crc INTEGER, hash INTEGER
     ) STRICT;
     INSERT INTO series (ref, labels, dropped, min_t, max_t, crc)
       SELECT ref, labels, dropped, min_t, max_t, crc FROM series_before;
     DROP TABLE series_before;
     CREATE INDEX series_dropped ON series (dropped, max_t);
     CREATE INDEX series_by_hash ON series (hash)`,
  ],
};
