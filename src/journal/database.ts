import { closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { CodedError, messageOf } from '../util/coded-error.ts';
import { describeHolder } from './holder.ts';
import { isCurrent, migrate, type Schema } from './schema.ts';
import { toJournalError } from './trouble.ts';

export interface OpenedDatabase {
  readonly db: DatabaseSync;
  /** Why nothing can be written, where that is so. */
  readonly readOnly?: CodedError;
}

const CACHE_KIB = 32 * 1024;
const KEPT_LOG_BYTES = 64 * 1024 ** 2;

/** @throws what `openJournal` throws */
export function openDatabase(path: string, schemas: readonly Schema[]): OpenedDatabase {
  try {
    if (path !== ':memory:') makeFile(path);
    return { db: openWritable(path, schemas) };
  } catch (error) {
    const trouble = asOpenError(toJournalError(error, path), path);
    if (!(trouble instanceof CodedError)) throw trouble;
    if (trouble.code === 'JOURNAL_READ_ONLY') {
      const db = openReadOnly(path, schemas);
      if (db !== undefined) return { db, readOnly: trouble };
    }
    if (trouble.code !== 'JOURNAL_LOCKED') throw trouble;
    throw new CodedError(
      'JOURNAL_LOCKED',
      `${path} is held by ${describeHolder(path)}; stop it, or use another --data-dir`,
      { cause: error, status: 503 },
    );
  }
}

function openWritable(path: string, schemas: readonly Schema[]): DatabaseSync {
  const db = openAlone(path);
  try {
    migrate(db, schemas, path);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** For this process alone, and nothing changed yet. */
export function openAlone(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    // Exclusive before WAL: the lock is held from the first use to the end, and no shared memory file is made.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    // What a log grew to while it could not be moved into the file is given back.
    db.exec(`PRAGMA journal_size_limit = ${KEPT_LOG_BYTES}`);
    db.exec(`PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -${CACHE_KIB}; PRAGMA temp_store = MEMORY`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Runs `work` while nobody else can open the file at `path`, without reading its write-ahead log: SQLite's lock is on
 * the file itself, whatever its name, and the log goes by the name.
 */
export function withLock<T>(path: string, work: () => T): T {
  const alias = `${path}.locked`;
  rmSync(alias, { force: true });
  linkSync(path, alias);
  let db: DatabaseSync | undefined;
  try {
    db = openAlone(alias);
    db.exec('BEGIN EXCLUSIVE');
    return work();
  } finally {
    db?.close();
    for (const one of [alias, `${alias}-wal`]) rmSync(one, { force: true });
  }
}

/** On a disk that cannot be written SQLite can take no lock, and nobody else can change the file. */
function openReadOnly(path: string, schemas: readonly Schema[]): DatabaseSync | undefined {
  let db: DatabaseSync | undefined;
  try {
    const url = pathToFileURL(path);
    // A file whose log is gone, as after an orderly stop, SQLite reads only where it is told that nothing changes it.
    if (existsSync(`${path}-wal`)) url.searchParams.set('vfs', 'unix-none');
    else url.searchParams.set('immutable', '1');
    db = new DatabaseSync(url, { readOnly: true, timeout: 0 });
    db.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -${CACHE_KIB}; PRAGMA temp_store = MEMORY`);
    if (isCurrent(db, schemas, path)) return db;
  } catch {
    // What was wrong with it when it was opened for writing says more.
  }
  db?.close();
  return undefined;
}

/** For its owner alone, from the first moment: SQLite gives its write-ahead log the same permissions. */
function makeFile(path: string): void {
  const folder = dirname(path);
  const first = mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (first !== undefined) syncFolders(dirname(first), folder);
  closeSync(openSync(path, 'a', 0o600));
}

/** SQLite syncs the folder of a file with its log; that the folder itself is there after a power loss is ours to see to. */
function syncFolders(from: string, to: string): void {
  for (let folder = dirname(to); folder.length >= from.length; folder = dirname(folder)) {
    try {
      const opened = openSync(folder, 'r');
      try {
        fsyncSync(opened);
      } finally {
        closeSync(opened);
      }
    } catch {
      // A file system that cannot, or a folder that others own: nothing more can be done.
    }
    if (folder === dirname(folder)) return;
  }
}

/** What a user can do about a file that the system does not let us open; other errors as they are. */
export function asOpenError(error: unknown, path: string): unknown {
  const code = (error as { readonly code?: unknown }).code;
  if (error instanceof CodedError || typeof code !== 'string' || !/^E[A-Z]+$/.test(code)) return error;
  if (code === 'EROFS')
    return new CodedError(
      'JOURNAL_READ_ONLY',
      `${path} cannot be written: its disk is read-only; look why (dmesg), make it writable (mount -o remount,rw …), and it is written by itself`,
      { cause: error, status: 503 },
    );
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new CodedError(
      'JOURNAL_FULL',
      `${path} cannot be made: the disk is full; free space on that disk`,
      {
        cause: error,
        status: 503,
      },
    );
  const remedy = REMEDIES[code] ?? 'look at its folder, or use another --data-dir';
  return new CodedError('JOURNAL_CANNOT_OPEN', `${path} cannot be opened: ${messageOf(error)}; ${remedy}`, {
    cause: error,
  });
}

const NOT_OURS =
  'give the folder to the user who starts podvitals (chown), start as its owner, or use another --data-dir';
const A_FILE = 'a part of the path is a file: move it away, or use another --data-dir';
const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: NOT_OURS,
  EPERM: NOT_OURS,
  ENOTDIR: A_FILE,
  EEXIST: A_FILE,
  EISDIR: 'it is a folder: move it away, or use another --data-dir',
  EMFILE: 'raise the limit of open files (ulimit -n)',
};
