import type { Evaluation } from './evaluation.ts';
import { mergeEqualSeries, type StepSeries } from './step-series.ts';

/**
 * What Prometheus does with equal label sets in a result: over a range they become one series; at one time they are
 * an error, which waits for the end of the query where names are removed late (an aggregation may yet resolve it).
 */
export async function settleEqualSeries(
  series: StepSeries[],
  { grid, delayedNameRemoval, turn }: Evaluation,
): Promise<StepSeries[]> {
  return delayedNameRemoval && grid.steps === 1 ? series : mergeEqualSeries(series, turn);
}
