import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createByteBlocks } from '../../../src/collector/tsdb/byte-blocks.ts';
import { decodeChunk, seal } from '../../../src/collector/tsdb/chunk.ts';
import { createColumns } from '../../../src/collector/tsdb/sample-columns.ts';
import type { SealedChunk } from '../../../src/collector/tsdb/sealed-chunk.ts';
import {
  appendSample,
  createXorChunk,
  endXorChunk,
  type XorChunk,
} from '../../../src/collector/tsdb/xor-chunk.ts';

const word = fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 1, 0x7ff00000, 0x80000000, 0xffffffff, 2));
const gap = fc.oneof(
  fc.constantFrom(1, 1000, 15_000, 15_001, 8_192, 65_536, 524_288),
  fc.integer({ min: 1, max: 2 ** 40 }),
);

describe('a compressed chunk', () => {
  it('gives back every time and every bit of every value', () => {
    const sample = fc.record({ gap, high: word, low: word, repeat: fc.boolean() });
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 42), max: 2 ** 42 }),
        fc.array(sample, { minLength: 1, maxLength: 200 }),
        (start, samples) => {
          const chunk = createXorChunk(createByteBlocks());
          const expected: number[][] = [];
          let t = start;
          for (const { gap: step, high, low, repeat } of samples) {
            t += step;
            const last = expected.at(-1);
            const words = repeat && last !== undefined ? [last[1]!, last[2]!] : [high, low];
            appendSample(chunk, t, words[0]!, words[1]!);
            expected.push([t, ...words]);
          }
          for (const readable of [chunk, seal(chunk)]) {
            const columns = createColumns(readable.count);
            decodeChunk(readable, columns, 0);
            const found = expected.map((_, i) => [
              columns.t[i]!,
              columns.words[i * 2 + 1]!,
              columns.words[i * 2]!,
            ]);
            expect(found).toEqual(expected);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('shares its memory with others that grow beside it, and leaves it to them at its end', () => {
    const step = fc.record({
      which: fc.nat(7),
      ends: fc.integer({ min: 0, max: 40 }),
      high: word,
      low: word,
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 1500, size: 'max' }), (steps) => {
        const blocks = createByteBlocks();
        const all: { chunk: XorChunk | SealedChunk; expected: number[][] }[] = [];
        const open: { chunk: XorChunk; expected: number[][] }[] = [];
        const end = ({ chunk, expected }: (typeof open)[number]) => {
          all.push({ chunk: seal(chunk), expected });
          endXorChunk(chunk);
        };
        for (const { which, ends, high, low } of steps) {
          if (open[which] === undefined || ends === 0) {
            if (open[which] !== undefined) end(open[which]);
            open[which] = { chunk: createXorChunk(blocks), expected: [] };
          }
          const { chunk, expected } = open[which];
          appendSample(chunk, 1000 * expected.length, high, low);
          expected.push([1000 * expected.length, high, low]);
        }
        for (const { chunk, expected } of [...all, ...open.filter((one) => one !== undefined)]) {
          const columns = createColumns(chunk.count);
          decodeChunk(chunk, columns, 0);
          const found = expected.map((_, i) => [
            columns.t[i]!,
            columns.words[i * 2 + 1]!,
            columns.words[i * 2]!,
          ]);
          expect(found).toEqual(expected);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('needs less than three bytes a sample for a counter at a steady pace', () => {
    const chunk = createXorChunk(createByteBlocks());
    const value = new Float64Array(1);
    const words = new Uint32Array(value.buffer);
    for (let i = 0; i < 120; i += 1) {
      value[0] = i * 37;
      appendSample(chunk, 1_700_000_000_000 + i * 15_000, words[1]!, words[0]!);
    }
    expect(seal(chunk).bytes.length / 120).toBeLessThan(3);
  });
});
