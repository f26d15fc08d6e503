import type {
  MatrixSeries,
  Query,
  QueryOptions,
  QueryRange,
  QueryResult,
  QueryStats,
  QueryValue,
  VectorSample,
} from '../../model/query-result.ts';
import type { Samples } from '../../model/sample.ts';
import type { Clock } from '../../util/clock.ts';
import { CodedError } from '../../util/coded-error.ts';
import { createQuerySlots } from '../../util/query-slots.ts';
import type { Querier } from '../storage/storage.ts';
import { createAnnotations } from './evaluation/annotations.ts';
import { createEvaluation } from './evaluation/evaluate.ts';
import { type Grid, type QueryContext, type Summaries, timeAt } from './evaluation/evaluation.ts';
import { dropMetadata } from './evaluation/label-set.ts';
import { evaluateRange } from './evaluation/range-vector.ts';
import { createSampleBudget } from './evaluation/sample-budget.ts';
import { createSeriesOrders, type SeriesOrders } from './evaluation/series-orders.ts';
import { sortByLabels } from './evaluation/sort-by-labels.ts';
import { createStandingWindows } from './evaluation/standing-windows.ts';
import { type BorrowedColumns, createColumnPool } from './evaluation/step-columns.ts';
import { hasPoints, mergeEqualSeries, type StepSeries, type StepValue } from './evaluation/step-series.ts';
import { createTurn, type OnTurn } from './evaluation/turn.ts';
import { type Expr, unwrapParens } from './expr.ts';
import { parseExpr } from './parse-expr.ts';
import { isSameAnswer, type ShadowOptions } from './shadow.ts';
import { typeInWords, typeOf } from './value-type.ts';

export interface QueryLimits {
  /** Samples a query may hold at a time; 50 million when left out. */
  readonly maxSamples?: number;
  /** Two minutes when left out. */
  readonly timeoutMs?: number;
  /** Queries evaluated at once, the others wait; 20 when left out. */
  readonly maxConcurrency?: number;
  /** How old the newest sample of an instant vector may be; five minutes when left out. */
  readonly lookbackMs?: number;
}

export interface EngineOptions {
  /** Asked once a query. */
  readonly querier: () => Querier;
  readonly clock: Clock;
  readonly limits?: QueryLimits;
  /** Step of subqueries that leave theirs out; one minute when left out. */
  readonly subqueryStepMs?: number;
  /** Keeps metric names until a query ends. Off when left out, as in Prometheus. */
  readonly delayedNameRemoval?: boolean;
  /** Allows experimental functions. Off when left out, as in Prometheus. */
  readonly experimental?: boolean;
  /** Checks of answers that come from summaries of samples; none when left out. */
  readonly shadow?: ShadowOptions;
  readonly onTurn?: OnTurn;
}

/** Answers PromQL with the semantics of Prometheus 3. Both reject with a CodedError `QUERY_*`. */
export interface Engine {
  readonly query: Query;
  readonly queryRange: QueryRange;
}

const MINUTE_MS = 60_000;
const DEFAULT_TIMEOUT_MS = 2 * MINUTE_MS;

export function createEngine(options: EngineOptions): Engine {
  const parse = (text: string) => parseExpr(text, { experimental: options.experimental ?? false });
  const { maxConcurrency = 20, timeoutMs = DEFAULT_TIMEOUT_MS } = options.limits ?? {};
  const slots = createQuerySlots(maxConcurrency, timeoutMs, options.clock);
  const standing = createStandingWindows(options.clock);
  const pool = createColumnPool();
  const orders = createSeriesOrders();
  // Expressions whose summaries were found wrong: every sample of them is looked at.
  const distrusted = new WeakSet<Expr>();

  const evaluateAt = async (expr: Expr, text: string, atMs: number, asked: Asked, summaries?: Summaries) => {
    const range = { startMs: atMs, endMs: atMs, stepMs: 0 };
    const columns = pool.borrow();
    const context = createContext(options, range, asked, { columns, orders }, summaries);
    const began = options.clock.monotonic();
    const value = await evaluateInstant(expr, context);
    columns.giveBack();
    return finish(value, context, text, { ...asked, evaluationMs: options.clock.monotonic() - began });
  };

  return {
    async query(text, atMs, signal, { lookbackMs } = {}) {
      const expr = parse(text);
      const askedMs = options.clock.monotonic();
      return slots.run(async () => {
        const asked = { signal, lookbackMs, queuedMs: options.clock.monotonic() - askedMs };
        if (distrusted.has(expr)) return evaluateAt(expr, text, atMs, asked);
        const { shadow } = options;
        const summaries: Summaries = { standing, used: false };
        const before = options.querier().changes;
        const result = await evaluateAt(expr, text, atMs, asked, summaries);
        if (!summaries.used || shadow === undefined || shadow.random() >= shadow.share) return result;
        const decoded = await evaluateAt(expr, text, atMs, asked);
        // What was committed in between would make them differ.
        if (before === undefined || options.querier().changes !== before) return result;
        const agreed = isSameAnswer(result.value, decoded.value);
        shadow.onCompared(text, agreed);
        if (agreed) return result;
        distrusted.add(expr);
        standing.clear();
        return decoded;
      }, signal);
    },
    async queryRange(text, range, signal, { lookbackMs } = {}) {
      checkRange(range);
      const expr = parse(text);
      const type = typeOf(expr);
      if (type !== 'vector' && type !== 'scalar') {
        throw new CodedError(
          'QUERY_PARSE',
          `invalid expression type "${typeInWords(type)}" for range query, must be Scalar or instant Vector`,
          { status: 400 },
        );
      }
      const askedMs = options.clock.monotonic();
      return slots.run(async () => {
        const began = options.clock.monotonic();
        const asked = { signal, lookbackMs, queuedMs: began - askedMs };
        const columns = pool.borrow();
        const context = createContext(options, range, asked, { columns, orders });
        const value = await evaluateOverRange(expr, context);
        const result = finish(value, context, text, {
          ...asked,
          evaluationMs: options.clock.monotonic() - began,
        });
        return { ...result, release: columns.giveBack };
      }, signal);
    },
  };
}

/** What whoever asks wants besides the answer, and how long they waited. */
interface Asked {
  readonly signal: AbortSignal | undefined;
  readonly lookbackMs: QueryOptions['lookbackMs'];
  readonly queuedMs: number;
}

function checkRange({ startMs, endMs, stepMs }: Parameters<QueryRange>[1]): void {
  const invalid = (message: string) => new CodedError('QUERY_RANGE_INVALID', message, { status: 400 });
  if (!(stepMs > 0)) throw invalid(`step ${stepMs} ms is not positive: choose a step of 1 ms or more`);
  if (endMs < startMs) throw invalid(`end ${endMs} is before start ${startMs}`);
}

function createContext(
  options: EngineOptions,
  range: { readonly startMs: number; readonly endMs: number; readonly stepMs: number },
  { signal, lookbackMs }: Asked,
  kept: { readonly columns: BorrowedColumns; readonly orders: SeriesOrders },
  summaries?: Summaries,
): QueryContext {
  const { limits = {} } = options;
  return {
    ...range,
    querier: options.querier(),
    lookbackMs: lookbackMs ?? limits.lookbackMs ?? 5 * MINUTE_MS,
    subqueryStepMs: options.subqueryStepMs ?? MINUTE_MS,
    delayedNameRemoval: options.delayedNameRemoval ?? false,
    annotations: createAnnotations(),
    budget: createSampleBudget(limits.maxSamples ?? 50_000_000),
    ...kept,
    ...(summaries && { summaries }),
    turn: createTurn(options.clock, limits.timeoutMs ?? DEFAULT_TIMEOUT_MS, signal, options.onTurn),
  };
}

function finish(
  value: QueryValue,
  { annotations, budget, turn }: QueryContext,
  text: string,
  { queuedMs, evaluationMs }: Pick<QueryStats, 'queuedMs' | 'evaluationMs'>,
): QueryResult {
  turn.end();
  const stats = { queuedMs, evaluationMs, samples: budget.looked, peakSamples: Math.ceil(budget.peak) };
  return { value, ...annotations.messages(text), stats };
}

async function evaluateInstant(expr: Expr, context: QueryContext): Promise<QueryValue> {
  const t = context.startMs;
  // Grids need a step that is not 0; with one step its length does not matter.
  const evaluation = createEvaluation(context, { startMs: t, stepMs: 1, steps: 1 });
  const range = unwrapParens(expr);
  if (range.kind === 'matrix-selector' || range.kind === 'subquery') {
    const series: MatrixSeries[] = [];
    await evaluateRange(range, evaluation).each(({ labels, samples: { t, v, length }, dropName }) => {
      context.budget.take(length);
      const own = { t: t.slice(0, length), v: v.slice(0, length), length };
      series.push({ labels: dropName ? dropMetadata(labels) : labels, samples: own });
    });
    return { type: 'matrix', series: await sortByLabels(series, context.turn) };
  }
  const value = await cleanUp(await evaluation.evaluate(expr), context);
  if (value.kind === 'scalar') return { type: 'scalar', t, v: value.values[0]! };
  if (value.kind === 'string') return { type: 'string', t, v: value.value };
  const samples: VectorSample[] = [];
  for (const { labels, values, present } of value.series) {
    if (context.turn.isOver()) await context.turn.pause();
    if (present[0] === 1) samples.push({ labels, t, v: values[0]! });
  }
  return { type: 'vector', samples };
}

async function evaluateOverRange(expr: Expr, context: QueryContext): Promise<QueryValue> {
  const { startMs, endMs, stepMs, turn } = context;
  const grid: Grid = { startMs, stepMs, steps: Math.floor((endMs - startMs) / stepMs) + 1 };
  const value = await cleanUp(await createEvaluation(context, grid).evaluate(expr), context);
  if (value.kind === 'string') throw new Error('checked range query gave a string');
  if (value.kind === 'scalar') {
    const samples = { t: timesOf(grid), v: value.values, length: grid.steps };
    return { type: 'matrix', series: [{ labels: [], samples }] };
  }
  const times = timesOf(grid);
  const series: MatrixSeries[] = [];
  for (const one of await sortByLabels(value.series.filter(hasPoints), turn)) {
    if (turn.isOver()) await turn.pause();
    series.push({ labels: one.labels, samples: pointsOf(one, times, context.columns) });
  }
  return { type: 'matrix', series };
}

function timesOf(grid: Grid): Float64Array {
  const times = new Float64Array(grid.steps);
  for (let k = 0; k < times.length; k += 1) times[k] = timeAt(grid, k);
  return times;
}

// Where at most one step in so many has a value, the next one is searched for.
const SPARSE = 16;

/** Moves the values of `series` together. */
function pointsOf(
  { values, present }: StepSeries,
  times: Float64Array,
  columns: QueryContext['columns'],
): Samples {
  let length = 0;
  for (let k = 0; k < present.length; k += 1) length += present[k]!;
  if (length === values.length) return { t: times, v: values, length };
  const t = columns.take(values.length).values;
  const isSparse = length * SPARSE < present.length;
  for (let k = 0, i = 0; i < length; k += 1) {
    if (isSparse) k = present.indexOf(1, k);
    else if (present[k] === 0) continue;
    t[i] = times[k]!;
    values[i] = values[k]!;
    i += 1;
  }
  return { t: t.subarray(0, length), v: values.subarray(0, length), length };
}

/** Names that were to go at the end go; series that are equal then become one. */
async function cleanUp(value: StepValue, { delayedNameRemoval, turn }: QueryContext): Promise<StepValue> {
  if (value.kind !== 'vector' || !delayedNameRemoval) return value;
  const series = value.series.map((one) =>
    one.dropName ? { ...one, labels: dropMetadata(one.labels) } : one,
  );
  return { kind: 'vector', series: await mergeEqualSeries(series, turn) };
}
