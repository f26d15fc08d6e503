import type { Labels } from '../../../model/labels.ts';
import type { Samples } from '../../../model/sample.ts';
import { isStaleAt, wordsOf } from '../../../model/stale-marker.ts';
import type { MatrixSelector, Subquery } from '../expr.ts';
import { type Evaluation, type Grid, timeAt } from './evaluation.ts';
import { readInTurns, referenceTimes, selectSeries } from './instant-selector.ts';
import type { StepSeries } from './step-series.ts';

export interface RangeSeries {
  readonly labels: Labels;
  readonly dropName: boolean;
  /** Without stale markers. The arrays are valid until the visit is over. */
  readonly samples: Samples;
}

export type RangeExpr = MatrixSelector | Subquery;

/** A range vector: its series one after another, and where the window lies at each step. */
export interface RangeVector {
  readonly rangeMs: number;
  readonly ends: Grid;
  /** A visit gives a promise only where it takes turns: most series should cost no more than they must. */
  readonly each: (visit: (series: RangeSeries) => void | Promise<void>) => Promise<void>;
}

export function evaluateRange(expr: RangeExpr, evaluation: Evaluation): RangeVector {
  const { rangeMs } = expr;
  const ends = referenceTimes(expr.kind === 'subquery' ? expr : expr.selector, evaluation);
  const afterT = ends.startMs - rangeMs;
  const maxT = timeAt(ends, ends.steps - 1);
  const each =
    expr.kind === 'subquery'
      ? subquerySeries(expr, afterT, maxT, evaluation)
      : storedSeries(expr, afterT + 1, maxT, evaluation);
  return { rangeMs, ends, each };
}

function storedSeries(
  expr: MatrixSelector,
  minT: number,
  maxT: number,
  evaluation: Evaluation,
): RangeVector['each'] {
  const { turn } = evaluation;
  return async (visit) => {
    for (const stored of await selectSeries(expr.selector, minT, maxT, evaluation)) {
      if (turn.isOver()) await turn.pause();
      const read = readInTurns(stored, minT, maxT, turn);
      const samples = dropStale(read instanceof Promise ? await read : read);
      if (samples.length === 0) continue;
      const visiting = visit({ labels: stored.labels, dropName: false, samples });
      if (visiting !== undefined) await visiting;
    }
  };
}

/** The samples without stale markers; the same arrays when there are none. */
export function dropStale(samples: Samples): Samples {
  const { t, v, length, whole = 0 } = samples;
  let first = whole;
  while (first < length && !Number.isNaN(v[first]!)) first += 1;
  if (first === length) return samples;
  const words = wordsOf(v);
  while (first < length && !(Number.isNaN(v[first]!) && isStaleAt(words, first))) first += 1;
  if (first === length) return samples;
  const kept = { t: t.slice(0, length), v: v.slice(0, length), length: first };
  for (let i = first + 1; i < length; i += 1) {
    if (Number.isNaN(v[i]!) && isStaleAt(words, i)) continue;
    kept.t[kept.length] = t[i]!;
    kept.v[kept.length] = v[i]!;
    kept.length += 1;
  }
  return kept;
}

function subquerySeries(
  expr: Subquery,
  afterT: number,
  maxT: number,
  evaluation: Evaluation,
): RangeVector['each'] {
  const { turn } = evaluation;
  const grid = subqueryGrid(afterT, maxT, expr.stepMs === 0 ? evaluation.subqueryStepMs : expr.stepMs);
  return async (visit) => {
    if (grid.steps <= 0) return;
    const value = await evaluation.on(grid).evaluate(expr.expr);
    for (const series of value.kind === 'vector' ? value.series : []) {
      if (turn.isOver()) await turn.pause();
      const samples = presentSamples(series, grid);
      if (samples.length === 0) continue;
      const visiting = visit({ labels: series.labels, dropName: series.dropName, samples });
      if (visiting !== undefined) await visiting;
    }
  };
}

/** Multiples of the step after `afterT`, up to `maxT`: the same whatever the outer query's start is. */
function subqueryGrid(afterT: number, maxT: number, stepMs: number): Grid {
  const startMs = (Math.floor(afterT / stepMs) + 1) * stepMs;
  return { startMs, stepMs, steps: Math.floor((maxT - startMs) / stepMs) + 1 };
}

function presentSamples({ values, present }: StepSeries, grid: Grid): Samples {
  const t = new Float64Array(values.length);
  const v = new Float64Array(values.length);
  let length = 0;
  for (let k = 0; k < values.length; k += 1) {
    if (present[k] === 0) continue;
    t[length] = timeAt(grid, k);
    v[length] = values[k]!;
    length += 1;
  }
  return { t, v, length };
}
