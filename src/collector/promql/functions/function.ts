import { labelValue, METRIC_NAME } from '../../../model/labels.ts';
import { settleEqualSeries } from '../evaluation/equal-series.ts';
import type { Evaluation } from '../evaluation/evaluation.ts';
import { evaluateRange, type RangeExpr } from '../evaluation/range-vector.ts';
import { type CheaperFunction, mapRange, type RangeFunction } from '../evaluation/range-windows.ts';
import { checkDistinct, type StepSeries, type StepValue, withoutName } from '../evaluation/step-series.ts';
import { evaluateSummaries } from '../evaluation/summarised-range.ts';
import { type Call, type Expr, unwrapParens } from '../expr.ts';

/** How a function is evaluated over all steps at once. */
export interface FunctionImplementation {
  (call: Call, evaluation: Evaluation): Promise<StepValue>;
  /** Of a function of windows without other arguments: what it does with each. */
  readonly ranged?: Ranged;
}

export interface Ranged {
  readonly fn: CheaperFunction;
  readonly keepsName: boolean;
  /** Called once for the name of each metric that has a value. */
  readonly seen?: (metricName: string, call: Call, evaluation: Evaluation) => void;
}

export async function vectorArgument(arg: Expr, evaluation: Evaluation): Promise<StepSeries[]> {
  const value = await evaluation.evaluate(arg);
  if (value.kind !== 'vector') throw new Error(`checked argument is ${value.kind}, not a vector`);
  return value.series;
}

export async function scalarArgument(arg: Expr, evaluation: Evaluation): Promise<Float64Array> {
  const value = await evaluation.evaluate(arg);
  if (value.kind !== 'scalar') throw new Error(`checked argument is ${value.kind}, not a scalar`);
  return value.values;
}

export function stringArgument(arg: Expr): string {
  const literal = unwrapParens(arg);
  if (literal.kind !== 'string') throw new Error(`checked argument is ${literal.kind}, not a string`);
  return literal.value;
}

export function rangeArgument(arg: Expr): RangeExpr {
  const range = unwrapParens(arg);
  if (range.kind === 'matrix-selector' || range.kind === 'subquery') return range;
  throw new Error(`checked argument is ${range.kind}, not a range vector`);
}

/** A function of each value by itself, in place. The result is no longer the metric it was. */
export function elementwise(fn: (value: number) => number): FunctionImplementation {
  return async (call, evaluation) => {
    const series = await vectorArgument(call.args[0]!, evaluation);
    return mapValues(series, evaluation, (values) => {
      for (let k = 0; k < values.length; k += 1) values[k] = fn(values[k]!);
    });
  };
}

/** Applies `change` to the values of each series, in place, and takes its name away. */
export async function mapValues(
  series: readonly StepSeries[],
  evaluation: Evaluation,
  change: (values: Float64Array, present: Uint8Array) => void,
): Promise<StepValue> {
  const out: StepSeries[] = [];
  for (const one of series) {
    if (evaluation.turn.isOver()) await evaluation.turn.pause();
    change(one.values, one.present);
    out.push(withoutName(one, evaluation.delayedNameRemoval));
  }
  return { kind: 'vector', series: await settleEqualSeries(out, evaluation) };
}

/** A function of the window of each series at each step, without other arguments. */
export function overRange(
  fn: RangeFunction | CheaperFunction,
  options: { readonly keepsName?: boolean; readonly seen?: Ranged['seen'] } = {},
): FunctionImplementation {
  const { keepsName = false, seen } = options;
  const implementation = (call: Call, evaluation: Evaluation) =>
    applyToRange(call.args[0]!, evaluation, fn, keepsName, (name) => seen?.(name, call, evaluation));
  if (typeof fn === 'function') return implementation;
  return Object.assign(implementation, { ranged: { fn, keepsName, ...(seen && { seen }) } });
}

export async function applyToRange(
  arg: Expr,
  evaluation: Evaluation,
  fn: RangeFunction | CheaperFunction,
  keepsName = false,
  seen: (metricName: string) => void = () => {},
): Promise<StepValue> {
  const expr = rangeArgument(arg);
  if (expr.kind === 'matrix-selector' && typeof fn !== 'function') {
    const series = await evaluateSummaries(expr, evaluation, fn, { keepsName, seen });
    if (series !== undefined) return { kind: 'vector', series };
  }
  const range = evaluateRange(expr, evaluation);
  const out: StepSeries[] = [];
  let areDistinct = isOfOneMetric(expr);
  await mapRange(range, evaluation, fn, (input, result) => {
    seen(labelValue(input.labels, METRIC_NAME));
    const one = keepsName && !input.dropName ? result : withoutName(result, evaluation.delayedNameRemoval);
    // Its type and unit went as well, and may have told it from others.
    if (input.labels.length - one.labels.length > 1) areDistinct = false;
    out.push(one);
  });
  // Going series by series, Prometheus takes equal label sets for an error even at different steps.
  if (!evaluation.delayedNameRemoval && !areDistinct) await checkDistinct(out, evaluation.turn);
  return { kind: 'vector', series: out };
}

/** Whether all series are of one metric: then they stay distinct without its name. */
const isOfOneMetric = (expr: RangeExpr): boolean =>
  expr.kind === 'matrix-selector' &&
  expr.selector.matchers.some(({ name, op }) => name === METRIC_NAME && op === '=');
