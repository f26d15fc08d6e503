import type { Samples } from '../../../model/sample.ts';
import { isStaleAt, wordsOf } from '../../../model/stale-marker.ts';
import type { StoredSeries } from '../../storage/storage.ts';
import type { AtModifier, VectorSelector } from '../expr.ts';
import type { Evaluation, Grid, QueryContext } from './evaluation.ts';
import { costOfSteps } from './sample-budget.ts';
import { sortByLabels } from './sort-by-labels.ts';
import { type StepSeries, seriesOf } from './step-series.ts';
import type { Turn } from './turn.ts';

/** The times a selector or subquery looks at when evaluated at each step: moved by `@` and `offset`. */
export function referenceTimes(
  { at, offsetMs }: { readonly at: AtModifier | null; readonly offsetMs: number },
  evaluation: Evaluation,
): Grid {
  const { grid } = evaluation;
  if (at === null) return { ...grid, startMs: grid.startMs - offsetMs };
  return { startMs: atTime(at, evaluation) - offsetMs, stepMs: 0, steps: grid.steps };
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
  { querier, turn, orders }: Pick<QueryContext, 'querier' | 'turn'> & Partial<Pick<QueryContext, 'orders'>>,
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
  return orders === undefined ? sortByLabels(found, turn) : orders.sort(matchers, found, turn);
}

const SERIES_BETWEEN_CHECKS = 64;

/** The samples of a stored series, however many, without holding the thread. A promise only where that takes turns. */
export function readInTurns(
  stored: StoredSeries,
  minT: number,
  maxT: number,
  turn: Turn,
): Samples | Promise<Samples> {
  const reading = stored.reading?.(minT, maxT);
  if (reading === undefined) return stored.samples(minT, maxT);
  if ('length' in reading) return reading;
  for (;;) {
    const { done, value } = reading.next();
    if (done) return value;
    if (turn.isOver()) return goOn(reading, turn);
  }
}

async function goOn(reading: Generator<undefined, Samples>, turn: Turn): Promise<Samples> {
  for (;;) {
    if (turn.isOver()) await turn.pause();
    const { done, value } = reading.next();
    if (done) return value;
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
  const { grid, budget, turn, columns } = evaluation;
  const look = lookingAt(selector, evaluation, read);
  const minT = look.firstMs - look.lookbackMs + 1;
  const maxT = look.firstMs + look.stepMs * (grid.steps - 1);
  const found = await selectSeries(selector, minT, maxT, evaluation);
  const out: StepSeries[] = [];
  for (const stored of found) {
    if (turn.isOver()) await turn.pause();
    const newest = grid.steps === 1 ? stored.newest?.(maxT) : undefined;
    const samples = newest ?? readInTurns(stored, minT, maxT, turn);
    const series = seriesOf(stored.labels, columns.take(grid.steps));
    const seen = lookBack(samples instanceof Promise ? await samples : samples, look, read, series);
    if (seen === 0) continue;
    budget.look(seen);
    budget.take(costOfSteps(1, grid.steps));
    out.push(series);
  }
  budget.give(costOfSteps(out.length, grid.steps));
  return out;
}

/** Where a selector looks at the first step, how much later at each next one, and how far back. */
interface Look {
  readonly firstMs: number;
  readonly stepMs: number;
  readonly lookbackMs: number;
}

/**
 * `timestamp(x @ T offset o)` loads the samples for T - o but picks the newest before T itself, as Prometheus does: what
 * is left is the overlap of both windows.
 */
function lookingAt(selector: VectorSelector, evaluation: Evaluation, read: 'value' | 'time'): Look {
  const { lookbackMs, grid } = evaluation;
  const { at, offsetMs } = selector;
  if (at === null) return { firstMs: grid.startMs - offsetMs, stepMs: grid.stepMs, lookbackMs };
  if (read === 'value') return { firstMs: atTime(at, evaluation) - offsetMs, stepMs: 0, lookbackMs };
  const firstMs = atTime(at, evaluation) - Math.max(0, offsetMs);
  return { firstMs, stepMs: 0, lookbackMs: lookbackMs - Math.abs(offsetMs) };
}

/** At how many steps there is a sample. */
function lookBack(
  { t, v, length }: Samples,
  { firstMs, stepMs, lookbackMs }: Look,
  read: 'value' | 'time',
  { values, present }: StepSeries,
): number {
  const isValue = read === 'value';
  let words: Uint32Array | undefined;
  let next = 0;
  let seen = 0;
  // The newest sample that was met so far, and when the one after it comes.
  let newestT = Number.NEGATIVE_INFINITY;
  let nextT = length > 0 ? t[0]! : Number.POSITIVE_INFINITY;
  for (let k = 0; k < values.length; k += 1) {
    const time = firstMs + k * stepMs;
    while (nextT <= time) {
      newestT = nextT;
      next += 1;
      nextT = next < length ? t[next]! : Number.POSITIVE_INFINITY;
    }
    if (newestT <= time - lookbackMs) continue;
    const value = v[next - 1]!;
    if (Number.isNaN(value)) {
      words ??= wordsOf(v);
      if (isStaleAt(words, next - 1)) continue;
    }
    values[k] = isValue ? value : newestT / 1000;
    present[k] = 1;
    seen += 1;
  }
  return seen;
}
