import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseRuleFile } from '../../../src/collector/rules/rule-file.ts';
import { fixtures } from '../../support/parts.ts';

function problemsOf(text: string): string[] {
  try {
    parseRuleFile(text, 'web.yaml');
    return [];
  } catch (error) {
    expect(error).toMatchObject({ code: 'RULES_INVALID' });
    return (error as Error).message.split('\n');
  }
}

const rule = (lines: string) => `groups:\n- name: g\n  rules:\n${lines.replace(/^/gm, '  ')}\n`;

describe('a rule file', () => {
  it('gives its groups and rules, durations in milliseconds', () => {
    const [group] = parseRuleFile(
      `
groups:
  - name: web
    interval: 1m30s
    limit: 10
    query_offset: 5s
    labels: { team: shop }
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
        labels: { tier: 1 }
      - alert: Down
        expr: up == 0
        for: 5m
        keep_firing_for: 1h
        annotations: { summary: '{{ $labels.job }} is down' }
`,
      'rules/web.yaml',
    );
    expect(JSON.parse(JSON.stringify(group))).toEqual({
      file: 'rules/web.yaml',
      name: 'web',
      intervalMs: 90_000,
      limit: 10,
      queryOffsetMs: 5000,
      labels: { team: 'shop' },
      rules: [
        { kind: 'recording', record: 'job:up:sum', expr: 'sum by (job) (up)', labels: { tier: '1' } },
        {
          kind: 'alerting',
          alert: 'Down',
          expr: 'up == 0',
          forMs: 300_000,
          keepFiringForMs: 3_600_000,
          labels: {},
          annotations: { summary: '{{ $labels.job }} is down' },
        },
      ],
    });
  });

  it('may be empty, may have no rules, and ends with its first document', () => {
    expect(parseRuleFile('', 'a.yaml')).toEqual([]);
    expect(parseRuleFile('groups:', 'a.yaml')).toEqual([]);
    expect(parseRuleFile('groups: []\n---\nnonsense: true', 'a.yaml')).toEqual([]);
    expect(parseRuleFile('groups: [{name: g}]', 'a.yaml')).toMatchObject([
      { name: 'g', intervalMs: 0, rules: [] },
    ]);
  });

  it.each([
    [
      rule('- record: r\n  expr: "up +"'),
      'web.yaml:5:11: group "g", rule 1, "r": could not parse expression: 1:5: parse error: unexpected end of input',
    ],
    [rule('- record: r'), 'web.yaml:4:5: group "g", rule 1, "r": "expr" must be set in a rule'],
    [rule('- expr: up'), 'web.yaml:4:5: group "g", rule 1: one of "record" or "alert" must be set'],
    [
      rule('- record: r\n  alert: A\n  expr: up'),
      'web.yaml:4:5: group "g", rule 1, "r": only one of "record" and "alert" must be set',
    ],
    [
      rule('- alert: A\n  expr: up\n  for: 5x'),
      'web.yaml:6:10: group "g", rule 1, "A": "for" is "5x", which is not a duration; write it like 30s, 5m or 1h30m',
    ],
    [
      rule('- record: r\n  expr: up\n  for: 5m'),
      'web.yaml:6:5: group "g", rule 1, "r": a recording rule has no "for"; only alerts do',
    ],
    [
      rule('- record: r{a="b"}\n  expr: up'),
      'web.yaml:4:13: group "g", rule 1, "r{a="b"}": braces present in the recording rule name; should it be in expr?: r{a="b"}',
    ],
    [
      rule('- alert: A\n  expr: up\n  labels: { 1a: x }'),
      'web.yaml:6:15: group "g", rule 1, "A": invalid label name: "1a"; use letters, digits and _, not starting with a digit',
    ],
    [
      rule('- alert: A\n  expr: up\n  annotations: { s: "{{ $label.x }}" }'),
      'web.yaml:6:20: group "g", rule 1, "A": could not parse the template of annotation "s": undefined variable "$label"',
    ],
    [
      rule('- alert: A\n  expr: up\n  sumary: x'),
      'web.yaml:6:5: group "g", rule 1, "A": field "sumary" is not known; allowed are record, alert, expr, for, keep_firing_for, labels, annotations',
    ],
    ['groups:\n- name: g\n- name: g\n', 'web.yaml:3:3: groupname: "g" is repeated in the same file'],
    ['groups:\n- rules: []\n', 'web.yaml:2:3: group 1: Groupname must not be empty'],
    ['groups: {}\n', 'web.yaml:1:9: "groups" must be a list'],
    ['- a\n', 'web.yaml:1:1: a rule file must be a map with "groups"'],
    [
      'groups: [\n',
      'web.yaml:2:1: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
  ])('%j is refused with its place', (text, problem) => {
    expect(problemsOf(text)).toContain(problem);
  });

  it('is refused with all that is wrong, not the first thing only', () => {
    expect(
      problemsOf(rule('- record: r\n  expr: "up +"\n- alert: A\n  expr: "sum("\n  for: never')),
    ).toHaveLength(3);
  });

  it('may be hostile: aliases that multiply are not expanded', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefghij'
      .split('')
      .map((name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcdefghij'[index]}`).join(',')}]`)
      .join('\n')}\ngroups: []`;
    expect(problemsOf(bomb)[0]).toContain('field "a" is not known');
  });
});

describe.skipIf(fixtures === undefined)("others' files", () => {
  it.each([
    'mixin/prometheus_alerts.yaml',
    'mixin/prometheus_rules.yaml',
    'rules/manager/rules_multi_doc.yaml',
    'rules/manager/rules_multiple_groups.yaml',
    'rules/promtool/rules.yml',
    'rules/promtool/prometheus-rules.lint.yml',
  ])('%s is read', (file) => {
    expect(parseRuleFile(readFileSync(join(fixtures!, file), 'utf8'), file).length).toBeGreaterThan(0);
  });

  it.each([
    ['rules/promtool/bad-rules-syntax.yml', 'parse error'],
    ['rules/promtool/rules-bad.yml', 'undefined variable "$label"'],
    ['rules/promtool/rules_extrafields.yml', 'field "ownership" is not known'],
    ['rules/manager/invalid_rules.yaml', 'field "unexpected_field" is not known'],
  ])('%s is refused: %s', (file, message) => {
    expect(() => parseRuleFile(readFileSync(join(fixtures!, file), 'utf8'), file)).toThrow(message);
  });
});
