import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { snappyDecode, snappyDecoding, snappyEncode } from '../../../src/wire/prometheus/snappy.ts';

const LIMIT = 1 << 20;
const decode = (bytes: Uint8Array | readonly number[]) =>
  Buffer.from(snappyDecode(Uint8Array.from(bytes), LIMIT)).toString('latin1');

// Runs of few letters, so that there is something to copy.
const compressible = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 300 })), { maxLength: 60 })
  .map((runs) => Uint8Array.from(runs.flatMap(([byte, count]) => Array(count).fill(byte))));

describe('snappy', () => {
  it('unpacks what the format description gives as examples', () => {
    // "abcd" as a literal, then a copy of 4 from 4 before: with one, two and four bytes of offset.
    const literal = [0x0c, 0x61, 0x62, 0x63, 0x64];
    expect(decode([8, ...literal, 0x01, 4])).toBe('abcdabcd');
    expect(decode([8, ...literal, 0x0e, 4, 0])).toBe('abcdabcd');
    expect(decode([8, ...literal, 0x0f, 4, 0, 0, 0])).toBe('abcdabcd');
    // A run: the copy reaches into what it writes.
    expect(decode([11, 0x00, 0x78, 0x26, 1, 0])).toBe('xxxxxxxxxxx');
    expect(decode([0])).toBe('');
  });

  it('gives back what was packed, and makes it smaller where it repeats', () => {
    fc.assert(
      fc.property(fc.oneof(compressible, fc.uint8Array({ maxLength: 70_000 })), (bytes) => {
        expect(Buffer.compare(snappyDecode(snappyEncode(bytes), LIMIT), bytes)).toBe(0);
      }),
    );
    expect(snappyEncode(new Uint8Array(100_000)).length).toBeLessThan(5_000);
  });

  it('unpacks much of it a piece at a time, copies that reach over pieces as well', () => {
    const bytes = Uint8Array.from({ length: 3_500_000 }, (_, i) =>
      i % 1_000 < 900 ? i % 7 : (i * 2_654_435_761) >>> 24,
    );
    const steps = snappyDecoding(snappyEncode(bytes), bytes.length);
    let pieces = 1;
    let step = steps.next();
    for (; !step.done; step = steps.next()) pieces += 1;
    expect(pieces).toBe(4);
    expect(Buffer.compare(step.value, bytes)).toBe(0);
  });

  it('allocates nothing for a length that is beyond the limit, or that the body cannot have', () => {
    const bomb = [0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x61];
    expect(() => snappyDecode(Uint8Array.from(bomb), 2 ** 33)).toThrow(/2 bytes cannot unpack to 4294967295/);
    expect(() => snappyDecode(Uint8Array.from(bomb), LIMIT)).toThrow(
      expect.objectContaining({ code: 'SNAPPY_TOO_LARGE', status: 413 }),
    );
  });

  it('says what is wrong with a block that is cut off, flipped or of any bytes at all', () => {
    const refuses = (bytes: Uint8Array) => {
      try {
        snappyDecode(bytes, LIMIT);
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^SNAPPY_/) });
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), refuses), { numRuns: 2_000 });
    fc.assert(
      fc.property(compressible, fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, at, flip) => {
        const block = snappyEncode(bytes);
        const flipped = block.slice();
        flipped[at % flipped.length]! ^= flip;
        refuses(flipped);
        refuses(block.subarray(0, at % block.length));
      }),
    );
    for (const [bytes, why] of [
      [[], /no length/],
      [[5, 0x0c, 0x61], /literal ends after/],
      [[8, 0x00, 0x61, 0x0e, 2, 0], /copy from 2 bytes before byte 1/],
      [[8, 0x00, 0x61, 0x0e, 0, 0], /copy from 0 bytes/],
      [[2, 0x0c, 0x61, 0x62, 0x63, 0x64], /more than it declares/],
      [[9, 0x0c, 0x61, 0x62, 0x63, 0x64], /ends before its declared length/],
    ] as const)
      expect(() => decode(bytes)).toThrow(why);
  });
});
