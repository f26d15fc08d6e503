import type { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { CodedError } from '../util/coded-error.ts';

/**
 * The tables of one component in a journal. `migrations[n]` is SQL that brings version n to n + 1, so the newest
 * version is their number. Migrations are only ever added.
 */
export interface Schema {
  readonly name: string;
  readonly migrations: readonly string[];
}

const SQLITE_ERROR = 1;
const VERSIONS =
  'CREATE TABLE IF NOT EXISTS schema_version (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT';

/** A check sum of all versions, which stands in the file's header: a version that is damaged does not pass for a newer one. */
const checkOf = (schemas: readonly Schema[]) =>
  crc32(schemas.map(({ name, migrations }) => `${name} ${migrations.length}\n`).join('')) | 0;

/**
 * Whether the file has every schema in its newest version; it is not changed.
 *
 * @throws JOURNAL_TOO_NEW, JOURNAL_CORRUPT when a version is not what was written
 */
export function isCurrent(db: DatabaseSync, schemas: readonly Schema[], path: string): boolean {
  const table = db
    .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'")
    .get();
  if (table === undefined) return false;
  const found = schemas.map((schema) => versionOf(db, schema));
  const newer = schemas.findIndex(({ migrations }, index) => found[index]! > migrations.length);
  if (newer !== -1) throw tooNew(db, schemas, newer, found[newer]!, path);
  return schemas.every(({ migrations }, index) => found[index] === migrations.length);
}

/**
 * Brings every schema up to date, all in one transaction; a file that is up to date is not written, so that one on a
 * full disk can be read.
 *
 * @throws JOURNAL_CORRUPT, JOURNAL_TOO_NEW when the file was written by a newer podvitals; nothing is changed then.
 */
export function migrate(db: DatabaseSync, schemas: readonly Schema[], path: string): void {
  if (isCurrent(db, schemas, path)) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    db.exec(VERSIONS);
    for (const schema of schemas) migrateOne(db, schema);
    db.exec(`PRAGMA user_version = ${checkOf(schemas)}`);
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    if ((error as { readonly errcode?: unknown }).errcode !== SQLITE_ERROR) throw error;
    // A table that is there already, or is missing: not what any podvitals left.
    throw new CodedError('JOURNAL_CORRUPT', `${path} is damaged: its tables are not those of its versions`, {
      cause: error,
      status: 503,
    });
  }
}

function migrateOne(db: DatabaseSync, schema: Schema): void {
  const found = versionOf(db, schema);
  const newest = schema.migrations.length;
  for (const sql of schema.migrations.slice(found)) db.exec(sql);
  db.prepare('INSERT OR REPLACE INTO schema_version (name, version) VALUES (?, ?)').run(schema.name, newest);
}

function versionOf(db: DatabaseSync, schema: Schema): number {
  const row = db.prepare('SELECT version FROM schema_version WHERE name = ?').get(schema.name);
  return Number(row?.version ?? 0);
}

function tooNew(
  db: DatabaseSync,
  schemas: readonly Schema[],
  index: number,
  found: number,
  path: string,
): CodedError {
  const { name, migrations } = schemas[index]!;
  if (db.prepare('PRAGMA user_version').get()?.user_version === checkOf(schemas))
    return new CodedError(
      'JOURNAL_CORRUPT',
      `${path} is damaged: the version of '${name}' is not what was written`,
      {
        status: 503,
      },
    );
  return new CodedError(
    'JOURNAL_TOO_NEW',
    `${path} has version ${found} of '${name}', this podvitals knows ${migrations.length}; ` +
      'run the newer podvitals that wrote it, or use another --data-dir',
  );
}
