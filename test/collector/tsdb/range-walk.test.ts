import { describe, expect, it } from 'vitest';
import { addSamples, createSummary } from '../../../src/collector/storage/range-summary.ts';
import { createByteBlocks } from '../../../src/collector/tsdb/byte-blocks.ts';
import { seal } from '../../../src/collector/tsdb/chunk.ts';
import { addChunk } from '../../../src/collector/tsdb/chunk-summary.ts';
import { createMovingWindow } from '../../../src/collector/tsdb/moving-window.ts';
import { type DiskRows, walkRange } from '../../../src/collector/tsdb/range-walk.ts';
import { createRecentSamples } from '../../../src/collector/tsdb/recent-samples.ts';
import type { SealedChunk } from '../../../src/collector/tsdb/sealed-chunk.ts';
import { appendSample, createXorChunk } from '../../../src/collector/tsdb/xor-chunk.ts';

const MINUTE = 60_000;
const value = new Float64Array(1);
const words = new Uint32Array(value.buffer);

/** A counter at one sample a minute, a row of one chunk every two hours; counts the chunks that are read. */
function countingDisk(rowsCount: number) {
  const rows = Array.from({ length: rowsCount }, (_, row) => {
    const open = createXorChunk(createByteBlocks());
    for (let i = 0; i < 120; i += 1) {
      value[0] = row * 120 + i + 0.5;
      appendSample(open, (row * 120 + i) * MINUTE, words[1]!, words[0]!);
    }
    const chunk: SealedChunk = seal(open);
    const summary = createSummary();
    addChunk(summary, chunk);
    return { chunk, minT: chunk.minT, maxT: chunk.maxT, summary };
  });
  const overlapping = (minT: number, maxT: number) =>
    rows.filter((row) => row.maxT >= minT && row.minT <= maxT);
  const counted = { read: 0 };
  const disk: DiskRows = {
    rows: (_ref, minT, maxT) => overlapping(minT, maxT),
    chunks(_ref, minT, maxT) {
      const found = overlapping(minT, maxT).map(({ chunk }) => chunk);
      counted.read += found.length;
      return found;
    },
    found: () => {},
  };
  return { disk, counted };
}

describe('a long range', () => {
  it('reads the chunks at its two ends only, however long it is', () => {
    for (const rows of [10, 1_000]) {
      const { disk, counted } = countingDisk(rows);
      const summary = createSummary();
      let told = 0;
      walkRange({ ref: 1, memory: undefined }, disk, 30 * MINUTE, (rows * 120 - 30) * MINUTE, {
        samples: ({ t, v }, from, to) => addSamples(summary, t, v, from, to),
        summary(part) {
          told += 1;
          summary.count += part.count;
        },
      });
      expect(summary.count).toBe(rows * 120 - 59);
      expect(counted.read).toBe(2);
      expect(told).toBe(rows - 2);
    }
  });
});

describe('a window that moves on', () => {
  it('reads a chunk once in many ticks, however long it is', () => {
    const rows = 1_000;
    const { disk, counted } = countingDisk(rows);
    const rangeMs = 900 * 120 * MINUTE;
    const window = createMovingWindow({
      series: { ref: 1, memory: undefined },
      disk,
      recent: createRecentSamples(),
      rangeMs,
      removedBefore: () => Number.NEGATIVE_INFINITY,
    });
    const ticks = 2_000;
    for (let tick = 0; tick < ticks; tick += 1) {
      const endT = rangeMs + tick * MINUTE;
      expect(window.summaryUntil(endT)).toMatchObject({
        count: 108_000,
        firstV: tick + 1.5,
        lastV: 108_000 + tick + 0.5,
        changes: 107_999,
        resets: 0,
      });
    }
    // The newest end is read chunk by chunk here, because nothing is in memory: once a tick. The rest is the oldest end.
    expect(counted.read - ticks).toBeLessThan(ticks / 25);
  });
});
