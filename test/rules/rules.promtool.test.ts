import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseRuleFile } from '../../src/collector/rules/rule-file.ts';
import { findPart, missing } from '../support/parts.ts';

const root = resolve(import.meta.dirname, '../..');
const rules = readdirSync(join(root, 'rules')).filter((file) => file.endsWith('.yaml'));
const tests = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.yaml'));
const promtool = (...args: string[]) =>
  execFileSync(findPart('promtool')!, args, { cwd: root, encoding: 'utf8' });

describe('the rules that ship', () => {
  const groups = rules.flatMap((file) =>
    parseRuleFile(readFileSync(join(root, 'rules', file), 'utf8'), `rules/${file}`),
  );
  const alerts = groups.flatMap((group) => group.rules).filter((rule) => rule.kind === 'alerting');

  it('are read by our own reader too', () => {
    expect(alerts.length).toBeGreaterThan(15);
  });

  it.each(alerts.map((rule) => [rule.alert, rule] as const))(
    '%s says what is wrong and where its runbook is',
    (name, rule) => {
      expect(rule.annotations.summary).toBeTruthy();
      expect(rule.annotations.description).toBeTruthy();
      expect(rule.annotations.runbook_url).toContain(`/runbooks/${name}`);
      const fromContext = rule.expr.includes('severity) pod:alert_context:info');
      if (!fromContext) expect(['page', 'ticket', 'none']).toContain(rule.labels.severity);
    },
  );

  it('have names of their own: no group twice', () => {
    const names = groups.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe.skipIf(missing('promtool'))('promtool', () => {
  it.each(rules)('accepts rules/%s, without a warning', (file) => {
    expect(promtool('check', 'rules', '--lint=all', '--lint-fatal', `rules/${file}`)).toMatch(
      /SUCCESS: \d+ rules found/,
    );
  });

  it.each(tests)('finds that the rules do what %s says', (file) => {
    expect(promtool('test', 'rules', join('test/rules', file))).toContain('SUCCESS');
  });
});
