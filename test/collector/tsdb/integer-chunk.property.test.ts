import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeChunk } from '../../../src/collector/tsdb/chunk.ts';
import { addToRow, type ChunkRow, chunksOfRow } from '../../../src/collector/tsdb/chunk-row.ts';
import { encodeIntegers } from '../../../src/collector/tsdb/integer-chunk.ts';
import { createColumns } from '../../../src/collector/tsdb/sample-columns.ts';
import { INTEGER } from '../../../src/collector/tsdb/sealed-chunk.ts';

const value = fc.oneof(
  fc.integer({ min: -300, max: 300 }),
  fc.integer({ min: -(2 ** 51), max: 2 ** 51 }),
  fc.constantFrom(0, 1, 127, 128, 8_191, 8_192, 2 ** 31, 2 ** 32, 2 ** 51, -(2 ** 51)),
);
const gap = fc.oneof(fc.constantFrom(1, 1000, 15_000, 15_001), fc.integer({ min: 1, max: 2 ** 40 }));
const samples = fc.record({
  start: fc.integer({ min: -(2 ** 45), max: 2 ** 45 }),
  even: fc.boolean(),
  list: fc.array(fc.record({ gap, value, repeat: fc.nat(3) }), { minLength: 1, maxLength: 200 }),
});

function columnsOf({
  start,
  even,
  list,
}: {
  start: number;
  even: boolean;
  list: { gap: number; value: number; repeat: number }[];
}) {
  let t = start;
  let before = list[0]!.value;
  const times: number[] = [];
  const values: number[] = [];
  for (const one of list) {
    t += even ? list[0]!.gap : one.gap;
    before = one.repeat > 0 ? before : one.value;
    times.push(t);
    values.push(before);
  }
  return { t: Float64Array.from(times), v: Float64Array.from(values) };
}

function sealed(columns: ReturnType<typeof columnsOf>) {
  const count = columns.t.length;
  const bytes = encodeIntegers(columns, count)!;
  return { encoding: INTEGER, minT: columns.t[0]!, maxT: columns.t[count - 1]!, count, bytes } as const;
}

describe('a chunk of whole numbers', () => {
  it('gives back every time and every value', () => {
    fc.assert(
      fc.property(samples, fc.nat(5), (given, at) => {
        const columns = columnsOf(given);
        const count = columns.t.length;
        const out = createColumns(at + count);
        decodeChunk(sealed(columns), out, at);
        expect([...out.t.subarray(at)]).toEqual([...columns.t]);
        expect([...out.v.subarray(at)]).toEqual([...columns.v]);
      }),
      { numRuns: 500 },
    );
  });

  it.each([0.5, -0, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 52])('does not take %d', (odd) => {
    expect(encodeIntegers({ t: Float64Array.of(1, 2), v: Float64Array.of(1, odd) }, 2)).toBeUndefined();
  });

  it('spends a few bytes on a value that stays, however long', () => {
    const t = Float64Array.from({ length: 10_000 }, (_, i) => i * 15_000);
    expect(encodeIntegers({ t, v: new Float64Array(10_000).fill(42) }, 10_000)!.length).toBeLessThan(8);
  });
});

describe('a row of chunks', () => {
  it('gives back its chunks, and starts anew when it is full', () => {
    fc.assert(
      fc.property(fc.array(samples, { minLength: 1, maxLength: 20 }), (many) => {
        const chunks: ReturnType<typeof sealed>[] = [];
        for (const given of many) {
          const start = (chunks.at(-1)?.maxT ?? 0) + 1;
          chunks.push(sealed(columnsOf({ ...given, start })));
        }
        const rows: ChunkRow[] = [];
        for (const chunk of chunks) {
          const row = addToRow(rows.at(-1), chunk);
          if (row.minT === rows.at(-1)?.minT) rows.pop();
          rows.push(row);
        }
        expect(rows.flatMap((row) => [...chunksOfRow(row)])).toEqual(chunks);
        for (const row of rows) expect(row.maxT).toBe([...chunksOfRow(row)].at(-1)!.maxT);
      }),
      { numRuns: 100 },
    );
  });
});
