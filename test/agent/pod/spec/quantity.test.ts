import { describe, expect, it } from 'vitest';
import { parseBytes, parseQuantity } from '../../../../src/agent/pod/spec/quantity.ts';

describe('a quantity', () => {
  it.each([
    ['100m', 0.1],
    ['2', 2],
    ['0.5', 0.5],
    ['.5', 0.5],
    ['64Mi', 67_108_864],
    ['1k', 1000],
    ['1e3', 1000],
    ['12E', 12e18],
    ['250u', 0.00025],
    ['-1', -1],
  ])('%s is %d', (text, value) => expect(parseQuantity(text)).toBe(value));

  it.each(['', 'm', '1 Mi', '64MB', '64mi', '1K', '0x10', 'NaN', '1e', '--1', '1.2.3'])('is not %j', (text) =>
    expect(parseQuantity(text)).toBeUndefined(),
  );

  it('of bytes is rounded up to whole ones', () => expect(parseBytes('1500m')).toBe(2));
});
