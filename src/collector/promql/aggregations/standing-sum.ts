import type { Evaluation } from '../evaluation/evaluation.ts';
import { referenceTimes } from '../evaluation/instant-selector.ts';
import { createLabelsKey, groupingLabels } from '../evaluation/label-set.ts';
import type { StandingVector } from '../evaluation/standing-windows.ts';
import { newSeries, type StepSeries } from '../evaluation/step-series.ts';
import { valueOfWindow } from '../evaluation/summarised-range.ts';
import type { AggregateExpr } from '../expr.ts';
import { type Expr, unwrapParens } from '../expr.ts';
import { functionTable } from '../functions/function-table.ts';
import { addAt } from '../kahan-sum.ts';

/** Which group each series of a standing vector is in: worked out once. */
interface Grouping {
  readonly groupOf: Int32Array;
  readonly labels: readonly StepSeries['labels'][];
}

const groupings = new WeakMap<StandingVector, WeakMap<AggregateExpr, Grouping>>();
const SERIES_BETWEEN_CHECKS = 32;

/**
 * `sum` over a range function of standing windows, as `sum by (slo) (rate(x[30d]))`, without a vector in between: what
 * burn-rate rules spend their time on. The values, their order and the operations are those of the two one after the
 * other. Undefined where it is anything else.
 */
export async function sumOfStanding(
  expr: AggregateExpr,
  evaluation: Evaluation,
): Promise<StepSeries[] | undefined> {
  const { summaries, grid, querier, turn, delayedNameRemoval } = evaluation;
  if (expr.op !== 'sum' || summaries === undefined || grid.steps !== 1 || delayedNameRemoval)
    return undefined;
  const found = rangeCall(expr.expr);
  if (found === undefined) return undefined;
  const { selector, ranged } = found;
  const endMs = referenceTimes(selector.selector, evaluation).startMs;
  const standing = await summaries.standing.find(selector, querier, endMs, turn);
  if (!standing?.areDistinct) return undefined;
  summaries.used = true;
  const { groupOf, labels } = await groupingOf(standing, expr, evaluation);
  const window = { startMs: endMs - selector.rangeMs, endMs };
  const sums = new Float64Array(labels.length);
  const cs = new Float64Array(labels.length);
  const seen = new Uint8Array(labels.length);
  const order: number[] = [];
  const names = new Set<string>();
  const value = new Float64Array(1);
  const { series } = standing;
  for (let i = 0; i < series.length; i += 1) {
    if (i % SERIES_BETWEEN_CHECKS === 0 && turn.isOver()) await turn.pause();
    const one = series[i]!;
    const has = valueOfWindow(
      one.window,
      one.window.summaryUntil(endMs),
      ranged.fn,
      window,
      value,
      evaluation,
    );
    if (has === false || (has !== true && !(await has))) continue;
    if (!names.has(one.metricName)) {
      names.add(one.metricName);
      ranged.seen?.(one.metricName, found.call, evaluation);
    }
    const group = groupOf[i]!;
    if (seen[group] === 1) addAt(sums, cs, group, value[0]!);
    else {
      seen[group] = 1;
      sums[group] = value[0]!;
      order.push(group);
    }
  }
  return order.map((group) => {
    const out = newSeries(labels[group]!, 1, !ranged.keepsName);
    out.values[0] = sums[group]! + cs[group]!;
    out.present[0] = 1;
    return out;
  });
}

function rangeCall(expr: Expr) {
  const call = unwrapParens(expr);
  if (call.kind !== 'call') return undefined;
  const ranged = functionTable.get(call.name)?.ranged;
  if (ranged === undefined || ranged.keepsName) return undefined;
  const selector = unwrapParens(call.args[0]!);
  if (selector.kind !== 'matrix-selector' || selector.selector.at !== null) return undefined;
  return { call, selector, ranged };
}

async function groupingOf(
  vector: StandingVector,
  expr: AggregateExpr,
  { turn }: Evaluation,
): Promise<Grouping> {
  let ofVector = groupings.get(vector);
  if (ofVector === undefined) {
    ofVector = new WeakMap();
    groupings.set(vector, ofVector);
  }
  const known = ofVector.get(expr);
  if (known !== undefined) return known;
  const names = new Set(expr.grouping);
  const keyOf = createLabelsKey(expr.grouping, expr.without);
  const numbers = new Map<string, number>();
  const groupOf = new Int32Array(vector.series.length);
  const labels: StepSeries['labels'][] = [];
  for (const [i, { bareLabels }] of vector.series.entries()) {
    if (turn.isOver()) await turn.pause();
    const key = keyOf(bareLabels);
    let number = numbers.get(key);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(key, number);
      labels.push(groupingLabels(bareLabels, names, expr.without));
    }
    groupOf[i] = number;
  }
  const grouping = { groupOf, labels };
  ofVector.set(expr, grouping);
  return grouping;
}
