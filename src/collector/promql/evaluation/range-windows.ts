import type { Samples } from '../../../model/sample.ts';
import type { RangeSummary } from '../../storage/range-summary.ts';
import { type Evaluation, type Grid, timeAt } from './evaluation.ts';
import type { RangeSeries, RangeVector } from './range-vector.ts';
import { costOfSteps } from './sample-budget.ts';
import { hasPoints, type StepSeries, seriesOf } from './step-series.ts';

/**
 * The samples of one series in one window (`startMs`, `endMs`]: entries `from` to `to` - 1 of `t` and `v`, at least
 * one. The same object serves all windows of a query.
 */
export interface RangeWindow {
  t: Float64Array;
  v: Float64Array;
  from: number;
  to: number;
  startMs: number;
  endMs: number;
  /** The time of the evaluation, without `@` and `offset`. */
  evalMs: number;
}

/** Writes the value for a window to `out[step]`; false where there is none. */
export type RangeFunction = (window: RangeWindow, out: Float64Array, step: number) => boolean;

/**
 * From what a window of at least one sample comes to, the value a `RangeFunction` has from its samples; undefined where
 * the samples must be looked at.
 */
export type SummaryFunction = (
  summary: RangeSummary,
  window: { readonly startMs: number; readonly endMs: number },
  out: Float64Array,
  step: number,
) => boolean | undefined;

/** A range function with cheaper ways that give the same. */
export interface CheaperFunction {
  readonly whole: RangeFunction;
  /** Where windows overlap; made for each series. */
  readonly sliding?: (samples: Samples) => RangeFunction;
  /** The same for many windows in one go. */
  readonly rolling?: (samples: Samples) => Roll;
  /** Where a store knows summaries. */
  readonly summary: SummaryFunction;
}

/**
 * Computes the windows of steps `from` to `to` - 1 into `out`, those of a series one after another; where they end is
 * told by `ends`. Answers how many samples lay in them.
 */
export type Roll = (ends: Grid, rangeMs: number, out: StepSeries, from: number, to: number) => number;

// Samples looked at between two questions whether the turn is over.
const SAMPLES_BETWEEN_CHECKS = 100_000;
// What a step costs beside the samples it looks at.
const STEP_COST = 10;
const STEPS_A_ROLL = SAMPLES_BETWEEN_CHECKS / STEP_COST;

/** Applies `fn` to each series' window at each step; `finish` sees each input with its result. */
export async function mapRange(
  range: RangeVector,
  evaluation: Evaluation,
  fn: RangeFunction | CheaperFunction,
  finish: (input: RangeSeries, result: StepSeries) => void,
): Promise<void> {
  const { grid, budget, columns } = evaluation;
  const overlap = grid.steps > 1 && range.rangeMs > grid.stepMs;
  const whole = typeof fn === 'function' ? fn : fn.whole;
  let results = 0;
  const end = (input: RangeSeries, result: StepSeries, any: boolean) => {
    budget.give(input.samples.length);
    if (!any) return;
    budget.take(costOfSteps(1, grid.steps));
    results += 1;
    finish(input, result);
  };
  const window = createWindow();
  await range.each((input) => {
    const { samples } = input;
    budget.take(samples.length);
    const result = seriesOf(input.labels, columns.take(grid.steps), input.dropName);
    if (grid.steps === 1) {
      applyOnce(window, samples, range, evaluation, whole, result);
      return end(input, result, result.present[0] === 1);
    }
    const cheaper = overlap && typeof fn !== 'function' ? fn : undefined;
    const roll = cheaper?.rolling?.(samples);
    if (roll !== undefined) {
      const rolling = createRolling(roll, range, evaluation, result);
      if (rolling.goOn()) return end(input, result, rolling.any());
      return slideInTurns(rolling, evaluation).then(() => end(input, result, rolling.any()));
    }
    const apply = cheaper?.sliding?.(samples) ?? whole;
    const slide = createSlide(samples, range, evaluation, apply, apply === whole, result);
    if (slide.goOn()) return end(input, result, slide.any());
    return slideInTurns(slide, evaluation).then(() => end(input, result, slide.any()));
  });
  budget.give(costOfSteps(results, grid.steps));
}

const NO_SAMPLES = new Float64Array(0);

const createWindow = (): RangeWindow => ({
  t: NO_SAMPLES,
  v: NO_SAMPLES,
  from: 0,
  to: 0,
  startMs: 0,
  endMs: 0,
  evalMs: 0,
});

/** At one step all samples are in the window: no others are read. */
function applyOnce(
  window: RangeWindow,
  { t, v, length }: Samples,
  { rangeMs, ends }: RangeVector,
  { grid, budget }: Evaluation,
  fn: RangeFunction,
  { values, present }: StepSeries,
): void {
  window.t = t;
  window.v = v;
  window.to = length;
  window.endMs = ends.startMs;
  window.startMs = ends.startMs - rangeMs;
  window.evalMs = grid.startMs;
  budget.look(length);
  if (fn(window, values, 0)) present[0] = 1;
}

/** A window on its way over the samples of a series. */
interface Slide {
  /** Whether the last step was reached; else it wants to give up the thread. */
  goOn(): boolean;
  /** Whether any step has a value. */
  any(): boolean;
}

async function slideInTurns(slide: Slide, { turn }: Evaluation): Promise<void> {
  do await turn.pause();
  while (!slide.goOn());
}

function createRolling(
  roll: Roll,
  { ends, rangeMs }: RangeVector,
  { grid, turn, budget }: Evaluation,
  result: StepSeries,
): Slide {
  let next = 0;
  return {
    any: () => hasPoints(result),
    goOn() {
      do {
        const from = next;
        next = Math.min(grid.steps, from + STEPS_A_ROLL);
        budget.look(roll(ends, rangeMs, result, from, next));
      } while (next < grid.steps && !turn.isOver());
      return next >= grid.steps;
    },
  };
}

function createSlide(
  samples: Samples,
  { rangeMs, ends }: RangeVector,
  { grid, turn, budget }: Evaluation,
  fn: RangeFunction,
  scans: boolean,
  { values, present }: StepSeries,
): Slide {
  const window = createWindow();
  window.t = samples.t;
  window.v = samples.v;
  const { length } = samples;
  let any = false;
  let next = 0;
  return {
    any: () => any,
    goOn() {
      let looked = 0;
      let inWindows = 0;
      let { from, to } = window;
      while (next < grid.steps) {
        const k = next;
        next += 1;
        window.evalMs = timeAt(grid, k);
        window.endMs = timeAt(ends, k);
        window.startMs = window.endMs - rangeMs;
        while (to < length && window.t[to]! <= window.endMs) to += 1;
        while (from < to && window.t[from]! <= window.startMs) from += 1;
        if (from === to) continue;
        window.from = from;
        window.to = to;
        inWindows += to - from;
        if (fn(window, values, k)) {
          present[k] = 1;
          any = true;
        }
        looked += scans ? to - from + 1 : STEP_COST;
        if (looked < SAMPLES_BETWEEN_CHECKS) continue;
        looked = 0;
        if (turn.isOver()) break;
      }
      window.from = from;
      window.to = to;
      budget.look(inWindows);
      return next >= grid.steps;
    },
  };
}
