import { describe, expect, it } from 'vitest';
import { humanDuration } from '../../src/cli/age.ts';
import { table } from '../../src/cli/table.ts';
import { printable, printableJson, printableLines } from '../../src/cli/terminal.ts';

describe('printable', () => {
  it('shows escape codes instead of sending them to the terminal', () => {
    expect(printable('\u001b[2J\u001b]0;owned\u0007')).toBe('\\x1b[2J\\x1b]0;owned\\x07');
  });
  it('shows carriage returns and line feeds, which could fake a line', () => {
    expect(printable('ok\r\nroot# ')).toBe('ok\\x0d\\x0aroot# ');
  });
  it('shows C1 controls and the marks that reorder text', () => {
    expect(printable('a\u009bb\u202ec')).toBe('a\\x9bb\\u202ec');
  });
  it('leaves tabs, umlauts and emoji alone', () => {
    expect(printable('\tgrüße 🫀')).toBe('\tgrüße 🫀');
  });
  it('keeps line ends of text of several lines', () => {
    expect(printableLines('a\u001bb\nc')).toBe('a\\x1bb\nc');
  });
});

describe('printableJson', () => {
  it('means what it meant, with nothing in it that a terminal acts on', () => {
    const value = { text: 'a\u001b[2J\u009b1m\u007f\u202e\u2028z', list: ['b\r\n'] };
    const text = printableJson(value, 2);
    expect(JSON.parse(text)).toEqual(value);
    expect(text).toMatch(/^[\n\x20-\x7e]*$/);
  });
});

describe('table', () => {
  it('aligns columns and leaves no trailing blanks', () => {
    expect(
      table(
        ['NAME', 'STATUS'],
        [
          ['web', 'Running'],
          ['cart-1', ''],
        ],
      ),
    ).toBe('NAME     STATUS\nweb      Running\ncart-1\n');
  });
  it('makes cells printable', () => {
    expect(table(['NAME'], [['a\u001b[31m']])).toBe('NAME\na\\x1b[31m\n');
  });
});

describe('humanDuration prints as kubectl does', () => {
  const cases: readonly (readonly [number, string])[] = [
    [-1, '0s'],
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [192, '3m12s'],
    [600, '10m'],
    [7500, '125m'],
    [10_800, '3h'],
    [11_100, '3h5m'],
    [28_800, '8h'],
    [172_800, '2d'],
    [180_000, '2d2h'],
    [691_200, '8d'],
    [3_888_000, '45d'],
  ];
  for (const [seconds, text] of cases)
    it(`${seconds} s is ${text}`, () => expect(humanDuration(seconds * 1000)).toBe(text));
});
