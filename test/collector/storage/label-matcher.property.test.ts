import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { compileMatcher } from '../../../src/collector/storage/label-matcher.ts';

describe('label matchers', () => {
  it('agree with RE2, anchored and with a dot for newlines, on every short cut', () => {
    const piece = fc.constantFrom(
      'a',
      'ab',
      '.',
      '.*',
      '.+',
      '|',
      '(',
      ')',
      '\\.',
      '-',
      'é',
      '\n',
      '5..',
      '(?i)',
      '[ab]',
      '^',
      '$',
    );
    const pattern = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
    const value = fc
      .array(fc.constantFrom('a', 'b', 'ab', 'A', '.', '-', 'é', '\n', '5', '😀'), { maxLength: 5 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(pattern, fc.array(value, { minLength: 1, maxLength: 8 }), (text, values) => {
        let expected: RE2JS;
        try {
          expected = RE2JS.compile(`^(?s:${text})$`);
          RE2JS.compile(text);
        } catch {
          expect(() => compileMatcher({ name: 'l', op: '=~', value: text })).toThrow(/does not parse/);
          return;
        }
        const matcher = compileMatcher({ name: 'l', op: '=~', value: text });
        const negated = compileMatcher({ name: 'l', op: '!~', value: text });
        for (const one of values) {
          expect([one, matcher.matches(one)]).toEqual([one, expected.matches(one)]);
          expect(negated.matches(one)).toBe(!expected.matches(one));
          if (matcher.values !== undefined) expect(matcher.values.includes(one)).toBe(expected.matches(one));
        }
        expect(matcher.matchesEmpty).toBe(expected.matches(''));
      }),
      { numRuns: 3000 },
    );
  });
});
