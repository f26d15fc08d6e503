import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../util/clock.ts';
import { CodedError, messageOf } from '../util/coded-error.ts';
import { type Checkpoints, createCheckpoints } from './checkpoint.ts';
import { asOpenError, type OpenedDatabase, openAlone, openDatabase, withLock } from './database.ts';
import { removeHolder, writeHolder } from './holder.ts';
import { finishSalvage, type SalvageRow, salvage, salvageInWords } from './salvage.ts';
import { migrate, type Schema } from './schema.ts';
import { type JournalState, RESTART, toJournalError } from './trouble.ts';
import { isLogDamaged, mendLog } from './write-ahead-log.ts';

export interface JournalOptions {
  readonly clock: Clock;
  /** The tables of whoever shares the file. */
  readonly schemas: readonly Schema[];
  /**
   * A damaged file is salvaged when it is opened, if this tells which rows are what was written; left out, it is an
   * error.
   */
  readonly isSound?: (table: string, row: SalvageRow) => boolean;
  /** Where the write-ahead log cannot be moved into the file, so much is taken into it; 1 GiB when left out. */
  readonly mostLogBytes?: number;
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
 * disk that cannot be written is read only: every write rejects, and the state says why.
 *
 * @throws JOURNAL_LOCKED naming the holder; JOURNAL_TOO_NEW; JOURNAL_NOT_A_JOURNAL; JOURNAL_CORRUPT;
 * JOURNAL_CANNOT_OPEN; JOURNAL_FULL; JOURNAL_READ_ONLY where it cannot even be read.
 */
export function openJournal(path: string, options: JournalOptions): Journal {
  const inMemory = path === ':memory:';
  const place = inMemory ? path : resolve(path);
  const opened: OpenedFile = inMemory ? openDatabase(place, options.schemas) : openFile(place, options);
  const { db, readOnly, mended } = opened;
  const pageSize = Number(db.prepare('PRAGMA page_size').get()?.page_size);

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
  if (readOnly !== undefined) setState(readOnly);

  const checkpoints =
    inMemory || readOnly !== undefined
      ? undefined
      : createCheckpoints(db, {
          clock: options.clock,
          path: place,
          mostLogBytes: options.mostLogBytes,
          toError: (error) => toJournalError(error, place),
          onCorrupt: setState,
        });

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
      const failure = toJournalError(error, place);
      setState(failure);
      for (const one of group) one.reject(failure);
      return;
    }
    if (!closed) checkpoints?.committed();
    for (const done of settle) done();
  };

  return {
    path: place,
    prepare: (sql) => db.prepare(sql),
    write<T>(work: () => T): Promise<T> {
      if (closed)
        return Promise.reject(new CodedError('JOURNAL_CLOSED', `${place} is closed`, { status: 503 }));
      const refused = readOnly ?? checkpoints?.refusal?.error;
      if (refused !== undefined) return Promise.reject(refused);
      return new Promise<T>((resolveWrite, reject) => {
        waiting.push({ work, resolve: resolveWrite as (value: unknown) => void, reject });
        scheduled ??= setImmediate(flush);
      });
    },
    read(work) {
      try {
        return work();
      } catch (error) {
        const failure = toJournalError(error, place);
        if (failure !== error) setState(failure);
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
      checkpoints?.stop();
      db.close();
      if (!inMemory && readOnly === undefined) removeHolder(place);
    },
  };
}

function refusalState(refusal: Checkpoints['refusal']): JournalState {
  if (refusal === undefined) return { kind: 'ok' };
  const { code, message } = refusal.error;
  return { kind: 'failed', code, message, sinceMs: refusal.sinceMs };
}

/** A file beside the journal whose holder found it damaged: the next start salvages. */
const damageMark = (path: string) => `${path}.damaged`;

function markDamaged(path: string): void {
  try {
    writeFileSync(damageMark(path), '', { mode: 0o600 });
  } catch {
    // On a full or read-only disk the next holder has to find out by itself.
  }
}

interface OpenedFile extends OpenedDatabase {
  /** What was mended, in words. */
  readonly mended?: string;
}

/** Opens a file, mending what can be mended of it. */
function openFile(path: string, options: JournalOptions): OpenedFile {
  const { schemas, isSound } = options;
  const keepAt = `${path}.damaged-${new Date(options.clock.now()).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
  try {
    finishSalvage(path);
  } catch (error) {
    throw asOpenError(error, path);
  }
  const mendedLog = isSound && mendLogOf(path, keepAt);
  try {
    if (isSound && existsSync(damageMark(path))) throw toJournalError({ errcode: 11 }, path);
    const opened = openDatabase(path, schemas);
    if (mendedLog !== undefined) requireSound(opened.db, path);
    if (opened.readOnly === undefined) writeHolder(path);
    return { ...opened, ...(mendedLog !== undefined && { mended: mendedLog }) };
  } catch (error) {
    const trouble = toJournalError(error, path);
    if (!isSound || !isDamage(trouble)) throw trouble;
    const salvaged = salvage({
      path,
      keepAt,
      isSound,
      open(place, kind) {
        const db = openAlone(place);
        if (kind === 'new') migrate(db, schemas, place);
        return db;
      },
    });
    rmSync(damageMark(path), { force: true });
    const opened = openDatabase(path, schemas);
    writeHolder(path);
    return { ...opened, mended: salvageInWords(path, salvaged).message };
  }
}

const isDamage = (error: unknown) =>
  error instanceof CodedError && ['JOURNAL_CORRUPT', 'JOURNAL_NOT_A_JOURNAL'].includes(error.code);

function mendLogOf(path: string, keepAt: string): string | undefined {
  try {
    if (!isLogDamaged(`${path}-wal`)) return undefined;
    const found = withLock(path, () => mendLog(`${path}-wal`, `${keepAt}-wal`));
    return (
      found &&
      `the write-ahead log of ${path} was damaged in ${found.frames} places; it was read on behind them, and is kept as it was at ${found.keptAt}`
    );
  } catch {
    // Held by another process, or on a disk that is full or read-only: opening it says which.
    return undefined;
  }
}

/** Pages that came out of a mended log may be anything. */
function requireSound(db: DatabaseSync, path: string): void {
  const [first] = db.prepare('PRAGMA quick_check(1)').all();
  if (first?.quick_check === 'ok') return;
  db.close();
  throw toJournalError({ errcode: 11, message: String(first?.quick_check) }, path);
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
