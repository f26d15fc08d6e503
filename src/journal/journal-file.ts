import { existsSync, rmSync, writeFileSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../util/clock.ts';
import { CodedError } from '../util/coded-error.ts';
import { asOpenError, type OpenedDatabase, openAlone, openDatabase, withLock } from './database.ts';
import { writeHolder } from './holder.ts';
import { finishSalvage, type SalvageRow, salvage, salvageInWords } from './salvage.ts';
import { migrate, type Schema } from './schema.ts';
import { toJournalError } from './trouble.ts';
import { isLogDamaged, mendLog } from './write-ahead-log.ts';

export interface OpenOptions {
  readonly clock: Clock;
  /** The tables of whoever shares the file. */
  readonly schemas: readonly Schema[];
  /**
   * A damaged file is salvaged when it is opened, if this tells which rows are what was written; left out, it is an
   * error.
   */
  readonly isSound?: (table: string, row: SalvageRow) => boolean;
}

/** A file beside the journal whose holder found it damaged: the next start salvages. */
const damageMark = (path: string) => `${path}.damaged`;

/** The next start salvages. */
export function markDamaged(path: string): void {
  try {
    writeFileSync(damageMark(path), '', { mode: 0o600 });
  } catch {
    // On a full or read-only disk the next holder has to find out by itself.
  }
}

export interface OpenedFile extends OpenedDatabase {
  /** What was mended, in words. */
  readonly mended?: string;
}

/**
 * Opens the file of a journal, mending what can be mended of it.
 *
 * @throws what `openJournal` throws
 */
export function openFile(path: string, options: OpenOptions): OpenedFile {
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
