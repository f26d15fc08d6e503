import { resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { CodedError, messageOf } from '../util/coded-error.ts';
import { type Checkpoints, createCheckpoints } from './checkpoint.ts';
import { createConnection, type Statement } from './connection.ts';
import { openDatabase } from './database.ts';
import { removeHolder } from './holder.ts';
import { markDamaged, type OpenedFile, type OpenOptions, openFile } from './journal-file.ts';
import { createReadOnly, isDiskReadOnly } from './read-only.ts';
import { becameReadOnly, type JournalState, RESTART, toJournalError } from './trouble.ts';

export interface JournalOptions extends OpenOptions {
  /** Where the write-ahead log cannot be moved into the file, so much is taken into it; 1 GiB when left out. */
  readonly mostLogBytes?: number;
}

/** One SQLite file held by this process alone. */
export interface Journal {
  readonly path: string;
  /** A statement for reads at any time, and for writes inside `write` only. */
  prepare(sql: string): Statement;
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
  /** Something read is not what was written; it is left out. Shows in the state until the file is closed. */
  foundDamage(what: string): void;
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

/**
 * Opens or makes the journal at `path` (`:memory:` for one that is not kept), and locks it for this process. One on a
 * disk that cannot be written is read only: every write rejects, and the state says why; a write that finds the disk
 * writable opens it again, and goes on.
 *
 * @throws JOURNAL_LOCKED naming the holder; JOURNAL_TOO_NEW; JOURNAL_NOT_A_JOURNAL; JOURNAL_CORRUPT;
 * JOURNAL_CANNOT_OPEN; JOURNAL_FULL; JOURNAL_READ_ONLY where it cannot even be read.
 */
export function openJournal(path: string, options: JournalOptions): Journal {
  const inMemory = path === ':memory:';
  const place = inMemory ? path : resolve(path);
  const opened: OpenedFile = inMemory ? openDatabase(place, options.schemas) : openFile(place, options);
  const { readOnly: error, mended } = opened;
  let readOnly = error && createReadOnly({ ...options, path: place, error });
  const connection = createConnection(opened.db, readOnly !== undefined);
  const pageSize = Number(connection.prepare('PRAGMA page_size').get()?.page_size);

  let trouble: Exclude<JournalState, { kind: 'ok' }> | undefined;
  let damage = mended;
  let waiting: Waiting[] = [];
  let scheduled: NodeJS.Immediate | undefined;
  let closed = false;

  const setState = (error?: unknown) => {
    if (error === undefined) {
      trouble = undefined;
      return;
    }
    const code = error instanceof CodedError ? error.code : 'JOURNAL_FAILED';
    const message = messageOf(error);
    trouble = { kind: 'failed', code, message, sinceMs: trouble?.sinceMs ?? options.clock.now() };
    if (code !== 'JOURNAL_CORRUPT') return;
    damage ??= message;
    if (!inMemory) markDamaged(place);
  };
  if (readOnly !== undefined) setState(readOnly.error);

  const startCheckpoints = () =>
    createCheckpoints(connection.db, {
      clock: options.clock,
      path: place,
      mostLogBytes: options.mostLogBytes,
      toError: (cause) => toJournalError(cause, place),
      onCorrupt: setState,
    });
  let checkpoints = inMemory || readOnly !== undefined ? undefined : startCheckpoints();

  /** Why nothing can be written just now. */
  const refusal = () => {
    if (readOnly === undefined) return checkpoints?.refusal?.error;
    const db = readOnly.reopened();
    if (db === undefined) {
      setState(readOnly.error);
      return readOnly.error;
    }
    readOnly = undefined;
    connection.replace(db);
    checkpoints = startCheckpoints();
    setState();
    return undefined;
  };

  const flush = () => {
    scheduled = undefined;
    const group = waiting;
    waiting = [];
    if (group.length === 0) return;
    let settle: (() => void)[];
    try {
      settle = commitGroup(connection.db, group);
      setState();
    } catch (cause) {
      let failure = toJournalError(cause, place);
      if (isIoError(failure) && isDiskReadOnly(place)) failure = becameReadOnly(place, failure);
      setState(failure);
      for (const one of group) one.reject(failure);
      return;
    }
    if (!closed) checkpoints?.committed();
    for (const done of settle) done();
  };

  return {
    path: place,
    prepare: connection.prepare,
    write<T>(work: () => T): Promise<T> {
      if (closed)
        return Promise.reject(new CodedError('JOURNAL_CLOSED', `${place} is closed`, { status: 503 }));
      const refused = refusal();
      if (refused !== undefined) return Promise.reject(refused);
      return new Promise<T>((resolveWrite, reject) => {
        waiting.push({ work, resolve: resolveWrite as (value: unknown) => void, reject });
        scheduled ??= setImmediate(flush);
      });
    },
    read(work) {
      try {
        return work();
      } catch (cause) {
        const failure = toJournalError(cause, place);
        if (failure !== cause) setState(failure);
        throw failure;
      }
    },
    state() {
      const behind = checkpoints?.behind;
      return {
        ...(trouble ?? refusalState(checkpoints?.refusal)),
        ...(damage !== undefined && { damage }),
        ...(behind !== undefined && { behind }),
      };
    },
    foundDamage(what) {
      damage ??= `${place} is damaged: ${what}, which is left out, all else is read; ${RESTART}`;
      if (!inMemory) markDamaged(place);
    },
    check() {
      const rows = connection.db.prepare('PRAGMA quick_check(10)').all();
      const findings = rows.map((row) => String(row.quick_check));
      return findings.length === 1 && findings[0] === 'ok' ? [] : findings;
    },
    usedBytes() {
      const pages = Number(connection.db.prepare('PRAGMA page_count').get()?.page_count);
      const free = Number(connection.db.prepare('PRAGMA freelist_count').get()?.freelist_count);
      return (pages - free) * pageSize;
    },
    async close() {
      if (closed) return;
      closed = true;
      clearImmediate(scheduled);
      flush();
      checkpoints?.stop();
      connection.db.close();
      if (!inMemory && readOnly === undefined) removeHolder(place);
    },
  };
}

function refusalState(refusal: Checkpoints['refusal']): JournalState {
  if (refusal === undefined) return { kind: 'ok' };
  const { code, message } = refusal.error;
  return { kind: 'failed', code, message, sinceMs: refusal.sinceMs };
}

const isIoError = (error: unknown) => error instanceof CodedError && error.code === 'JOURNAL_IO';

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
