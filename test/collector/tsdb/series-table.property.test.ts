import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSeries, type MemorySeries } from '../../../src/collector/tsdb/series.ts';
import { createSeriesTable, type SeriesTable } from '../../../src/collector/tsdb/series-table.ts';

// Few, so that they come back; some that a hash by words can take for one another: zeros at the end, a length of 0.
const keys = fc.oneof(
  fc.uint8Array({ maxLength: 5, max: 1 }),
  fc.nat(300).map((n) => Uint8Array.from(Buffer.from(`pod-${n}`))),
);
const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ does: fc.constant('add' as const), key: keys }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('alias' as const), key: keys, of: keys }) },
    { weight: 3, arbitrary: fc.record({ does: fc.constant('remove' as const), key: keys }) },
  ),
  { maxLength: 600 },
);
const text = (key: Uint8Array) => Buffer.from(key).toString('hex');
const find = (table: SeriesTable, key: Uint8Array) =>
  table.find(Uint8Array.of(9, ...key, 9), 1, 1 + key.length);

describe('a table of series', () => {
  it('finds by the bytes of labels just what is there, as a map by their text does', () => {
    fc.assert(
      fc.property(steps, fc.integer(), (all, seed) => {
        const table = createSeriesTable(seed);
        const model = new Map<string, MemorySeries>();
        const own = new Map<MemorySeries, Uint8Array>();
        let refs = 0;
        for (const step of all) {
          const known = model.get(text(step.key));
          expect(find(table, step.key)).toBe(known);
          if (step.does === 'add' && known === undefined) {
            refs += 1;
            const series = createSeries(refs, []);
            table.add(step.key, series);
            model.set(text(step.key), series);
            own.set(series, step.key);
          } else if (step.does === 'alias' && known === undefined) {
            const series = model.get(text(step.of));
            if (series === undefined) continue;
            const aliases = [...model].filter(([, one]) => one === series).length - 1;
            table.alias(step.key, series);
            if (aliases < 3) model.set(text(step.key), series);
          } else if (step.does === 'remove' && known !== undefined) {
            table.remove(known);
            own.delete(known);
            for (const [key, series] of model) if (series === known) model.delete(key);
          }
        }
        for (const [series, key] of own) expect(text(table.keyOf(series))).toBe(text(key));
        for (const [key, series] of model) expect(find(table, Buffer.from(key, 'hex'))).toBe(series);
      }),
    );
  });

  it('gives the room of keys that are gone to others, and keeps those that stay', () => {
    const table = createSeriesTable(7);
    const key = (n: number) => Uint8Array.from(Buffer.from(`${n} `.repeat(400)));
    const kept: [MemorySeries, number][] = [];
    for (let n = 0; n < 6_000; n += 1) {
      const series = createSeries(n, []);
      table.add(key(n), series);
      if (n % 10 === 0) kept.push([series, n]);
      else if (n % 10 !== 9) table.remove(series);
    }
    for (const [series, n] of kept) {
      expect(find(table, key(n))).toBe(series);
      expect(text(table.keyOf(series))).toBe(text(key(n)));
    }
    expect(find(table, key(5_001))).toBeUndefined();
  });
});
