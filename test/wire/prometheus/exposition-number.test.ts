import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFloatBytes, parseFloatText } from '../../../src/wire/prometheus/exposition-number.ts';

const read = (text: string) => {
  const bytes = Buffer.from(`1${text}1`);
  return parseFloatBytes(bytes, 1, bytes.length - 1);
};

const digits = (maxLength: number) => fc.stringMatching(/^\d*$/, { maxLength });
const written = fc
  .tuple(
    fc.constantFrom('', '+', '-'),
    digits(20),
    fc.constantFrom('', '.'),
    digits(20),
    fc.constantFrom('', 'e', 'E', 'e-', 'e+'),
    digits(4),
  )
  .map((parts) => parts.join(''));

describe('a number read from bytes', () => {
  it('is the very number its text is, or none as well', () => {
    const texts = fc.oneof(
      { weight: 5, arbitrary: written },
      fc.double().map(String),
      fc.double({ min: -1e6, max: 1e6 }).map((value) => value.toFixed(6)),
      fc.maxSafeInteger().map(String),
      fc.string({ maxLength: 12 }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(Object.is(read(text), parseFloatText(text)), text).toBe(true);
      }),
      { numRuns: 20_000 },
    );
  });

  it.each([
    ['0', 0],
    ['-0', -0],
    ['+5', 5],
    ['9007199254740991', 9_007_199_254_740_991],
    ['9007199254740993', 9_007_199_254_740_992],
    ['0.1', 0.1],
    ['.5', 0.5],
    ['5.', 5],
    ['1.7e+09', 1_700_000_000],
    ['4.9406564584124654e-324', 5e-324],
    ['NaN', Number.NaN],
    ['-Inf', Number.NEGATIVE_INFINITY],
    ['1e22', 1e22],
    ['1e23', 1e23],
    ['123456789012345e22', 123456789012345e22],
    ['1e400', undefined],
    ['', undefined],
    ['.', undefined],
    ['e5', undefined],
    ['1e', undefined],
    ['1_000', undefined],
    ['0x10', undefined],
  ])('%s', (text, value) => expect(read(text)).toBe(value));
});
