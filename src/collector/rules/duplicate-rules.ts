import type { Rule, RuleGroup } from '../../model/rule-group.ts';

export interface DuplicateRule {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Names with labels that stand in the file more than once, in their order: two recording rules that write the same
 * series, or two alerts nobody can tell apart. Source: promtool's lint `duplicate-rules`
 */
export function duplicateRules(groups: readonly RuleGroup[]): readonly DuplicateRule[] {
  const seen = new Map<string, { readonly rule: DuplicateRule; count: number }>();
  for (const group of groups) {
    for (const rule of group.rules) {
      const labels = { ...group.labels, ...rule.labels };
      const key = JSON.stringify([nameOf(rule), Object.entries(labels).sort()]);
      const known = seen.get(key);
      if (known === undefined) seen.set(key, { rule: { name: nameOf(rule), labels }, count: 1 });
      else known.count += 1;
    }
  }
  return [...seen.values()]
    .filter(({ count }) => count > 1)
    .map(({ rule }) => rule)
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

const nameOf = (rule: Rule): string => (rule.kind === 'alerting' ? rule.alert : rule.record);
