import type { Evaluation } from '../evaluation/evaluation.ts';
import { executionError } from '../evaluation/execution-error.ts';
import { hasPoints, type StepSeries } from '../evaluation/step-series.ts';
import { formatGeneral } from '../go-format.ts';
import type { Rearrange } from './grouped.ts';
import { bestFirst, createValueHeaps, offer } from './value-heap.ts';

/** `topk` and `bottomk`: the series with the largest or smallest values at each step; at one time, in that order. */
export const rank: Rearrange = async (expr, groups, param, evaluation) => {
  if (!checkCount(param)) return [];
  const out: StepSeries[] = [];
  for (const group of groups) {
    const limits = new Int32Array(param.length);
    for (let k = 0; k < limits.length; k += 1) limits[k] = Math.min(Math.trunc(param[k]!), group.length);
    for (const one of await rankGroup(group, limits, expr.op === 'topk' ? 1 : -1, evaluation)) out.push(one);
  }
  return out;
};

/** False when no step wants any. @throws QUERY_EXECUTION for counts that are none */
export function checkCount(param: Float64Array): boolean {
  let max = Number.NEGATIVE_INFINITY;
  let min = Number.POSITIVE_INFINITY;
  for (let k = 0; k < param.length; k += 1) {
    max = Math.max(max, param[k]!);
    min = Math.min(min, param[k]!);
  }
  if (max < 1) return false;
  if (Number.isNaN(max)) throw executionError('Parameter value is NaN');
  if (min <= -(2 ** 63)) throw executionError(`Scalar value ${formatGeneral(min)} underflows int64`);
  if (max >= 2 ** 63) throw executionError(`Scalar value ${formatGeneral(max)} overflows int64`);
  return true;
}

/** Writes into the presence of `group`. */
async function rankGroup(
  group: readonly StepSeries[],
  limits: Int32Array,
  sign: 1 | -1,
  { grid, turn }: Evaluation,
): Promise<StepSeries[]> {
  const heaps = createValueHeaps(limits);
  for (const [owner, series] of group.entries()) {
    if (turn.isOver()) await turn.pause();
    offer(heaps, owner, series, sign);
    series.present.fill(0);
  }
  for (let k = 0; k < grid.steps; k += 1) {
    if (turn.isOver()) await turn.pause();
    const start = heaps.starts[k]!;
    const end = start + heaps.sizes[k]!;
    for (let i = start; i < end; i += 1) group[heaps.owners[i]!]!.present[k] = 1;
  }
  return grid.steps === 1 ? bestFirst(heaps, 0).map((owner) => group[owner]!) : group.filter(hasPoints);
}
