import type { Evaluation } from '../evaluation/evaluation.ts';
import type { StepSeries } from '../evaluation/step-series.ts';
import type { AggregateExpr } from '../expr.ts';

/**
 * Folds the series of one group, step by step from `from` to `to` - 1, into `out`. Only `out.values` at steps where
 * `out.present` is 1 count; presence is already that of any of the series.
 */
export type Reduce = (group: readonly StepSeries[], out: StepSeries, from: number, to: number) => void;

/** Folds a whole vector at once: those that do not give one series a group. */
export type Rearrange = (
  expr: AggregateExpr,
  groups: readonly StepSeries[][],
  param: Float64Array,
  evaluation: Evaluation,
) => Promise<StepSeries[]>;
