import { labelsKey } from '../../../model/labels.ts';
import type { Evaluation } from '../evaluation/evaluation.ts';
import { executionError } from '../evaluation/execution-error.ts';
import { groupingLabels, isLabelName, withLabel } from '../evaluation/label-set.ts';
import { newSeries, type StepSeries } from '../evaluation/step-series.ts';
import type { AggregateExpr } from '../expr.ts';
import { formatFloat, quote } from '../go-format.ts';

/** `count_values("label", …)`: how many series of a group have each value; the value becomes a label. */
export function countValues(
  expr: AggregateExpr,
  label: string,
  series: readonly StepSeries[],
  { grid }: Evaluation,
): StepSeries[] {
  if (!isLabelName(label)) throw executionError(`invalid label name ${quote(label)}`);
  const names = new Set(expr.without ? expr.grouping : [...expr.grouping, label]);
  const counts = new Map<string, StepSeries>();
  for (const { labels, values, present } of series) {
    const byValue = new Map<string, StepSeries>();
    for (let k = 0; k < grid.steps; k += 1) {
      if (present[k] === 0) continue;
      const value = formatFloat(values[k]!);
      let count = byValue.get(value);
      if (count === undefined) {
        const group = groupingLabels(withLabel(labels, label, value), names, expr.without);
        count = counts.get(labelsKey(group)) ?? newSeries(group, grid.steps);
        counts.set(labelsKey(group), count);
        byValue.set(value, count);
      }
      count.values[k] = count.values[k]! + 1;
      count.present[k] = 1;
    }
  }
  return [...counts.values()];
}
