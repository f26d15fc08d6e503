import { existsSync, renameSync, rmSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { CodedError, messageOf } from '../util/coded-error.ts';
import { toJournalError } from './trouble.ts';

export type SalvageRow = Readonly<Record<string, unknown>>;

/** What came of moving all that can be read of a damaged file into a new one. */
export interface Salvaged {
  /** The damaged file, as it was. */
  readonly keptAt: string;
  readonly rows: number;
  /** Places where reading failed; what lies there is not known. */
  readonly gaps: number;
  /** Rows that could be read and are not what was written. */
  readonly unsound: number;
}

export interface SalvageOptions {
  readonly path: string;
  /** Opens a file for this alone; the damaged one as it is, the new one with all its tables. */
  readonly open: (path: string, kind: 'damaged' | 'new') => DatabaseSync;
  readonly isSound: (table: string, row: SalvageRow) => boolean;
  readonly keepAt: string;
}

const ROWS_A_TRANSACTION = 5_000;
const MOST_GAPS = 10_000;
// Steps over what cannot be read: 1, 2, 4, … up to the largest key there is.
const LARGEST_STEP = 2 ** 52;

const unfinished = (path: string) => `${path}.salvaging`;
const finished = (path: string) => `${path}.salvaged`;

/** A salvage that was complete but for the last step when it was interrupted. */
export function finishSalvage(path: string): void {
  for (const one of [unfinished(path), `${unfinished(path)}-wal`]) rmSync(one, { force: true });
  if (!existsSync(path) && existsSync(finished(path))) renameSync(finished(path), path);
  else rmSync(finished(path), { force: true });
}

/**
 * Reads what can be read of the file at `path` into a new one in its place, and keeps the old one at `keepAt`.
 * Interrupted at any point, it begins again or is finished at the next start.
 *
 * @throws JOURNAL_FULL, …: the new file cannot be written; the old one is where it was.
 */
export function salvage(options: SalvageOptions): Salvaged {
  const { path, keepAt } = options;
  const counts = { rows: 0, gaps: 0, unsound: 0 };
  try {
    fill(options, counts);
  } catch (error) {
    for (const one of [unfinished(path), `${unfinished(path)}-wal`]) rmSync(one, { force: true });
    throw toJournalError(error, unfinished(path));
  }
  renameSync(unfinished(path), finished(path));
  renameSync(path, keepAt);
  if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${keepAt}-wal`);
  renameSync(finished(path), path);
  return { keptAt: keepAt, ...counts };
}

interface Counts {
  rows: number;
  gaps: number;
  unsound: number;
}

function fill({ path, open, isSound }: SalvageOptions, counts: Counts): void {
  const to = open(unfinished(path), 'new');
  let from: DatabaseSync | undefined;
  try {
    try {
      from = open(path, 'damaged');
      // The first read tells whether anything can be.
      from.prepare('SELECT count(*) FROM sqlite_schema').get();
    } catch (error) {
      if (!isDamage(error)) throw error;
      counts.gaps += 1;
      return;
    }
    for (const table of tablesOf(to)) copyTable(from, to, table, isSound, counts);
    copySequences(from, to);
  } finally {
    from?.close();
    to.close();
  }
}

/** Numbers that were given once are not given again, though their rows are gone: others remember them. */
function copySequences(from: DatabaseSync, to: DatabaseSync): void {
  let sequences: readonly Record<string, unknown>[];
  try {
    sequences = from.prepare('SELECT name, seq FROM sqlite_sequence').all();
  } catch {
    // Lost, or there never was one: the new file's own go on from the rows it has.
    return;
  }
  const raise = to.prepare('UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1');
  const add = to.prepare('INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)');
  for (const { name, seq } of sequences) {
    if (typeof name !== 'string' || typeof seq !== 'number') continue;
    if (raise.run(name, seq).changes === 0) add.run(name, seq);
  }
}

interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  /** By which it is read: its row id, or what its rows are ordered by. */
  readonly key: readonly string[];
}

function tablesOf(db: DatabaseSync): readonly Table[] {
  const names = db.prepare(
    "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_schema'",
  );
  return names
    .all()
    .filter(({ name }) => name !== 'schema_version' && name !== 'sqlite_sequence')
    .map(({ name, wr }) => {
      const columns = db.prepare('SELECT name, pk FROM pragma_table_info(?)').all(String(name));
      const key = columns.filter(({ pk }) => Number(pk) > 0).sort((a, b) => Number(a.pk) - Number(b.pk));
      return {
        name: String(name),
        columns: columns.map((column) => String(column.name)),
        key: wr === 1 ? key.map((column) => String(column.name)) : ['rowid'],
      };
    });
}

function copyTable(
  from: DatabaseSync,
  to: DatabaseSync,
  { name, columns, key }: Table,
  isSound: SalvageOptions['isSound'],
  counts: Counts,
): void {
  const known = knownColumns(from, name, columns);
  if (known.length === 0) {
    counts.gaps += 1;
    return;
  }
  const marks = known.map(() => '?').join(', ');
  const insert = to.prepare(`INSERT OR REPLACE INTO "${name}" (${known.join(', ')}) VALUES (${marks})`);
  let inTransaction = 0;
  const put = (row: SalvageRow) => {
    if (!isSound(name, row)) {
      counts.unsound += 1;
      return;
    }
    if (inTransaction === 0) to.exec('BEGIN');
    try {
      insert.run(...known.map((column) => row[column] as string));
      counts.rows += 1;
    } catch (error) {
      // A null where none can be, a second row of the same name: not what was written.
      if (primaryCode(error) !== SQLITE_CONSTRAINT && primaryCode(error) !== SQLITE_MISMATCH) throw error;
      counts.unsound += 1;
    }
    inTransaction += 1;
    if (inTransaction < ROWS_A_TRANSACTION) return;
    to.exec('COMMIT');
    inTransaction = 0;
  };
  const gaps = readAround(from, name, key, known, put);
  if (inTransaction > 0) to.exec('COMMIT');
  counts.gaps += gaps;
}

/** Those of a new file's columns that the old file's table has; none where its table cannot be read. */
function knownColumns(from: DatabaseSync, table: string, columns: readonly string[]): readonly string[] {
  return columns.filter((column) => {
    try {
      from.prepare(`SELECT ${column} FROM "${table}" LIMIT 0`);
      return true;
    } catch {
      return false;
    }
  });
}

/** Hands over every row that can be read, in the order of the key; answers in how many places reading failed. */
function readAround(
  from: DatabaseSync,
  table: string,
  key: readonly string[],
  columns: readonly string[],
  put: (row: SalvageRow) => void,
): number {
  const select = (where: string, order: string) =>
    from.prepare(
      `SELECT ${[...columns, ...key.map((name, i) => `${name} AS key_${i}`)].join(', ')} FROM "${table}" ${where} ORDER BY ${order}`,
    );
  const order = key.join(', ');
  let last: readonly unknown[] = [];
  /** Reads on to the end or to what cannot be read; answers whether it came to the end. */
  const readOn = (statement: StatementSync, ...bounds: readonly (string | number)[]): boolean => {
    try {
      for (const row of statement.iterate(...bounds)) {
        last = key.map((_, i) => row[`key_${i}`]);
        put(row);
      }
      return true;
    } catch (error) {
      if (!isDamage(error)) throw error;
      return false;
    }
  };
  if (readOn(select('', order))) return 0;

  let gaps = 1;
  const columnAt = key.length - 1;
  // Over the gap: within the rows of the same beginning of the key first, then beyond them.
  while (gaps < MOST_GAPS) {
    const stuck = last;
    let over = false;
    for (let column = stuck.length === 0 ? 0 : columnAt; column >= 0 && !over; column -= 1) {
      const base = stuck[column] ?? 0;
      if (typeof base !== 'number') continue;
      const fixed = key.slice(0, column).map((name) => `${name} = ?`);
      const statement = select(`WHERE ${[...fixed, `${key[column]} > ?`].join(' AND ')}`, order);
      for (
        let step = stuck.length === 0 ? -1 : 1;
        step <= LARGEST_STEP && !over;
        step = Math.max(1, step * 2)
      ) {
        const toEnd = readOn(statement, ...(stuck.slice(0, column) as number[]), base + step);
        if (toEnd && column === 0) return gaps;
        over = last !== stuck;
        if (toEnd) break;
      }
    }
    if (!over) break;
    gaps += 1;
  }
  // From the other end, as far as that goes: keys that are no numbers cannot be stepped over.
  readOn(select('', key.map((name) => `${name} DESC`).join(', ')));
  return gaps;
}

const SQLITE_CORRUPT = 11;
const SQLITE_CONSTRAINT = 19;
const SQLITE_MISMATCH = 20;
const SQLITE_NOTADB = 26;
const SQLITE_IOERR = 10;
const SQLITE_TOOBIG = 18;

const primaryCode = (error: unknown) => Number((error as { readonly errcode?: unknown })?.errcode) & 0xff;

function isDamage(error: unknown): boolean {
  const code = primaryCode(error);
  if ([SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_IOERR, SQLITE_TOOBIG].includes(code)) return true;
  // "malformed database schema", an integer that JavaScript cannot hold.
  return /malformed|too large to be represented/.test(messageOf(error));
}

/** What people are told of it, wherever the state of the file is shown. */
export function salvageInWords(path: string, { keptAt, rows, gaps, unsound }: Salvaged): CodedError {
  const left = unsound > 0 ? ` and ${unsound} rows that are not what was written` : '';
  return new CodedError(
    'JOURNAL_SALVAGED',
    `${path} was damaged: ${rows} rows were moved into a new file; ${gaps} places that cannot be read${left} were left out. ` +
      `The damaged file is kept at ${keptAt}: remove it when you no longer want it, and look at the disk (dmesg, smartctl)`,
  );
}
