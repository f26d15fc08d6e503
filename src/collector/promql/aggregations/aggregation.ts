import type { Evaluation } from '../evaluation/evaluation.ts';
import { createLabelsKey, groupingLabels } from '../evaluation/label-set.ts';
import { groupBy } from '../evaluation/match-signature.ts';
import { hasPoints, type StepSeries, type StepValue, seriesOf } from '../evaluation/step-series.ts';
import type { AggregateExpr, AggregateOperator } from '../expr.ts';
import { checkValueLabel, countValues } from './count-values.ts';
import type { Rearrange, Reduce } from './grouped.ts';
import { limitGroup } from './limit.ts';
import { rank } from './rank.ts';
import {
  average,
  countOf,
  deviation,
  groupOf,
  maximum,
  minimum,
  quantileAggregation,
  sum,
  variance,
} from './reduce.ts';
import { sumOfStanding } from './standing-sum.ts';

const reducers: Partial<Record<AggregateOperator, Reduce>> = {
  sum,
  avg: average,
  count: countOf,
  min: minimum,
  max: maximum,
  group: groupOf,
  stddev: deviation,
  stdvar: variance,
};

/** Of one series these give the series. Not `sum` and `avg`, which make -0 into 0. */
const isItself: ReadonlySet<AggregateOperator> = new Set(['min', 'max']);

const rearrangers: Partial<Record<AggregateOperator, Rearrange>> = {
  topk: rank,
  bottomk: rank,
  limitk: limitGroup,
  limit_ratio: limitGroup,
};

export async function evaluateAggregate(expr: AggregateExpr, evaluation: Evaluation): Promise<StepValue> {
  const quick = await sumOfStanding(expr, evaluation);
  if (quick !== undefined) return { kind: 'vector', series: quick };
  const param = expr.param === null ? null : await evaluation.evaluate(expr.param);
  if (param?.kind === 'string') checkValueLabel(param.value);
  const inner = await evaluation.evaluate(expr.expr);
  if (inner.kind !== 'vector') throw new Error(`checked aggregation is over ${inner.kind}`);
  const series = inner.series.filter(hasPoints);
  if (param?.kind === 'string')
    return { kind: 'vector', series: await countValues(expr, param.value, series, evaluation) };
  const names = new Set(expr.grouping);
  const keyOf = createLabelsKey(expr.grouping, expr.without);
  const grouped = await groupBy(series, ({ labels }) => keyOf(labels), evaluation.turn);
  const groups = [...grouped.values()];
  const params = param?.kind === 'scalar' ? param.values : new Float64Array(0);
  const rearrange = rearrangers[expr.op];
  if (rearrange !== undefined) {
    return { kind: 'vector', series: await rearrange(expr, groups, params, evaluation) };
  }
  const reduce = reducers[expr.op] ?? quantileAggregation(expr, params, evaluation);
  const out: StepSeries[] = [];
  for (const group of groups) {
    if (evaluation.turn.isOver()) await evaluation.turn.pause();
    const [first] = group as [StepSeries, ...StepSeries[]];
    const labels = groupingLabels(first.labels, names, expr.without);
    if (group.length === 1 && isItself.has(expr.op)) {
      out.push({ ...first, labels });
      continue;
    }
    const dropName = group.some((one) => one.dropName);
    const result = seriesOf(labels, evaluation.columns.take(evaluation.grid.steps), dropName);
    for (const { present } of group) {
      if (evaluation.turn.isOver()) await evaluation.turn.pause();
      markPresent(result.present, present);
      if (!result.present.includes(0)) break;
    }
    await reduceInTurns(reduce, group, result, evaluation);
    out.push(result);
  }
  return { kind: 'vector', series: out };
}

function markPresent(target: Uint8Array, present: Uint8Array): void {
  for (let k = 0; k < target.length; k += 1) target[k]! |= present[k]!;
}

// Values folded between two questions whether the turn is over.
const VALUES_A_STRETCH = 100_000;

/** A large group is folded a few steps at a time, so that it does not hold the thread. */
async function reduceInTurns(
  reduce: Reduce,
  group: readonly StepSeries[],
  out: StepSeries,
  { turn, grid }: Evaluation,
): Promise<void> {
  const stretch = Math.max(1, Math.floor(VALUES_A_STRETCH / group.length));
  for (let from = 0; from < grid.steps; from += stretch) {
    reduce(group, out, from, Math.min(from + stretch, grid.steps));
    if (turn.isOver()) await turn.pause();
  }
}
