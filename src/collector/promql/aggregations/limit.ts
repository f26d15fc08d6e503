import { executionError } from '../evaluation/execution-error.ts';
import { hasPoints, newSeries, type StepSeries } from '../evaluation/step-series.ts';
import { mapInTurns } from '../evaluation/turn.ts';
import type { Rearrange } from './grouped.ts';
import { checkCount } from './rank.ts';

/** `limitk`: the first series of each group that have a value, as many as asked for. */
export const limitGroup: Rearrange = async (expr, groups, param, { grid, turn }) => {
  if (expr.op === 'limit_ratio') {
    if (param.some(Number.isNaN)) throw executionError('Ratio value is NaN');
    throw executionError('limit_ratio is not supported: it depends on how Prometheus hashes labels');
  }
  if (!checkCount(param)) return [];
  const out: StepSeries[] = [];
  for (const group of groups) {
    const taken = new Int32Array(grid.steps);
    const limited = await mapInTurns(group, turn, (series) => {
      const limited = newSeries(series.labels, grid.steps, series.dropName);
      for (let k = 0; k < grid.steps; k += 1) {
        if (series.present[k] === 0 || taken[k]! >= Math.trunc(param[k]!)) continue;
        taken[k]! += 1;
        limited.present[k] = 1;
        limited.values[k] = series.values[k]!;
      }
      return limited;
    });
    for (const one of limited) if (hasPoints(one)) out.push(one);
  }
  return out;
};
