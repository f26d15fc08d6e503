import { type Labels, labelValue, METRIC_NAME } from '../../../model/labels.ts';
import type { RangeSummary } from '../../storage/range-summary.ts';
import type { StoredSeries } from '../../storage/storage.ts';
import type { MatrixSelector } from '../expr.ts';
import type { Evaluation } from './evaluation.ts';
import { readInTurns, referenceTimes, selectSeries } from './instant-selector.ts';
import { dropMetadata } from './label-set.ts';
import { dropStale } from './range-vector.ts';
import type { RangeFunction, RangeWindow, SummaryFunction } from './range-windows.ts';
import { checkDistinct, type StepSeries, seriesOf } from './step-series.ts';

/** A range function that is told by what its window comes to, without its samples. */
export interface SummarisedFunction {
  readonly whole: RangeFunction;
  readonly summary: SummaryFunction;
}

export interface SummarisedOptions {
  readonly keepsName: boolean;
  /** Called for the name of each metric that has a value. */
  readonly seen: (metricName: string) => void;
}

// Below this a window is a few chunks, which to decode costs no more.
const LONG_RANGE_MS = 12 * 3_600_000;
const SERIES_BETWEEN_CHECKS = 32;

/**
 * Applies `fn` to the window of each series at one time, by summaries of its samples. Undefined where the store has
 * none or they would not help: over several steps, where windows share their samples, and for short windows unless
 * they are asked about again and again.
 */
export async function evaluateSummaries(
  expr: MatrixSelector,
  evaluation: Evaluation,
  fn: SummarisedFunction,
  { keepsName, seen }: SummarisedOptions,
): Promise<StepSeries[] | undefined> {
  const { grid, summaries, querier, turn, delayedNameRemoval, columns } = evaluation;
  if (summaries === undefined || grid.steps !== 1) return undefined;
  const { rangeMs } = expr;
  const endMs = referenceTimes(expr.selector, evaluation).startMs;
  const startMs = endMs - rangeMs;
  const standing =
    expr.selector.at === null ? await summaries.standing.find(expr, querier, endMs, turn) : undefined;
  if (standing === undefined && rangeMs < LONG_RANGE_MS) return undefined;
  const out: StepSeries[] = [];
  const names = new Set<string>();

  const done = (result: StepSeries, name: string) => {
    result.present[0] = 1;
    out.push(result);
    if (names.has(name)) return;
    names.add(name);
    seen(name);
  };
  const apply = (stored: StoredSeries, summary: RangeSummary, labels: Labels, name: string) => {
    if (summary.count === 0) return undefined;
    const result = seriesOf(labels, columns.take(1), !keepsName);
    const has = valueOfWindow(stored, summary, fn, { startMs, endMs }, result.values, evaluation);
    if (has === true) done(result, name);
    return has === true || has === false ? undefined : has.then((late) => void (late && done(result, name)));
  };

  const keepsLabels = keepsName || delayedNameRemoval;
  summaries.used = true;
  if (standing !== undefined) {
    let looked = 0;
    for (const { labels, bareLabels, metricName, window } of standing.series) {
      looked += 1;
      if (looked % SERIES_BETWEEN_CHECKS === 0 && turn.isOver()) await turn.pause();
      const summary = window.summaryUntil(endMs);
      const decoding = apply(window, summary, keepsLabels ? labels : bareLabels, metricName);
      if (decoding !== undefined) await decoding;
    }
  } else {
    for (const stored of await selectSeries(expr.selector, startMs + 1, endMs, evaluation)) {
      if (turn.isOver()) await turn.pause();
      const summary = stored.summary?.(startMs + 1, endMs);
      if (summary === undefined) return undefined;
      const { labels } = stored;
      await apply(
        stored,
        summary,
        keepsLabels ? labels : dropMetadata(labels),
        labelValue(labels, METRIC_NAME),
      );
    }
  }
  if (!keepsLabels && !standing?.areDistinct) await checkDistinct(out, turn);
  return out;
}

/**
 * The value of `fn` for a window into `out`; false where there is none. A promise only where samples must be read after
 * all: most windows should cost no more than they must.
 */
export function valueOfWindow(
  stored: StoredSeries,
  summary: RangeSummary,
  fn: SummarisedFunction,
  window: { readonly startMs: number; readonly endMs: number },
  out: Float64Array,
  evaluation: Evaluation,
): boolean | Promise<boolean> {
  if (summary.count === 0) return false;
  evaluation.budget.look(summary.count);
  return fn.summary(summary, window, out, 0) ?? decode(stored, fn.whole, window, out, evaluation);
}

async function decode(
  stored: StoredSeries,
  fn: RangeFunction,
  { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
  out: Float64Array,
  { turn, budget, grid }: Evaluation,
): Promise<boolean> {
  const { t, v, length } = dropStale(await readInTurns(stored, startMs + 1, endMs, turn));
  if (length === 0) return false;
  budget.take(length);
  const window: RangeWindow = { t, v, from: 0, to: length, startMs, endMs, evalMs: grid.startMs };
  const has = fn(window, out, 0);
  budget.give(length);
  return has;
}
