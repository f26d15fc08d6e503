import type { Samples } from '../../../model/sample.ts';
import { isStaleAt, wordsOf } from '../../../model/stale-marker.ts';
import type { StoredSeries } from '../../storage/storage.ts';
import type { AtModifier, VectorSelector } from '../expr.ts';
import { type Evaluation, type QueryContext, timeAt } from './evaluation.ts';
import { costOfSteps } from './sample-budget.ts';
import { sortByLabels } from './sort-by-labels.ts';
import { newSeries, type StepSeries } from './step-series.ts';
import type { Turn } from './turn.ts';

/** The time a selector or subquery looks at when evaluated at step `k`: moved by `@` and `offset`. */
export function referenceTime(
  { at, offsetMs }: { readonly at: AtModifier | null; readonly offsetMs: number },
  evaluation: Evaluation,
): (step: number) => number {
  if (at === null) return (step) => timeAt(evaluation.grid, step) - offsetMs;
  const fixed = atTime(at, evaluation) - offsetMs;
  return () => fixed;
}

function atTime(at: AtModifier, context: QueryContext): number {
  if (at.kind === 'time') return at.t;
  return at.kind === 'start' ? context.startMs : context.endMs;
}

/** The series of a selector in the order of their labels, so that sums do not depend on how a store keeps them. */
export async function selectSeries(
  selector: Pick<VectorSelector, 'matchers'>,
  minT: number,
  maxT: number,
  { querier, turn }: Pick<QueryContext, 'querier' | 'turn'>,
): Promise<StoredSeries[]> {
  const found: StoredSeries[] = [];
  let looked = 0;
  const { matchers } = selector;
  const search = querier.search?.(matchers, minT, maxT) ?? querier.select(matchers, minT, maxT);
  for (const series of search) {
    if (series !== undefined) found.push(series);
    looked += 1;
    if (looked % SERIES_BETWEEN_CHECKS === 0 && turn.isOver()) await turn.pause();
  }
  return sortByLabels(found, turn);
}

const SERIES_BETWEEN_CHECKS = 64;

/** The samples of a stored series, however many, without holding the thread. */
export async function readInTurns(
  stored: StoredSeries,
  minT: number,
  maxT: number,
  turn: Turn,
): Promise<Samples> {
  const reading = stored.reading?.(minT, maxT);
  if (reading === undefined) return stored.samples(minT, maxT);
  for (;;) {
    const { done, value } = reading.next();
    if (done) return value;
    if (turn.isOver()) await turn.pause();
  }
}

/**
 * An instant vector: at each step the newest sample not older than the lookback, unless it is a stale marker.
 * `read` says what of the sample is wanted: its value, or its time in seconds.
 */
export async function evaluateSelector(
  selector: VectorSelector,
  evaluation: Evaluation,
  read: 'value' | 'time' = 'value',
): Promise<StepSeries[]> {
  const { grid, budget, turn } = evaluation;
  const { timeOf, lookbackMs } = lookingAt(selector, evaluation, read);
  const minT = timeOf(0) - lookbackMs + 1;
  const maxT = timeOf(grid.steps - 1);
  const found = await selectSeries(selector, minT, maxT, evaluation);
  const out: StepSeries[] = [];
  for (const stored of found) {
    if (turn.isOver()) await turn.pause();
    const series = newSeries(stored.labels, grid.steps);
    const samples = await readInTurns(stored, minT, maxT, turn);
    const seen = lookBack(samples, timeOf, lookbackMs, read, series);
    if (seen === 0) continue;
    budget.look(seen);
    budget.take(costOfSteps(1, grid.steps));
    out.push(series);
  }
  budget.give(costOfSteps(out.length, grid.steps));
  return out;
}

/**
 * Where a selector looks, and how far back. `timestamp(x @ T offset o)` loads the samples for T - o but picks the newest
 * before T itself, as Prometheus does: what is left is the overlap of both windows.
 */
function lookingAt(selector: VectorSelector, evaluation: Evaluation, read: 'value' | 'time') {
  const { lookbackMs } = evaluation;
  const { at, offsetMs } = selector;
  if (read === 'value' || at === null) return { timeOf: referenceTime(selector, evaluation), lookbackMs };
  const time = atTime(at, evaluation) - Math.max(0, offsetMs);
  return { timeOf: () => time, lookbackMs: lookbackMs - Math.abs(offsetMs) };
}

/** At how many steps there is a sample. */
function lookBack(
  samples: Samples,
  timeOf: (step: number) => number,
  lookbackMs: number,
  read: 'value' | 'time',
  { values, present }: StepSeries,
): number {
  const { t, v, length } = samples;
  const words = wordsOf(v);
  let next = 0;
  let seen = 0;
  for (let k = 0; k < values.length; k += 1) {
    const time = timeOf(k);
    while (next < length && t[next]! <= time) next += 1;
    const newest = next - 1;
    if (newest < 0 || t[newest]! <= time - lookbackMs) continue;
    const value = v[newest]!;
    if (Number.isNaN(value) && isStaleAt(words, newest)) continue;
    values[k] = read === 'value' ? value : t[newest]! / 1000;
    present[k] = 1;
    seen += 1;
  }
  return seen;
}
