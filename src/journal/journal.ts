import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { CancelTimer, Clock } from '../util/clock.ts';
import { CodedError, messageOf } from '../util/coded-error.ts';
import { describeHolder, removeHolder, writeHolder } from './holder.ts';
import { migrate, type Schema } from './schema.ts';
import { type JournalState, toJournalError } from './trouble.ts';

export interface JournalOptions {
  readonly clock: Clock;
  /** The tables of whoever shares the file. */
  readonly schemas: readonly Schema[];
}

/** One SQLite file held by this process alone. */
export interface Journal {
  readonly path: string;
  /** A statement for reads at any time, and for writes inside `write` only. */
  prepare(sql: string): StatementSync;
  /**
   * Runs `work` in a transaction and resolves with its answer once that is on disk (`synchronous=FULL`). All work
   * handed over within a turn of the event loop shares one transaction, in order. Work that throws undoes itself
   * alone. When the commit fails nothing of it happened, and every promise of the group rejects with a CodedError
   * `JOURNAL_*`.
   */
  write<T>(work: () => T): Promise<T>;
  /** Answers what `work` reads; the file's trouble becomes a CodedError and shows in the state. */
  read<T>(work: () => T): T;
  state(): JournalState;
  /** What SQLite finds wrong with the file; empty when sound. Reads the whole file. */
  check(): readonly string[];
  /** Bytes in use, free pages not counted. */
  usedBytes(): number;
  /** Writes what waits, then lets go of the file. Calling it again does nothing. */
  close(): Promise<void>;
}

interface Waiting {
  readonly work: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

// SQLite's own checkpoint runs inside the commit that crosses 1,000 pages and stalls it; ours runs between commits.
const CHECKPOINT_AFTER_MS = 5_000;
const CACHE_KIB = 32 * 1024;

/**
 * Opens or makes the journal at `path` (`:memory:` for one that is not kept), and locks it for this process.
 *
 * @throws JOURNAL_LOCKED naming the holder; JOURNAL_TOO_NEW; JOURNAL_NOT_A_JOURNAL; JOURNAL_CORRUPT;
 * JOURNAL_CANNOT_OPEN; JOURNAL_READ_ONLY.
 */
export function openJournal(path: string, options: JournalOptions): Journal {
  const inMemory = path === ':memory:';
  const place = inMemory ? path : resolve(path);
  const db = openDatabase(place, inMemory, options.schemas);
  const pageSize = Number(db.prepare('PRAGMA page_size').get()?.page_size);

  let state: JournalState = { kind: 'ok' };
  let waiting: Waiting[] = [];
  let scheduled: NodeJS.Immediate | undefined;
  let cancelCheckpoint: CancelTimer | undefined;
  let closed = false;

  const setState = (error?: unknown) => {
    if (error === undefined) {
      state = { kind: 'ok' };
      return;
    }
    const code = error instanceof CodedError ? error.code : 'JOURNAL_FAILED';
    const sinceMs = state.kind === 'failed' ? state.sinceMs : options.clock.now();
    state = { kind: 'failed', code, message: messageOf(error), sinceMs };
  };

  const checkpoint = () => {
    cancelCheckpoint = undefined;
    try {
      db.exec('PRAGMA wal_checkpoint(PASSIVE)');
    } catch (error) {
      setState(toJournalError(error, place));
    }
  };

  const flush = () => {
    scheduled = undefined;
    const group = waiting;
    waiting = [];
    if (group.length === 0) return;
    let settle: (() => void)[];
    try {
      settle = commitGroup(db, group);
      setState();
    } catch (error) {
      const trouble = toJournalError(error, place);
      setState(trouble);
      for (const one of group) one.reject(trouble);
      return;
    }
    if (!inMemory && !closed)
      cancelCheckpoint ??= options.clock.setTimer(CHECKPOINT_AFTER_MS, checkpoint, { unref: true });
    for (const done of settle) done();
  };

  return {
    path: place,
    prepare: (sql) => db.prepare(sql),
    write<T>(work: () => T): Promise<T> {
      if (closed)
        return Promise.reject(new CodedError('JOURNAL_CLOSED', `${place} is closed`, { status: 503 }));
      return new Promise<T>((resolveWrite, reject) => {
        waiting.push({ work, resolve: resolveWrite as (value: unknown) => void, reject });
        scheduled ??= setImmediate(flush);
      });
    },
    read(work) {
      try {
        return work();
      } catch (error) {
        const trouble = toJournalError(error, place);
        if (trouble !== error) setState(trouble);
        throw trouble;
      }
    },
    state: () => state,
    check() {
      const rows = db.prepare('PRAGMA quick_check(10)').all();
      const findings = rows.map((row) => String(row.quick_check));
      return findings.length === 1 && findings[0] === 'ok' ? [] : findings;
    },
    usedBytes() {
      const pages = Number(db.prepare('PRAGMA page_count').get()?.page_count);
      const free = Number(db.prepare('PRAGMA freelist_count').get()?.freelist_count);
      return (pages - free) * pageSize;
    },
    async close() {
      if (closed) return;
      closed = true;
      clearImmediate(scheduled);
      flush();
      cancelCheckpoint?.();
      db.close();
      if (!inMemory) removeHolder(place);
    },
  };
}

function openDatabase(path: string, inMemory: boolean, schemas: readonly Schema[]): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    if (!inMemory) makeFile(path);
    db = new DatabaseSync(path, { timeout: 0 });
    // Exclusive before WAL: the lock is held from the first use to the end, and no shared memory file is made.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    db.exec(`PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -${CACHE_KIB}; PRAGMA temp_store = MEMORY`);
    migrate(db, schemas, path);
    if (!inMemory) writeHolder(path);
    return db;
  } catch (error) {
    db?.close();
    const trouble = toJournalError(error, path);
    if (trouble instanceof CodedError && trouble.code === 'JOURNAL_LOCKED') {
      throw new CodedError(
        'JOURNAL_LOCKED',
        `${path} is held by ${describeHolder(path)}; stop it, or use another --data-dir`,
        { cause: error, status: 503 },
      );
    }
    throw asOpenError(trouble, path);
  }
}

/** For its owner alone, from the first moment: SQLite gives its write-ahead log the same permissions. */
function makeFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, 'a', 0o600));
}

function asOpenError(error: unknown, path: string): unknown {
  const code = (error as { readonly code?: unknown }).code;
  if (error instanceof CodedError || typeof code !== 'string' || !/^E[A-Z]+$/.test(code)) return error;
  return new CodedError('JOURNAL_CANNOT_OPEN', `${path} cannot be opened: ${messageOf(error)}`, {
    cause: error,
  });
}

/** Runs a group in one transaction; answers what to do to each promise after the commit. */
function commitGroup(db: DatabaseSync, group: readonly Waiting[]): (() => void)[] {
  const settle: (() => void)[] = [];
  db.exec('BEGIN IMMEDIATE');
  try {
    for (const one of group) settle.push(runInSavepoint(db, one));
    db.exec('COMMIT');
    return settle;
  } catch (error) {
    // A full disk makes SQLite roll back by itself.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function runInSavepoint(db: DatabaseSync, one: Waiting): () => void {
  db.exec('SAVEPOINT work');
  try {
    const value = one.work();
    db.exec('RELEASE work');
    return () => one.resolve(value);
  } catch (error) {
    // The file's own trouble concerns the whole group; anything else only this piece of work.
    if (typeof (error as { readonly errcode?: unknown }).errcode === 'number' || !db.isTransaction)
      throw error;
    db.exec('ROLLBACK TO work; RELEASE work');
    return () => one.reject(error);
  }
}
