import { type Labels, labelsKey } from '../../../model/labels.ts';
import type { Evaluation } from '../evaluation/evaluation.ts';
import { executionError } from '../evaluation/execution-error.ts';
import { dropLabels, groupingLabels, isLabelName, withLabel } from '../evaluation/label-set.ts';
import { costOfSteps } from '../evaluation/sample-budget.ts';
import { newSeries, type StepSeries } from '../evaluation/step-series.ts';
import type { AggregateExpr } from '../expr.ts';
import { formatFloat, quote } from '../go-format.ts';

/** @throws QUERY_EXECUTION before anything is evaluated, as in Prometheus */
export function checkValueLabel(label: string): void {
  if (!isLabelName(label)) throw executionError(`invalid label name ${quote(label)}`);
}

/** `count_values("label", …)`: how many series of a group have each value; the value becomes a label. */
export async function countValues(
  expr: AggregateExpr,
  label: string,
  series: readonly StepSeries[],
  { grid, turn, budget }: Evaluation,
): Promise<StepSeries[]> {
  const names = new Set(expr.grouping);
  // `without` may name the very label, and then all values count together.
  const showsValue = !(expr.without && names.has(label));
  const groups = new Map<string, Map<number | '-0', StepSeries>>();
  for (const { labels, values, present } of series) {
    if (turn.isOver()) await turn.pause();
    const group = groupingLabels(dropLabels(labels, new Set([label])), names, expr.without);
    const key = labelsKey(group);
    const counts = groups.get(key) ?? new Map<number | '-0', StepSeries>();
    groups.set(key, counts);
    for (let k = 0; k < grid.steps; k += 1) {
      if (present[k] === 0) continue;
      const value = showsValue ? keyOf(values[k]!) : 0;
      let count = counts.get(value);
      if (count === undefined) {
        budget.take(costOfSteps(1, grid.steps));
        count = newSeries(showsValue ? withValue(group, label, values[k]!) : group, grid.steps);
        counts.set(value, count);
        if (turn.isOver()) await turn.pause();
      }
      count.values[k] = count.values[k]! + 1;
      count.present[k] = 1;
    }
  }
  return [...groups.values()].flatMap((counts) => [...counts.values()]);
}

// A map takes 0 and -0 for one key, their texts differ.
const keyOf = (value: number): number | '-0' => (Object.is(value, -0) ? '-0' : value);

const withValue = (group: Labels, label: string, value: number): Labels =>
  withLabel(group, label, formatFloat(value));
