import { METRIC_NAME } from '../../model/labels.ts';
import type { Matcher } from '../../model/matcher.ts';
import { childrenOf, type Expr, type VectorSelector } from './expr.ts';

/** What one selector of an expression reads. */
export interface Selection {
  readonly matchers: readonly Matcher[];
  /** The metric's name where it is one literal, else undefined: any name may match. */
  readonly metricName: string | undefined;
}

/** The selectors of `expr`, in the order written, repeated ones included. */
export function selectorsOf(expr: Expr): readonly Selection[] {
  if (expr.kind === 'vector-selector') return [selectionOf(expr)];
  return childrenOf(expr).flatMap(selectorsOf);
}

function selectionOf({ matchers }: VectorSelector): Selection {
  const metricName = matchers.find((matcher) => matcher.name === METRIC_NAME && matcher.op === '=')?.value;
  return { matchers, metricName };
}
