import { encodeLabels, type Labels } from '../../model/labels.ts';
import type { LabelMatcher } from '../storage/label-matcher.ts';
import type { SeriesColumns } from './series-columns.ts';
import type { SeriesLabels } from './series-labels.ts';
import { grown } from './typed-columns.ts';

/** Which series in memory have which label. */
export interface Postings {
  add(row: number): void;
  /** The series is found no more; `freeRow` is called once nothing here speaks of the row. */
  remove(row: number): void;
  /** Yields `undefined` now and then while it looks, so that a reader need not wait for the next match. */
  select(matchers: readonly LabelMatcher[]): Iterable<number | undefined>;
}

/** Rows in the order they came; those that left are passed over, and taken out once they are the most. */
interface List {
  /** The newest; those before are in `full`, so that no array of very many has to grow. */
  rows: number[];
  full: readonly (readonly number[])[];
  size: number;
  gone: number;
}

const ROWS_A_PART = 4_096;
const NO_PARTS: readonly (readonly number[])[] = [];
const emptyList = (): List => ({ rows: [], full: NO_PARTS, size: 0, gone: 0 });
const partsOf = ({ rows, full }: List) => (full.length === 0 ? [rows] : [...full, rows]);

function push(list: List, row: number): void {
  if (list.rows.length === ROWS_A_PART) {
    // A new one: somebody may be on their way through the old one.
    list.full = [...list.full, list.rows];
    list.rows = [];
  }
  list.rows.push(row);
  list.size += 1;
}

export function createPostings(
  columns: SeriesColumns,
  labels: SeriesLabels,
  freeRow: (row: number) => void,
): Postings {
  const { symbols } = labels;
  const all = emptyList();
  // Of each label: 0 for none, a row and one where only one series has it, or below 0 the number of a list.
  let entries = new Int32Array(64);
  const lists: (List | undefined)[] = [undefined];
  const freeLists: number[] = [];
  /** In how many lists a row stands. */
  let mentions = new Uint16Array(64);

  const isHere = (row: number) => columns.listed[row] === 1;

  const addTo = (list: List, row: number) => {
    push(list, row);
    mentions[row]! += 1;
  };

  const addLabel = (symbol: number, row: number) => {
    while (symbol >= entries.length) entries = grown(entries);
    const entry = entries[symbol]!;
    if (entry === 0) entries[symbol] = row + 1;
    else if (entry < 0) addTo(lists[-entry]!, row);
    else {
      const number = freeLists.pop() ?? lists.length;
      const list = emptyList();
      addTo(list, entry - 1);
      addTo(list, row);
      lists[number] = list;
      entries[symbol] = -number;
    }
  };

  const takeOut = (list: List) => {
    list.gone += 1;
    if (list.gone * 2 < list.size) return;
    const before = partsOf(list);
    // Others than before, which somebody may be on their way through.
    Object.assign(list, emptyList());
    for (const rows of before)
      for (const row of rows) {
        if (isHere(row)) {
          push(list, row);
          continue;
        }
        mentions[row]! -= 1;
        if (mentions[row] === 0) freeRow(row);
      }
  };

  const removeLabel = (symbol: number) => {
    const entry = entries[symbol]!;
    if (entry > 0) {
      entries[symbol] = 0;
      return;
    }
    const list = lists[-entry]!;
    takeOut(list);
    if (list.size > 0) return;
    lists[-entry] = undefined;
    freeLists.push(-entry);
    entries[symbol] = 0;
  };

  const rowsOf = (symbol: number): readonly (readonly number[])[] => {
    const entry = symbol < 0 || symbol >= entries.length ? 0 : entries[symbol]!;
    if (entry === 0) return NO_PARTS;
    return entry > 0 ? [[entry - 1]] : partsOf(lists[-entry]!);
  };

  /**
   * The lists of rows one of which each match must be in, when those of `most` series do not suffice already;
   * undefined when the matcher does not narrow that far.
   */
  function* candidates(
    matcher: LabelMatcher,
    most: number,
  ): Generator<undefined, readonly (readonly number[])[] | undefined> {
    if (matcher.matchesEmpty) return undefined;
    if (matcher.values !== undefined)
      return matcher.values.flatMap((value) => {
        const bytes = encodeLabels([[matcher.name, value]]);
        return rowsOf(symbols.find(bytes, 0, bytes.length));
      });
    const name = symbols.name(matcher.name);
    if (name === undefined) return [];
    // To try the values of a label that has more of them than series are left costs more than it saves.
    if (name.symbols.length > most) return undefined;
    const found: (readonly number[])[] = [];
    // A copy; a number that comes to stand for another label meanwhile has only series that came later.
    for (const symbol of Int32Array.from(name.symbols)) {
      const rows = rowsOf(symbol);
      if (rows.length > 0 && matcher.matches(symbols.value(symbol)))
        for (const part of rows) found.push(part);
      yield undefined;
    }
    return found;
  }

  /** Asks a matcher once a label: series share most of theirs. */
  const rowMatcher = (matcher: LabelMatcher) => {
    const name = symbols.name(matcher.name);
    if (name === undefined) return () => matcher.matchesEmpty;
    const answers = new Map<number, boolean>();
    return (row: number) => {
      const count = columns.labelCounts[row]!;
      for (let i = 0; i < count; i += 1) {
        const symbol = labels.symbol(row, i);
        if (symbols.nameOf(symbol) !== name) continue;
        let answer = answers.get(symbol);
        if (answer === undefined) {
          answer = matcher.matches(symbols.value(symbol));
          if (answers.size < REMEMBERED_ANSWERS) answers.set(symbol, answer);
        }
        return answer;
      }
      return matcher.matchesEmpty;
    };
  };

  return {
    add(row) {
      if (isHere(row)) return;
      columns.listed[row] = 1;
      while (row >= mentions.length) mentions = grown(mentions);
      addTo(all, row);
      const count = columns.labelCounts[row]!;
      for (let i = 0; i < count; i += 1) addLabel(labels.symbol(row, i), row);
    },
    remove(row) {
      if (!isHere(row)) {
        freeRow(row);
        return;
      }
      columns.listed[row] = 0;
      const count = columns.labelCounts[row]!;
      for (let i = 0; i < count; i += 1) removeLabel(labels.symbol(row, i));
      // Last, so that the row is not free before all of its labels are looked at.
      takeOut(all);
    },
    *select(matchers) {
      // What comes while somebody looks is not for them, whatever row it gets.
      const newest = columns.lastBirth;
      let narrowest: readonly (readonly number[])[] = partsOf(all);
      let narrowing: LabelMatcher | undefined;
      let { size } = all;
      // Those with known values first: they cost nothing to look up.
      const byCost = [...matchers].sort((a, b) => Number(!a.values) - Number(!b.values));
      for (const matcher of byCost) {
        const found = yield* candidates(matcher, size);
        if (found === undefined) continue;
        const total = found.reduce((sum, rows) => sum + rows.length, 0);
        if (total < size || narrowing === undefined) [narrowest, narrowing, size] = [found, matcher, total];
      }
      const rest = matchers.filter((matcher) => matcher !== narrowing).map(rowMatcher);
      for (const rows of narrowest) {
        const end = rows.length;
        for (let i = 0; i < end; i += 1) {
          const row = rows[i]!;
          const isKnown = isHere(row) && columns.births[row]! <= newest;
          yield isKnown && rest.every((matches) => matches(row)) ? row : undefined;
        }
      }
    },
  };
}

const REMEMBERED_ANSWERS = 10_000;

export function matchesAll(labels: Labels, matchers: readonly LabelMatcher[]): boolean {
  for (const matcher of matchers) {
    let value = '';
    for (const label of labels) {
      if (label[0] !== matcher.name) continue;
      value = label[1];
      break;
    }
    if (!matcher.matches(value)) return false;
  }
  return true;
}
