import { type Label, type Labels, METRIC_NAME, walkLabels } from '../../model/labels.ts';
import { startOf } from './byte-blocks.ts';
import type { LabelSymbols } from './label-symbols.ts';
import type { SeriesColumns } from './series-columns.ts';

/** The labels of the series in memory, by rows: kept as numbers, and read when somebody asks. */
export interface SeriesLabels {
  /** Gives the row the labels of a canonical key. */
  set(row: number, key: Uint8Array): void;
  clear(row: number): void;
  /** Whether bytes `from` to before `to` of `view` are its key. */
  isKey(row: number, view: DataView, from: number, to: number): boolean;
  /** A copy. */
  keyOf(row: number): Uint8Array;
  /** Of those asked for lately the same object. */
  of(row: number): Labels;
  /** The number of its label `at`; how many it has are in the columns. */
  symbol(row: number, at: number): number;
  readonly symbols: LabelSymbols;
}

// Rules and dashboards ask for the same series again and again.
const REMEMBERED = 8_192;

export function createSeriesLabels(columns: SeriesColumns, symbols: LabelSymbols): SeriesLabels {
  const { blocks } = columns;
  // Two generations, so that the older half goes when there are too many.
  let lately = new Map<number, Labels>();
  let before = new Map<number, Labels>();

  const remember = (birth: number, labels: Labels) => {
    if (lately.size >= REMEMBERED) {
      before = lately;
      lately = new Map();
    }
    lately.set(birth, labels);
    return labels;
  };

  const decode = (row: number): Labels => {
    const block = columns.labelBlocks[row]!;
    const words = blocks.words(block);
    const first = startOf(block) >>> 2;
    const labels: Label[] = [];
    const end = first + columns.labelCounts[row]!;
    for (let i = first; i < end; i += 1) labels.push(symbols.label(words[i]!));
    return labels;
  };

  const numbers: number[] = [];
  return {
    set(row, key) {
      numbers.length = 0;
      let from = 0;
      walkLabels(key, 0, key.length, (_nameAt, _nameEnd, _valueAt, valueEnd) => {
        numbers.push(symbols.use(key, from, valueEnd));
        from = valueEnd;
        return true;
      });
      const block = blocks.take(numbers.length * 4);
      const words = blocks.words(block);
      const first = startOf(block) >>> 2;
      for (let i = 0; i < numbers.length; i += 1) words[first + i] = numbers[i]!;
      columns.labelBlocks[row] = block;
      columns.labelCounts[row] = numbers.length;
      columns.names[row] = numbers.find((symbol) => symbols.nameOf(symbol).text === METRIC_NAME) ?? -1;
    },
    clear(row) {
      const block = columns.labelBlocks[row]!;
      const words = blocks.words(block);
      const first = startOf(block) >>> 2;
      const count = columns.labelCounts[row]!;
      for (let i = 0; i < count; i += 1) symbols.release(words[first + i]!);
      blocks.give(block, count * 4);
      columns.labelCounts[row] = 0;
      lately.delete(columns.births[row]!);
      before.delete(columns.births[row]!);
    },
    isKey(row, view, from, to) {
      const block = columns.labelBlocks[row]!;
      const first = startOf(block) >>> 2;
      return symbols.areAt(blocks.words(block), first, columns.labelCounts[row]!, view, from, to);
    },
    keyOf(row) {
      const block = columns.labelBlocks[row]!;
      const words = blocks.words(block);
      const first = startOf(block) >>> 2;
      const count = columns.labelCounts[row]!;
      let size = 0;
      for (let i = 0; i < count; i += 1) size += symbols.length(words[first + i]!);
      const key = new Uint8Array(size);
      let at = 0;
      for (let i = 0; i < count; i += 1) {
        symbols.copyTo(words[first + i]!, key, at);
        at += symbols.length(words[first + i]!);
      }
      return key;
    },
    of(row) {
      const birth = columns.births[row]!;
      const known = lately.get(birth);
      if (known !== undefined) return known;
      const older = before.get(birth);
      return remember(birth, older ?? decode(row));
    },
    symbol(row, at) {
      const block = columns.labelBlocks[row]!;
      return blocks.words(block)[(startOf(block) >>> 2) + at]!;
    },
    symbols,
  };
}
