import { describe, expect, it } from 'vitest';
import { createByteBlocks } from '../../../src/collector/tsdb/byte-blocks.ts';
import { beginRow, createSeriesColumns } from '../../../src/collector/tsdb/series-columns.ts';

describe('the columns of series', () => {
  it('keep what they hold as they grow, and have room for each row when it comes; of long ones no two grow at once', () => {
    const columns = createSeriesColumns(createByteBlocks());
    const all = () =>
      Object.values(columns).filter((column): column is Float64Array => ArrayBuffer.isView(column));
    let before = all();
    for (let row = 0; row < 70_000; row += 1) {
      beginRow(columns, row, row + 1);
      columns.lastT[row] = row * 2;
      const now = all();
      const grown = now.filter((column, i) => column !== before[i]);
      if (row > 16_384 && grown.length > 1) expect.fail(`${grown.length} columns grew with row ${row}`);
      before = now;
      if (row >= Math.min(...now.map(({ length }) => length))) expect.fail(`no room for row ${row}`);
    }
    expect(columns.length).toBe(70_000);
    for (const row of [0, 12_288, 16_383, 16_384, 49_151, 65_536, 69_999])
      expect([columns.refs[row], columns.lastT[row]]).toEqual([row + 1, row * 2]);
  });
});
