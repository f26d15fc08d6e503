import type { Evaluation } from '../evaluation/evaluation.ts';
import { executionError } from '../evaluation/execution-error.ts';
import { newSeries, type StepSeries } from '../evaluation/step-series.ts';
import { formatGeneral } from '../go-format.ts';
import type { Rearrange } from './aggregation.ts';
import {
  ascending,
  type Before,
  descending,
  push,
  type Ranked,
  replaceTop,
  sortReversed,
} from './value-heap.ts';

/** `topk` and `bottomk`: the series with the largest or smallest values at each step; at one time, in that order. */
export const rank: Rearrange = async (expr, groups, param, evaluation) => {
  if (!checkCount(param)) return [];
  const total = groups.reduce((sum, group) => sum + group.length, 0);
  const before = expr.op === 'topk' ? ascending : descending;
  const out: StepSeries[] = [];
  for (const group of groups) {
    for (const one of await rankGroup(group, param, total, before, evaluation)) out.push(one);
  }
  return out;
};

/** False when no step wants any. @throws QUERY_EXECUTION for counts that are none */
export function checkCount(param: Float64Array): boolean {
  const max = param.reduce((a, b) => Math.max(a, b));
  const min = param.reduce((a, b) => Math.min(a, b));
  if (max < 1) return false;
  if (param.some(Number.isNaN)) throw executionError('Parameter value is NaN');
  if (min <= -(2 ** 63)) throw executionError(`Scalar value ${formatGeneral(min)} underflows int64`);
  if (max >= 2 ** 63) throw executionError(`Scalar value ${formatGeneral(max)} overflows int64`);
  return true;
}

async function rankGroup(
  group: readonly StepSeries[],
  param: Float64Array,
  total: number,
  before: Before,
  { grid, turn }: Evaluation,
): Promise<StepSeries[]> {
  // Only for those that are ever ranked.
  const out: (StepSeries | undefined)[] = new Array(group.length);
  const resultOf = (index: number) => {
    const { labels, dropName } = group[index]!;
    out[index] ??= newSeries(labels, grid.steps, dropName);
    return out[index];
  };
  let order: Ranked[] = [];
  for (let k = 0; k < grid.steps; k += 1) {
    if (turn.isOver()) await turn.pause();
    const count = Math.min(Math.trunc(param[k]!), total);
    if (count < 1) continue;
    order = bestAt(group, k, count, before);
    for (const { index, value } of order) {
      const result = resultOf(index);
      result.values[k] = value;
      result.present[k] = 1;
    }
  }
  if (grid.steps === 1) return order.map(({ index }) => resultOf(index));
  return out.filter((series) => series !== undefined);
}

function bestAt(group: readonly StepSeries[], k: number, count: number, before: Before): Ranked[] {
  const heap: Ranked[] = [];
  for (let index = 0; index < group.length; index += 1) {
    if (group[index]!.present[k] === 0) continue;
    const value = group[index]!.values[k]!;
    if (heap.length < count) push(heap, { index, value }, before);
    else if (isBetter(value, heap[0]!.value, before)) replaceTop(heap, { index, value }, before);
  }
  sortReversed(heap, before);
  return heap;
}

function isBetter(value: number, top: number, before: Before): boolean {
  if (Number.isNaN(top)) return !Number.isNaN(value);
  return before(top, value);
}
