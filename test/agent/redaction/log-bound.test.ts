import { describe, expect, it } from 'vitest';
import { newestWithin } from '../../../src/agent/redaction/log-bound.ts';

const lines = (...texts: string[]) => texts.map((text) => ({ at: 0, stream: 'stdout' as const, text }));

describe('newestWithin', () => {
  it('keeps all that fits, in order', () => {
    expect(newestWithin(lines('aa', 'bb'), 4)).toEqual(lines('aa', 'bb'));
  });
  it('drops the oldest first, whole lines only', () => {
    expect(newestWithin(lines('aaaa', 'bb', 'c'), 6)).toEqual(lines('bb', 'c'));
  });
  it('keeps nothing of a last line that is too long', () => {
    expect(newestWithin(lines('a', 'bbbbb'), 4)).toEqual([]);
  });
});
