import { crc32 } from 'node:zlib';
import type { Journal } from '../../journal/journal.ts';
import type { SalvageRow } from '../../journal/salvage.ts';
import type { SeriesRef } from '../storage/storage.ts';

/**
 * Check sums of rows: CRC-32 (zlib's). Where they hold samples, of the row's other columns as decimal numbers with
 * commas between, then of its bytes. SQLite notices damage to its own structure only.
 */
export const seriesCheck = (ref: SeriesRef, labels: Uint8Array): number => crc32(labels, crc32(`${ref}`));

export const batchCheck = (maxT: number, body: Uint8Array): number => crc32(body, crc32(`${maxT}`));

/** What of a row of `chunk` is checked. */
export interface CheckedChunk {
  readonly minT: number;
  readonly maxT: number;
  readonly count: number;
  readonly layout: number;
  readonly body: Uint8Array;
}

export const chunkCheck = (ref: SeriesRef, { minT, maxT, count, layout, body }: CheckedChunk): number =>
  crc32(body, crc32(`${ref},${minT},${maxT},${count},${layout}`));

/** Of `summary`; `maxT` is that of the row of `chunk` it is of. */
export const summaryCheck = (ref: SeriesRef, minT: number, maxT: number, body: Uint8Array): number =>
  crc32(body, crc32(`${ref},${minT},${maxT}`));

/** Of `record` and `state`: the UTF-8 of the id, then of the body. */
export const recordCheck = (id: string, body: string): number => crc32(body, crc32(id));

/** Rows from before there were check sums have none, and are believed. */
export const isAsWritten = (crc: unknown, expected: () => number): boolean =>
  crc === null || crc === undefined || crc === expected();

/** Whether a row has its check sum; one that has not is told as damage of the journal, by the name that `what` gives it. */
export type RowCheck = (table: string, crc: unknown, expected: () => number, what: () => string) => boolean;

export const createRowCheck =
  (journal: Pick<Journal, 'foundDamage'>): RowCheck =>
  (table, crc, expected, what) => {
    if (isAsWritten(crc, expected)) return true;
    journal.foundDamage(`a row of ${table} (${what()}) is not what was written`);
    return false;
  };

/** Whether a row of one of the store's tables is what was written, as far as that can be told. */
export function isSoundRow(table: string, row: SalvageRow): boolean {
  switch (table) {
    case 'series':
      return isAsWritten(row.crc, () => seriesCheck(Number(row.ref), row.labels as Uint8Array));
    case 'batch':
      return isAsWritten(row.crc, () => batchCheck(Number(row.max_t), row.body as Uint8Array));
    case 'chunk':
      return isAsWritten(row.crc, () =>
        chunkCheck(Number(row.ref), {
          minT: Number(row.min_t),
          maxT: Number(row.max_t),
          count: Number(row.count),
          layout: Number(row.layout ?? 0),
          body: row.body as Uint8Array,
        }),
      );
    case 'record':
    case 'state':
      return isAsWritten(row.crc, () => recordCheck(String(row.id), String(row.body))) && isJson(row.body);
    case 'key_value':
      return isJson(row.value);
    default:
      return true;
  }
}

function isJson(text: unknown): boolean {
  try {
    JSON.parse(String(text));
    return true;
  } catch {
    return false;
  }
}
