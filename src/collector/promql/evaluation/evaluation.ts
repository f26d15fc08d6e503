import type { Querier } from '../../storage/storage.ts';
import type { Expr } from '../expr.ts';
import type { Annotations } from './annotations.ts';
import type { SampleBudget } from './sample-budget.ts';
import type { SeriesOrders } from './series-orders.ts';
import type { StandingWindows } from './standing-windows.ts';
import type { BorrowedColumns } from './step-columns.ts';
import type { StepValue } from './step-series.ts';
import type { Turn } from './turn.ts';

/** The times an expression is evaluated at: `startMs + k * stepMs` for k from 0 to `steps` - 1. */
export interface Grid {
  readonly startMs: number;
  readonly stepMs: number;
  readonly steps: number;
}

/** What stays the same throughout a query. */
export interface QueryContext {
  readonly querier: Querier;
  readonly lookbackMs: number;
  /** Of subqueries that leave out their step. */
  readonly subqueryStepMs: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  /** Names are removed at the end of a query rather than by each function. */
  readonly delayedNameRemoval: boolean;
  readonly annotations: Annotations;
  readonly budget: SampleBudget;
  /** For most of the series that a query makes. */
  readonly columns: Pick<BorrowedColumns, 'take'>;
  /** Left out where every sample is to be looked at. */
  readonly summaries?: Summaries;
  readonly turn: Turn;
  readonly orders: SeriesOrders;
}

export interface Summaries {
  readonly standing: StandingWindows;
  /** Set once a value came from summaries. */
  used: boolean;
}

/** A query, and the grid its expressions are evaluated on right now. */
export interface Evaluation extends QueryContext {
  readonly grid: Grid;
  evaluate(expr: Expr): Promise<StepValue>;
  /** The same query on another grid: subqueries, and what is the same at every step. */
  on(grid: Grid): Evaluation;
}

export const timeAt = (grid: Grid, step: number): number => grid.startMs + step * grid.stepMs;
