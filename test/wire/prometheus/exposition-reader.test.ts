import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { METRIC_NAME } from '../../../src/model/labels.ts';
import { isCodedError } from '../../../src/util/coded-error.ts';
import type { TextFormat } from '../../../src/wire/prometheus/content-type.ts';
import { readExposition } from '../../../src/wire/prometheus/exposition-reader.ts';
import { parseSeries } from '../../../src/wire/prometheus/exposition-series.ts';

const TEXT = 'prometheus-0.0.4';
const OPEN_METRICS = 'openmetrics-1.0.0';

/** All that is told, in order, with series taken apart. */
function read(text: string, format: TextFormat = TEXT): unknown[] {
  const told: unknown[] = [];
  const bytes = Buffer.from(text);
  const reading = readExposition(bytes, format, {
    sample(from, to, value, t) {
      const labels = parseSeries(bytes.subarray(from, to), format);
      told.push(t === undefined ? [labels, value] : [labels, value, t]);
    },
    type: (name, type) => told.push(`${name} is a ${type}`),
    help: (name, help) => told.push(`${name}: ${help}`),
    unit: (name, unit) => told.push(`${name} in ${unit}`),
  });
  while (!reading.next().done);
  return told;
}

const named = (name: string, ...labels: [string, string][]) => [[METRIC_NAME, name], ...labels];

describe('the plain text format', () => {
  it.each<[string, string, unknown[]]>([
    ['a name and a value', 'up 1\n', [[named('up'), 1]]],
    ['a last line without its end', 'up 1', [[named('up'), 1]]],
    ['a time', 'up 1 1700000000123\n', [[named('up'), 1, 1_700_000_000_123]]],
    ['a time before 1970', 'up 1 -5\n', [[named('up'), 1, -5]]],
    ['labels', 'up{a="b",c="d"} 1\n', [[named('up', ['a', 'b'], ['c', 'd']), 1]]],
    ['a comma at the end', 'up{a="b",} 1\n', [[named('up', ['a', 'b']), 1]]],
    ['no labels in braces', 'up{} 1\n', [[named('up'), 1]]],
    ['blanks wherever they may be', ' up\t{ a = "b" , } \t 1 \t 5 \n', [[named('up', ['a', 'b']), 1, 5]]],
    ['no blank before the value', 'up{a="b"}1\n', [[named('up', ['a', 'b']), 1]]],
    ['escapes', 'up{a="\\\\ \\" \\n \\t"} 1\n', [[named('up', ['a', '\\ " \n \\t']), 1]]],
    ['braces, hashes and newlines in a value', 'up{a="}#\n{,"} 1\n', [[named('up', ['a', '}#\n{,']), 1]]],
    ['a quoted name', '{"my.metric",a="b"} 1\n', [[named('my.metric', ['a', 'b']), 1]]],
    ['a quoted name that is last', '{a="b","my.metric"} 1\n', [[named('my.metric', ['a', 'b']), 1]]],
    ['quoted labels', 'up{"lä.bel"="b"} 1\n', [[named('up', ['lä.bel', 'b']), 1]]],
    [
      'numbers as Go reads them',
      'a +Inf\na -inf\na .5\na 5.\na 1e-3\na infinity\n',
      [
        [named('a'), Infinity],
        [named('a'), -Infinity],
        [named('a'), 0.5],
        [named('a'), 5],
        [named('a'), 0.001],
        [named('a'), Infinity],
      ],
    ],
    [
      'not a number',
      'a NaN\na nan\n',
      [
        [named('a'), NaN],
        [named('a'), NaN],
      ],
    ],
    [
      'comments and empty lines',
      '# a comment\n#\n\n  \n#TYPE up gauge\n# HELPFUL words\nup 1\n',
      [[named('up'), 1]],
    ],
    [
      'help and type',
      '# HELP up Is it \\\\ up?\\n\n#  TYPE\tup gauge\nup 1\n',
      ['up: Is it \\ up?\n', 'up is a gauge', [named('up'), 1]],
    ],
    ['an untyped metric', '# TYPE up untyped\n', ['up is a unknown']],
    ['help without words', '# HELP up\n', ['up: ']],
    ['type of a quoted name', '# TYPE "my.metric" counter\n', ['my.metric is a counter']],
    ['nothing', '', []],
  ])('takes %s', (_what, text, told) => {
    expect(read(text)).toEqual(told);
  });

  it.each([
    ['no value', 'good 1\nup\n', 'line 2: expected a value, found its end'],
    ['a word for a value', 'up yes\n', 'line 1: expected a value, found "yes"'],
    ['a hexadecimal', 'up 0x1F\n', 'expected a value'],
    ['a number with underscores', 'up 1_000\n', 'expected a value'],
    ['a number beyond all', 'up 1e999\n', 'expected a value'],
    ['a time with a fraction', 'up 1 1.5\n', 'expected the end of the line'],
    ['more after the time', 'up 1 2 3\n', 'expected the end of the line'],
    ['a label without a value', 'up{a} 1\n', 'expected ='],
    ['a value without quotes', 'up{a=b} 1\n', 'expected a value in quotes'],
    ['a brace that is never closed', 'up{a="b" 1\n', 'labels that end with }'],
    ['a quote that is never closed', 'up{a="b} 1\n', 'a text that ends with a quote'],
    ['labels without a comma between', 'up{a="b" c="d"} 1\n', 'expected , or }'],
    ['a comma too many', 'up{,} 1\n', 'the name of a label'],
    ['labels without a name', '{a="b"} 1\n', 'the name of a metric'],
    ['two names', 'up{"down"} 1\n', 'expected ='],
    [
      'a type that is none',
      '# TYPE up thing\n',
      'a type, one of counter, gauge, histogram, summary, untyped',
    ],
    ['a web page', '<html>\n', 'the name of a metric'],
    ['an exemplar', 'up 1 # {a="b"} 1\n', 'a time in milliseconds'],
  ])('refuses %s', (_what, text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});

describe('OpenMetrics', () => {
  it.each<[string, string, unknown[]]>([
    ['nothing but its end', '# EOF\n', []],
    ['an end without its newline', 'up 1\n# EOF', [[named('up'), 1]]],
    ['times in seconds', 'up 1 1700000000.123\n# EOF\n', [[named('up'), 1, 1_700_000_000_123]]],
    [
      'help, type and unit',
      '# HELP a_bytes Say \\"a\\"\n# TYPE a_bytes gaugehistogram\n# UNIT a_bytes bytes\n# EOF\n',
      ['a_bytes: Say "a"', 'a_bytes is a gaugehistogram', 'a_bytes in bytes'],
    ],
    [
      'when a counter began, as a series',
      'a_total 3\na_created 1.5\n# EOF\n',
      [
        [named('a_total'), 3],
        [named('a_created'), 1.5],
      ],
    ],
    [
      'exemplars, passing over them',
      'a_bucket{le="1"} 3 5.5 # {trace="x # }"} 0.5 7.25\na_total 3 # {} 1\n# EOF\n',
      [
        [named('a_bucket', ['le', '1']), 3, 5500],
        [named('a_total'), 3],
      ],
    ],
    ['quoted names', '{"my.metric","la bel"="b"} 1\n# EOF\n', [[named('my.metric', ['la bel', 'b']), 1]]],
  ])('takes %s', (_what, text, told) => {
    expect(read(text, OPEN_METRICS)).toEqual(told);
  });

  it.each([
    ['a text that ends without saying so', 'up 1\n', '# EOF at the end'],
    ['an empty body', '', '# EOF at the end'],
    ['anything after the end', '# EOF\nup 1\n', 'nothing after # EOF'],
    ['an empty line', 'up 1\n\n# EOF\n', 'the name of a metric'],
    ['two blanks', 'up  1\n# EOF\n', 'a value'],
    ['other comments', '# about\n# EOF\n', '# HELP, # TYPE, # UNIT or # EOF'],
    [
      'a unit the name does not end with',
      '# UNIT a_seconds bytes\n# EOF\n',
      'a unit that "a_seconds" ends with',
    ],
    ['a broken exemplar', 'a 1 # {b} 1\n# EOF\n', 'expected ='],
    ['a time that is none', 'a 1 NaN\n# EOF\n', 'a time in seconds'],
  ])('refuses %s', (_what, text, message) => {
    expect(() => read(text, OPEN_METRICS)).toThrow(message);
  });
});

const anyFormat = fc.constantFrom<TextFormat>(TEXT, OPEN_METRICS);
const pieces = fc.constantFrom(
  'up',
  '{',
  '}',
  '"',
  '\\',
  ',',
  '=',
  ' ',
  '\n',
  '#',
  '# TYPE ',
  '# HELP ',
  '# EOF\n',
  '1',
  '.5',
  'a="b"',
  'é',
  '\u0000',
  '{"x"} 1\n',
  ' # {',
  'NaN',
);

describe('whatever it is given', () => {
  it('reads it or says which line is wrong, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string()), { maxLength: 60 }), anyFormat, (parts, format) => {
        try {
          read(parts.join(''), format);
        } catch (error) {
          expect(isCodedError(error) && /^line \d+: expected /.test(error.message), String(error)).toBe(true);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('gives back any labels, values and times that were written', () => {
    const quoted = (text: string) => text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
    const text = fc.string({ unit: 'grapheme' });
    const sample = fc.record({
      name: text,
      labels: fc.array(fc.tuple(text, text), { maxLength: 4 }),
      value: fc.double(),
      t: fc.option(fc.integer(), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 5 }), (samples) => {
        const lines = samples.map(({ name, labels, value, t }) => {
          const inner = [
            `"${quoted(name)}"`,
            ...labels.map(([label, of]) => `"${quoted(label)}"="${quoted(of)}"`),
          ];
          const number = Number.isFinite(value)
            ? Object.is(value, -0)
              ? '-0'
              : String(value)
            : `${value}`.replace('Infinity', 'Inf');
          return `{${inner.join(',')}} ${number}${t === undefined ? '' : ` ${t}`}\n`;
        });
        expect(read(lines.join(''))).toEqual(
          samples.map(({ name, labels, value, t }) => [
            named(name, ...labels),
            value,
            ...(t === undefined ? [] : [t]),
          ]),
        );
      }),
    );
  });

  it('takes a line of many megabytes in one pass', () => {
    const value = '\\"'.repeat(2_000_000);
    const told = read(`up{a="${value}"} 1\n`) as [[string, string][], number][];
    expect(told[0]![0][1]![1]).toHaveLength(2_000_000);
    expect(() => read(`up{a="${'\\'.repeat(3_000_001)}"} 1\n`)).toThrow('a text that ends with a quote');
  });
});
