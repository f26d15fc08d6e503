import { startOf } from './byte-blocks.ts';
import type { KeyHash } from './key-hash.ts';
import { createOpenTable } from './open-table.ts';
import type { SeriesColumns } from './series-columns.ts';
import type { SeriesLabels } from './series-labels.ts';

/** Finds the row of a series by the bytes of its labels, without making a string or an object of them. */
export interface SeriesTable {
  /** By bytes `from` to before `to`; -1 when there is none. */
  find(bytes: Uint8Array, from: number, to: number): number;
  /** Gives the row the labels of a canonical key, by which it is found from now on. */
  add(key: Uint8Array, row: number): void;
  /** Another key for a series that is there; no more than a few. */
  alias(key: Uint8Array, row: number): void;
  /** All keys of the series, and its labels. */
  remove(row: number): void;
}

// A sender has one spelling; more than a few is somebody filling the table.
const MOST_ALIASES = 3;

/** Another spelling of the labels of a series. */
interface Alias {
  readonly row: number;
  readonly block: number;
  readonly length: number;
}

/**
 * The hash is seeded, so that nobody outside can make labels that collide, and keys are compared in full. Entries of the
 * table are twice the row, or twice the number of an alias and one.
 */
export function createSeriesTable(columns: SeriesColumns, labels: SeriesLabels, hash: KeyHash): SeriesTable {
  const table = createOpenTable();
  const { blocks } = columns;
  const aliases: (Alias | undefined)[] = [];
  const freeAliases: number[] = [];
  const aliasesOf = new Map<number, number[]>();
  const rowOf = (entry: number) => ((entry & 1) === 0 ? entry >>> 1 : aliases[entry >>> 1]!.row);

  let from = 0;
  let to = 0;
  const isAlias = ({ block, length }: Alias) => {
    const { view } = hash;
    const page = blocks.page(block);
    const start = startOf(block);
    if (length !== to - from) return false;
    for (let i = 0; i < length; i += 1) if (page[start + i] !== view.getUint8(from + i)) return false;
    return true;
  };
  const isSought = (entry: number) =>
    (entry & 1) === 0 ? labels.isKey(entry >>> 1, hash.view, from, to) : isAlias(aliases[entry >>> 1]!);

  const addEntry = (key: Uint8Array, entry: number) => {
    hash.read(key, 0, key.length);
    table.add(entry, hash.first, hash.second);
  };
  const removeEntry = (key: Uint8Array, entry: number) => {
    hash.read(key, 0, key.length);
    table.remove(entry, hash.first);
  };

  // Senders name their series in the same order each time: the one that came next the last time mostly comes next again.
  let before = 0;
  const follow = (row: number) => {
    columns.followers[before] = row;
    before = row;
  };
  return {
    find(bytes, start, end) {
      const next = columns.followers[before]!;
      if (start < end && columns.births[next] !== 0 && labels.isKey(next, hash.over(bytes), start, end)) {
        before = next;
        return next;
      }
      hash.read(bytes, start, end);
      from = start;
      to = end;
      const entry = table.find(hash.first, hash.second, isSought);
      if (entry < 0) return -1;
      const row = rowOf(entry);
      follow(row);
      return row;
    },
    add(key, row) {
      labels.set(row, key);
      addEntry(key, row * 2);
      follow(row);
    },
    alias(key, row) {
      const known = aliasesOf.get(row) ?? [];
      if (known.length >= MOST_ALIASES) return;
      const number = freeAliases.pop() ?? aliases.length;
      const block = blocks.take(key.length);
      blocks.page(block).set(key, startOf(block));
      aliases[number] = { row, block, length: key.length };
      aliasesOf.set(row, [...known, number]);
      addEntry(key, number * 2 + 1);
    },
    remove(row) {
      removeEntry(labels.keyOf(row), row * 2);
      labels.clear(row);
      for (const number of aliasesOf.get(row) ?? []) {
        const { block, length } = aliases[number]!;
        const start = startOf(block);
        removeEntry(blocks.page(block).slice(start, start + length), number * 2 + 1);
        blocks.give(block, length);
        aliases[number] = undefined;
        freeAliases.push(number);
      }
      aliasesOf.delete(row);
    },
  };
}
