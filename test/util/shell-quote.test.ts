import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shellQuote } from '../../src/util/shell-quote.ts';

const readBack = (words: readonly string[]) =>
  execFileSync('sh', [
    '-c',
    `for word in ${words.map(shellQuote).join(' ')}; do printf '%s\\0' "$word"; done`,
  ])
    .toString('utf8')
    .split('\0')
    .slice(0, -1);

describe('a quoted word', () => {
  it('is one word of a real shell that means the same', () => {
    const words = fc.array(
      fc.oneof(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
        fc.constantFrom(
          "it's",
          '$(reboot)',
          '`id`',
          '-n',
          '~',
          '*',
          '!!',
          'a\nb',
          '\u001b[31m',
          '\\033',
          '%s',
          "'; rm -rf /;'",
        ),
      ),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(words, (drawn) => {
        const expected = drawn
          .map((word) => word.replaceAll('\0', '').replace(/\n+$/, ''))
          .filter((word) => word !== '');
        fc.pre(
          expected.length === drawn.length &&
            drawn.every((word) => !word.endsWith('\n') && !word.includes('\0')),
        );
        expect(readBack(drawn)).toEqual(drawn);
      }),
      { numRuns: 60 },
    );
  });

  it('holds no character that a terminal acts on', () => {
    expect(shellQuote('cart\u001b]0;owned\u0007\nreboot')).toMatch(/^[\x20-\x7e]+$/);
    expect(shellQuote('\u202egnp.exe')).toMatch(/^[\x20-\x7e]+$/);
  });

  it('stays plain where it is plain', () =>
    expect(shellQuote('shop/cart-5d9c-x7')).toBe('shop/cart-5d9c-x7'));
  it('of nothing is an empty word', () => expect(shellQuote('')).toBe("''"));
});
