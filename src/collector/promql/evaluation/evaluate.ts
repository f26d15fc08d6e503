import { evaluateAggregate } from '../aggregations/aggregation.ts';
import type { Call, Expr, UnaryExpr } from '../expr.ts';
import { functionTable } from '../functions/function-table.ts';
import { typeOf } from '../value-type.ts';
import { evaluateBinary } from './binary.ts';
import type { Evaluation, Grid, QueryContext } from './evaluation.ts';
import { executionError } from './execution-error.ts';
import { evaluateSelector } from './instant-selector.ts';
import { costOfSteps } from './sample-budget.ts';
import { isStepInvariant } from './step-invariant.ts';
import { checkDistinct, newSeries, type StepSeries, type StepValue, withoutName } from './step-series.ts';
import { mapInTurns, type Turn } from './turn.ts';

/** An evaluation of `context` on `grid`. Expressions are scalars, strings or instant vectors; see `range-vector.ts`. */
export function createEvaluation(context: QueryContext, grid: Grid): Evaluation {
  const evaluation: Evaluation = {
    ...context,
    grid,
    evaluate: (expr) => evaluateOnce(expr, evaluation),
    on: (other) => createEvaluation(context, other),
  };
  return evaluation;
}

/** What is the same at every step is evaluated at the first and repeated. */
async function evaluateOnce(expr: Expr, evaluation: Evaluation): Promise<StepValue> {
  const { grid, turn, budget } = evaluation;
  turn.check();
  if (turn.isOver()) await turn.pause();
  const before = budget.taken;
  const once = grid.steps > 1 && expr.kind !== 'number' && expr.kind !== 'string' && isStepInvariant(expr);
  const value = once
    ? await repeat(await evaluate(expr, evaluation.on({ ...grid, steps: 1 })), grid.steps, turn)
    : await evaluate(expr, evaluation);
  // What the operands took is free again; the value itself is held until whoever asked is done.
  budget.give(budget.taken - before);
  budget.take(costOf(value, grid.steps));
  return value;
}

function costOf(value: StepValue, steps: number): number {
  return costOfSteps(value.kind === 'vector' ? value.series.length : 1, steps);
}

async function evaluate(expr: Expr, evaluation: Evaluation): Promise<StepValue> {
  switch (expr.kind) {
    case 'number':
      return { kind: 'scalar', values: new Float64Array(evaluation.grid.steps).fill(expr.value) };
    case 'string':
      return { kind: 'string', value: expr.value };
    case 'vector-selector':
      return { kind: 'vector', series: await evaluateSelector(expr, evaluation) };
    case 'paren':
      return evaluation.evaluate(expr.expr);
    case 'unary':
      return evaluateUnary(expr, evaluation);
    case 'binary':
      return evaluateBinary(expr, evaluation);
    case 'call':
      return evaluateCall(expr, evaluation);
    case 'aggregate':
      return evaluateAggregate(expr, evaluation);
    case 'matrix-selector':
    case 'subquery':
      throw new Error(`checked expression has a ${typeOf(expr)} where none can be`);
  }
}

async function evaluateUnary(expr: UnaryExpr, evaluation: Evaluation): Promise<StepValue> {
  const value = await evaluation.evaluate(expr.expr);
  if (expr.op === '+' || value.kind === 'string') return value;
  if (value.kind === 'scalar') return { kind: 'scalar', values: value.values.map((v) => -v) };
  const { delayedNameRemoval, turn } = evaluation;
  const series: StepSeries[] = [];
  for (const one of value.series) {
    if (turn.isOver()) await turn.pause();
    series.push(withoutName(negate(one), delayedNameRemoval));
  }
  if (!delayedNameRemoval) await checkDistinct(series, turn);
  return { kind: 'vector', series };
}

function negate(series: StepSeries): StepSeries {
  for (let k = 0; k < series.values.length; k += 1) series.values[k] = -series.values[k]!;
  return series;
}

function evaluateCall(call: Call, evaluation: Evaluation): Promise<StepValue> {
  const implementation = functionTable.get(call.name);
  if (implementation === undefined) throw executionError(`function ${call.name}() is not supported`);
  return implementation(call, evaluation);
}

async function repeat(value: StepValue, steps: number, turn: Turn): Promise<StepValue> {
  if (value.kind === 'string') return value;
  if (value.kind === 'scalar')
    return { kind: 'scalar', values: new Float64Array(steps).fill(value.values[0]!) };
  return { kind: 'vector', series: await mapInTurns(value.series, turn, (one) => repeatSeries(one, steps)) };
}

function repeatSeries(series: StepSeries, steps: number): StepSeries {
  const out = newSeries(series.labels, steps, series.dropName);
  out.values.fill(series.values[0]!);
  out.present.fill(series.present[0]!);
  return out;
}
