import { describe, expect, it } from 'vitest';
import { ruleOf } from '../../src/console/alerts/alerts.ts';
import { evidenceAddress, exploreAddress, questionOf } from '../../src/console/explore/address.ts';
import { mistakeIn } from '../../src/console/explore/mistake.ts';
import { withQuery } from '../../src/console/explore/past-queries.ts';
import { seriesName } from '../../src/console/explore/series-name.ts';

describe('a mistake in a query', () => {
  const marked = (expr: string, error: string) => {
    const { message, place } = mistakeIn(expr, error);
    return [message, place && expr.slice(place.from, place.to), place?.line, place?.column];
  };
  it('is told in words with the word it is about', () => {
    expect(
      marked('sum(rate(up))', 'invalid parameter "query": 1:10: parse error: expected type range vector'),
    ).toEqual(['expected type range vector', 'up', 1, 10]);
  });
  it('is found behind letters of more than one byte and on later lines', () => {
    expect(marked('a{b="ü"} +\n"ö" ^ x', '2:6: parse error: unexpected <op:^>')).toEqual([
      'unexpected <op:^>',
      '^',
      2,
      5,
    ]);
  });
  it('at the end is marked at what stands before it', () => {
    expect(marked('rate(up[5m] ', '1:13: parse error: unclosed left parenthesis')).toEqual([
      'unclosed left parenthesis',
      ']',
      1,
      13,
    ]);
  });
  it('without a place, or beyond the text, has none', () => {
    expect(
      marked('', 'invalid parameter "query": unknown position: parse error: no expression found in input'),
    ).toEqual(['no expression found in input', undefined, undefined, undefined]);
    expect(mistakeIn('up', '9:1: parse error: x').place).toBeUndefined();
  });
});

describe('the address of the Explore page', () => {
  it('holds the question, whatever it says', () => {
    const question = questionOf(
      new URLSearchParams('expr=a%2Bb%20%23%26&view=table&range=6h&end=1700000000'),
    );
    expect(question).toMatchObject({
      expr: 'a+b #&',
      view: 'table',
      range: { seconds: 21_600 },
      end: 1_700_000_000,
    });
    expect(questionOf(new URL(exploreAddress(question), 'http://x').searchParams)).toEqual(question);
  });
  it('falls back to what can be asked', () => {
    expect(questionOf(new URLSearchParams('view=x&range=9y&end=-3e400'))).toMatchObject({
      expr: '',
      view: 'graph',
      range: { word: '1h' },
      end: undefined,
    });
  });
  it('is there for evidence that is a series, around its time', () => {
    const at = '2026-11-21T10:00:00Z';
    const source = 'up{pod="a&b"}';
    const end = Date.parse(at) / 1000 + 300;
    expect(evidenceAddress({ source, at }, (end + 1) * 1000)).toBe(
      exploreAddress({ expr: source, range: questionOf(new URLSearchParams('range=15m')).range, end }),
    );
    expect(evidenceAddress({ source, at }, Date.parse(at))).not.toContain('end=');
    expect(evidenceAddress({ source: '8e1c/life/3', at }, 0)).toBeUndefined();
  });
});

describe('queries asked before', () => {
  it('are kept each once, the newest first, at most 20, none of them endless', () => {
    const all = Array.from({ length: 25 }, (_, i) => `vector(${i})`).reduce<readonly string[]>(withQuery, []);
    expect(all).toHaveLength(20);
    expect(withQuery(all, ' vector(10) ').slice(0, 2)).toEqual(['vector(10)', 'vector(24)']);
    expect(withQuery(all, 'x'.repeat(10_001))).toBe(all);
    expect(withQuery(all, ' \n')).toBe(all);
  });
});

describe('a series', () => {
  it('is written as a query would select it', () => {
    expect(seriesName({ __name__: 'up', job: 'a"b' })).toBe('up{job="a\\"b"}');
    expect(seriesName({ __name__: 'k8s.pod', 'a.b': 'c' })).toBe('{"k8s.pod", "a.b"="c"}');
    expect([seriesName({}), seriesName({ __name__: 'up' }), seriesName({ a: 'b' })]).toEqual([
      '{}',
      'up',
      '{a="b"}',
    ]);
  });
});

describe("an alert's rule", () => {
  const alert = (labels: Record<string, string>) =>
    ({ labels, annotations: {}, state: 'firing', activeAt: '', value: '1' }) as const;
  const rules = [
    { name: 'Burn', query: 'a', labels: { severity: 'page' } },
    { name: 'Burn', query: 'b', labels: { severity: 'ticket' } },
  ];
  it('is the one of its name whose labels it carries, else the first of its name', () => {
    expect(ruleOf(alert({ alertname: 'Burn', severity: 'ticket', pod: 'x' }), rules)?.query).toBe('b');
    expect(ruleOf(alert({ alertname: 'Burn', severity: 'other' }), rules)?.query).toBe('a');
    expect(ruleOf(alert({ alertname: 'Other' }), rules)).toBeUndefined();
  });
});
