import { describe, expect, it } from 'vitest';
import type { Expr } from '../../../src/collector/promql/expr.ts';
import { parseExpr } from '../../../src/collector/promql/parse-expr.ts';
import { prettyExpr, printExpr } from '../../../src/collector/promql/print-expr.ts';
import { selectorsOf } from '../../../src/collector/promql/selectors-of.ts';

/** An expression with every operator in brackets, so that nesting shows. */
function nesting(expr: Expr): string {
  switch (expr.kind) {
    case 'binary':
      return `[${nesting(expr.lhs)} ${expr.op} ${nesting(expr.rhs)}]`;
    case 'unary':
      return `[${expr.op}${nesting(expr.expr)}]`;
    default:
      return printExpr(expr);
  }
}

const nests = (text: string, wanted: string) => expect(nesting(parseExpr(text))).toBe(wanted);
const refuses = (text: string, message: string) =>
  expect(() => parseExpr(text)).toThrowError(expect.objectContaining({ code: 'QUERY_PARSE', message }));

describe('operators nest as in Prometheus', () => {
  it('gives offset, @ and brackets to the operand before them', () => {
    nests('a / b offset 5m', '[a / b offset 5m]');
    nests('a + b offset 5m * c', '[a + [b offset 5m * c]]');
    nests('a offset 1m or b offset 2m', '[a offset 1m or b offset 2m]');
    nests('a + b @ 10 * 0', '[a + [b @ 10.000 * 0]]');
    nests('-a offset 5m', '[-a offset 5m]');
    nests('a ^ b @ end() ^ c', '[a ^ [b @ end() ^ c]]');
  });

  it('lets ^ bind tighter than a sign, and to the right', () => {
    nests('-1 ^ 2', '[-[1 ^ 2]]');
    nests('-a ^ b * c', '[[-[a ^ b]] * c]');
    nests('2 ^ 3 ^ 2', '[2 ^ [3 ^ 2]]');
    nests('2 ^ -1', '[2 ^ -1]');
  });

  it('keeps the levels of or, and, comparison, sum and product', () => {
    nests('a or b and c unless d', '[a or [[b and c] unless d]]');
    nests('a == b + c * d', '[a == [b + [c * d]]]');
    nests('a - b - c', '[[a - b] - c]');
    nests('1 - -1', '[1 - -1]');
  });

  it('does not see operators in strings and comments', () => {
    nests('a{b="c + d"} # offset 5m\n + e', '[a{b="c + d"} + e]');
  });
});

describe('numbers are those of Prometheus', () => {
  const reads = (text: string, value: number) =>
    expect(parseExpr(text)).toMatchObject({ kind: 'number', value });

  it('reads hex, octal, underscores, a bare point and durations', () => {
    reads('0x1F', 31);
    reads('010', 8);
    reads('1_000', 1000);
    reads('2.', 2);
    reads('.5', 0.5);
    reads('1.e3', 1000);
    reads('-1e-3', -0.001);
    reads('iNf', Number.POSITIVE_INFINITY);
    reads('1h30m', 5400);
    reads('1s500ms', 1.5);
  });
});

describe('an expression prints as Prometheus prints it, and reads again the same', () => {
  const texts = [
    'sum by (job, "k8s.pod") (rate(x_total{a=~"b|c",d!=""}[5m]))',
    'sum without () (x)',
    'a == bool on (b) group_left (c) d',
    'a / ignoring (b) c',
    'max_over_time(rate(x[1m])[1h:30s] @ start() offset -5m)',
    '{__name__="k8s.pod",a="\\n\\"é\\u200b"}',
    'label_replace(x, "a", "$1", "b", "(.*)")',
    '-(a + 1.5)',
    'topk(3, x @ 1.500 offset 1w)',
  ];
  for (const text of texts) {
    it(text, () => {
      expect(printExpr(parseExpr(text))).toBe(text);
    });
  }

  it('breaks lines of more than 100 bytes', () => {
    const name = 'a'.repeat(40);
    expect(
      prettyExpr(parseExpr(`sum(rate(${name}[5m])) / on(job) group_left sum(rate(${name}[5m] offset 1h))`)),
    ).toBe(`  sum(rate(${name}[5m]))\n/ on (job) group_left ()\n  sum(rate(${name}[5m] offset 1h))`);
  });
});

describe('a mistake is told with its place, in the words of Prometheus', () => {
  it('names what it did not expect', () => {
    refuses('a +', '1:4: parse error: unexpected end of input');
    refuses('1 +* 2', '1:4: parse error: unexpected <op:*>');
    refuses('a b', '1:3: parse error: unexpected identifier "b"');
    refuses('a{b}', '1:4: parse error: unexpected "}" in label matching, expected label matching operator');
    refuses('sum by a', '1:8: parse error: unexpected identifier "a" in grouping opts, expected "("');
    refuses(
      'a\n  offset b',
      '2:10: parse error: unexpected identifier "b" in offset, expected number, duration, step(), or range()',
    );
  });

  it('names what is not closed and what is unknown', () => {
    refuses('(a', '1:3: parse error: unclosed left parenthesis');
    refuses('a{b="c"', '1:8: parse error: unexpected end of input inside braces');
    refuses('"a', '1:1: parse error: unterminated quoted string');
    refuses('rats(a)', '1:1: parse error: unknown function with name "rats"');
    refuses('', 'unknown position: parse error: no expression found in input');
  });

  it('counts columns in bytes', () => {
    refuses('"é" b', '1:6: parse error: unexpected identifier "b"');
  });

  it('checks types, arguments and matchers', () => {
    refuses(
      'rate(a)',
      '1:6: parse error: expected type range vector in call to function "rate", got instant vector',
    );
    refuses('abs()', '1:1: parse error: expected 1 argument(s) in call to "abs", got 0');
    refuses('sum(1)', '1:5: parse error: expected type instant vector in aggregation expression, got scalar');
    refuses('1 > 2', '1:3: parse error: comparisons between scalars must use BOOL modifier');
    refuses('a and 1', '1:1: parse error: set operator "and" not allowed in binary scalar expression');
    refuses(
      'a + on(b) group_left(b) c',
      '1:3: parse error: label "b" must not occur in ON and GROUP clause at once',
    );
    refuses('{a=~".*"}', '1:1: parse error: vector selector must contain at least one non-empty matcher');
    refuses('a{b=~"("}', '1:3: parse error: error parsing regexp: missing closing ): `(`');
    refuses(
      'a[5m] + 1',
      '1:1: parse error: binary expression must contain only scalar and instant vector types',
    );
    refuses(
      'sum(a) offset 1m',
      '1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery',
    );
  });

  it('refuses experimental functions unless told otherwise', () => {
    refuses('mad_over_time(a[5m])', '1:1: parse error: function "mad_over_time" is not enabled');
    expect(parseExpr('mad_over_time(a[5m])', { experimental: true }).kind).toBe('call');
  });

  it('refuses what is nested too deeply rather than break', () => {
    expect(() => parseExpr(`${'('.repeat(100_000)}1${')'.repeat(100_000)}`)).toThrowError(/parse error/);
  });
});

it('tells which series an expression reads', () => {
  const selections = selectorsOf(
    parseExpr('sum(rate(a_total[5m])) / {__name__=~"b.*"} + max_over_time(c[1h:])'),
  );
  expect(selections.map(({ metricName }) => metricName)).toEqual(['a_total', undefined, 'c']);
});
