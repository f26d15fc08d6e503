import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sloRuleFiles } from '../../../scripts/generate/slo-rules.ts';
import { readsOf, writesOf } from '../../../src/collector/rules/dependencies.ts';
import { parseRuleFile } from '../../../src/collector/rules/rule-file.ts';

describe('generated SLO rules', () => {
  it.each([...sloRuleFiles()])('%s is what slos/ makes of it; else run npm run generate', (path, text) => {
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  const groups = [...sloRuleFiles()].flatMap(([path, text]) => parseRuleFile(text, path));
  const rules = groups.flatMap((group) => group.rules);

  it('read only counters and what they record themselves', () => {
    const written = new Set(rules.flatMap(writesOf));
    const read = rules.flatMap((rule) => [...readsOf(rule.expr).names]);
    expect(read.filter((name) => !written.has(name) && !name.endsWith('_total'))).toEqual([]);
  });

  it('never average ratios', () => {
    expect(rules.filter((rule) => /avg|quantile|sum_over_time|count_over_time/.test(rule.expr))).toEqual([]);
  });

  it('run the rules of long windows once a minute', () => {
    for (const group of groups) {
      const long = group.rules.some(
        (rule) => /\[(\d+d|[2-9]h)\]/.test(rule.expr) && rule.kind === 'recording',
      );
      expect(group.intervalMs).toBe(long ? 60_000 : 0);
    }
  });
});
