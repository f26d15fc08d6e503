import type { Rule, RuleGroup } from '../../model/rule-group.ts';
import { parseExpr } from '../promql/parse-expr.ts';
import { selectorsOf } from '../promql/selectors-of.ts';

/** Names of the metrics an expression reads; `any` when a selector does not say one name. */
export interface Reads {
  readonly names: ReadonlySet<string>;
  readonly any: boolean;
}

export function readsOf(expr: string): Reads {
  const selections = selectorsOf(parseExpr(expr));
  return {
    names: new Set(selections.flatMap(({ metricName }) => (metricName === undefined ? [] : [metricName]))),
    any: selections.some(({ metricName }) => metricName === undefined),
  };
}

/** Names of the series a rule writes. */
export function writesOf(rule: Rule): readonly string[] {
  return rule.kind === 'recording' ? [rule.record] : ['ALERTS', 'ALERTS_FOR_STATE'];
}

function readsAnyOf(reads: Reads, names: readonly string[]): boolean {
  return reads.any || names.some((name) => reads.names.has(name));
}

/**
 * The rules of a group by their indexes, in batches: the rules of a batch do not read each other and may run at once;
 * a rule that reads an earlier one's output stands in a later batch, and never before a rule that comes earlier and
 * reads its own.
 */
export function batchesOf(rules: readonly Rule[]): readonly (readonly number[])[] {
  const reads = rules.map((rule) => readsOf(rule.expr));
  const writes = rules.map(writesOf);
  const levels: number[] = [];
  for (let i = 0; i < rules.length; i += 1) {
    let level = 0;
    for (let j = 0; j < i; j += 1) {
      if (readsAnyOf(reads[i]!, writes[j]!)) level = Math.max(level, levels[j]! + 1);
      else if (readsAnyOf(reads[j]!, writes[i]!)) level = Math.max(level, levels[j]!);
    }
    levels.push(level);
  }
  const batches: number[][] = [];
  levels.forEach((level, index) => {
    batches[level] ??= [];
    batches[level].push(index);
  });
  return batches;
}

/**
 * For each group the groups whose output it reads, by index, itself left out. Selectors without a name do not count:
 * they would tie everything together.
 */
export function upstreamOf(groups: readonly RuleGroup[]): readonly (readonly number[])[] {
  const reads = groups.map(namesReadBy);
  const writes = groups.map((group) => group.rules.flatMap(writesOf));
  return groups.map((_, i) =>
    groups.flatMap((_, j) => (i !== j && writes[j]!.some((name) => reads[i]!.has(name)) ? [j] : [])),
  );
}

export function namesReadBy(group: RuleGroup): ReadonlySet<string> {
  return new Set(group.rules.flatMap((rule) => [...readsOf(rule.expr).names]));
}

/** Indexes so that a group comes after those upstream of it; a circle keeps the order given. */
export function upstreamFirst(upstream: readonly (readonly number[])[]): readonly number[] {
  const order: number[] = [];
  const seen = new Set<number>();
  const visit = (index: number) => {
    if (seen.has(index)) return;
    seen.add(index);
    for (const up of upstream[index]!) visit(up);
    order.push(index);
  };
  upstream.forEach((_, index) => {
    visit(index);
  });
  return order;
}
