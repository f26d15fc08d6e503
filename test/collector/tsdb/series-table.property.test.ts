import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createByteBlocks } from '../../../src/collector/tsdb/byte-blocks.ts';
import { createKeyHash } from '../../../src/collector/tsdb/key-hash.ts';
import { createLabelSymbols } from '../../../src/collector/tsdb/label-symbols.ts';
import { beginRow, createSeriesColumns } from '../../../src/collector/tsdb/series-columns.ts';
import { createSeriesLabels } from '../../../src/collector/tsdb/series-labels.ts';
import { createSeriesTable } from '../../../src/collector/tsdb/series-table.ts';
import { encodeLabels, type Labels, toLabels } from '../../../src/model/labels.ts';

function createTable(seed: number) {
  const hash = createKeyHash(seed);
  const columns = createSeriesColumns(createByteBlocks());
  const labels = createSeriesLabels(columns, createLabelSymbols(columns.blocks, hash));
  const table = createSeriesTable(columns, labels, hash);
  const free: number[] = [];
  let refs = 0;
  return {
    labels,
    add(key: Uint8Array) {
      const row = free.pop() ?? columns.length;
      refs += 1;
      beginRow(columns, row, refs);
      table.add(key, row);
      return row;
    },
    alias: table.alias,
    remove(row: number) {
      table.remove(row);
      free.push(row);
    },
    find: (key: Uint8Array) => table.find(Uint8Array.of(9, ...key, 9), 1, 1 + key.length),
  };
}

// Few, so that they come back and share labels; some that a hash by words can take for one another: zeros at the end.
const text = fc.oneof(
  fc.constantFrom('', '\0', '\0\0', '\0\0\0', 'a', 'a\0', 'ab', 'abc', 'abcd'),
  fc.nat(30).map((n) => `pod-${n}`),
  fc.constant('long '.repeat(2_000)),
);
const labelsOf = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', '__name__', 'a\0'), text), {
  selector: ([name]) => name,
  minLength: 1,
});
const keys = labelsOf.map(toLabels).filter((labels) => labels.length > 0);
const spellings = fc.oneof(
  fc.uint8Array({ maxLength: 5, max: 1 }),
  fc.nat(300).map((n) => Uint8Array.from(Buffer.from(`pod-${n}`))),
);
const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ does: fc.constant('add' as const), labels: keys }) },
    {
      weight: 1,
      arbitrary: fc.record({ does: fc.constant('alias' as const), labels: keys, spelling: spellings }),
    },
    { weight: 3, arbitrary: fc.record({ does: fc.constant('remove' as const), labels: keys }) },
  ),
  { maxLength: 600 },
);
const hex = (key: Uint8Array) => Buffer.from(key).toString('hex');

describe('a table of series', () => {
  it('finds by the bytes of labels just what is there, as a map by their text does', () => {
    fc.assert(
      fc.property(steps, fc.integer(), (all, seed) => {
        const table = createTable(seed);
        const model = new Map<string, number>();
        const own = new Map<number, Labels>();
        for (const step of all) {
          const key = encodeLabels(step.labels);
          const known = model.get(hex(key));
          expect(table.find(key)).toBe(known ?? -1);
          if (step.does === 'add' && known === undefined) {
            const row = table.add(key);
            model.set(hex(key), row);
            own.set(row, step.labels);
          } else if (step.does === 'alias' && known !== undefined && !model.has(hex(step.spelling))) {
            const aliases = [...model.values()].filter((row) => row === known).length - 1;
            table.alias(step.spelling, known);
            if (aliases < 3) model.set(hex(step.spelling), known);
          } else if (step.does === 'remove' && known !== undefined) {
            table.remove(known);
            own.delete(known);
            for (const [one, row] of model) if (row === known) model.delete(one);
          }
        }
        for (const [row, labels] of own) {
          expect(hex(table.labels.keyOf(row))).toBe(hex(encodeLabels(labels)));
          expect(table.labels.of(row)).toEqual(labels);
        }
        for (const [key, row] of model) expect(table.find(Buffer.from(key, 'hex'))).toBe(row);
      }),
    );
  });

  it('gives the room of keys that are gone to others, and keeps those that stay', () => {
    const table = createTable(7);
    const key = (n: number) => encodeLabels([['a', `${n} `.repeat(400)]]);
    const kept: [number, number][] = [];
    for (let n = 0; n < 6_000; n += 1) {
      const row = table.add(key(n));
      if (n % 10 === 0) kept.push([row, n]);
      else if (n % 10 !== 9) table.remove(row);
    }
    for (const [row, n] of kept) {
      expect(table.find(key(n))).toBe(row);
      expect(hex(table.labels.keyOf(row))).toBe(hex(key(n)));
    }
    expect(table.find(key(5_001))).toBe(-1);
  });
});
