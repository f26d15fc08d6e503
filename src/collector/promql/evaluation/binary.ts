import type { BinaryExpr } from '../expr.ts';
import { isComparison, isSetOperator } from '../expr.ts';
import { settleEqualSeries } from './equal-series.ts';
import type { Evaluation } from './evaluation.ts';
import { arithmetic, comparison, isArithmetic } from './operator.ts';
import { evaluateSetOperator } from './set-operator.ts';
import { hasPoints, type StepSeries, type StepValue, withoutName } from './step-series.ts';
import { mapInTurns } from './turn.ts';
import { matchVectors } from './vector-matching.ts';

export async function evaluateBinary(expr: BinaryExpr, evaluation: Evaluation): Promise<StepValue> {
  const lhs = await evaluation.evaluate(expr.lhs);
  const rhs = await evaluation.evaluate(expr.rhs);
  if (lhs.kind === 'scalar' && rhs.kind === 'scalar') {
    return { kind: 'scalar', values: betweenScalars(expr, lhs.values, rhs.values) };
  }
  const series = (await betweenValues(expr, lhs, rhs, evaluation)).filter(hasPoints);
  return {
    kind: 'vector',
    series: keepsLabels(expr) ? series : await settleEqualSeries(series, evaluation),
  };
}

/** Whether what is left has the labels it had on the left, which are distinct, so that none can be equal. */
function keepsLabels({ op, returnBool, matching }: BinaryExpr): boolean {
  if (op === 'and' || op === 'unless') return true;
  return matching === null && isComparison(op) && !returnBool;
}

async function betweenValues(
  expr: BinaryExpr,
  lhs: StepValue,
  rhs: StepValue,
  evaluation: Evaluation,
): Promise<StepSeries[]> {
  const { turn } = evaluation;
  if (lhs.kind === 'vector' && rhs.kind === 'vector') {
    if (isSetOperator(expr.op))
      return evaluateSetOperator(expr.op, expr.matching!, lhs.series, rhs.series, evaluation);
    return matchVectors(expr, lhs.series, rhs.series, evaluation);
  }
  if (lhs.kind === 'vector' && rhs.kind === 'scalar') {
    return mapInTurns(lhs.series, turn, (one) => withScalar(expr, one, rhs.values, 'right', evaluation));
  }
  if (lhs.kind === 'scalar' && rhs.kind === 'vector') {
    return mapInTurns(rhs.series, turn, (one) => withScalar(expr, one, lhs.values, 'left', evaluation));
  }
  throw new Error(`checked expression has operands ${lhs.kind} and ${rhs.kind}`);
}

function betweenScalars({ op }: BinaryExpr, a: Float64Array, b: Float64Array): Float64Array {
  if (isArithmetic(op)) {
    const fn = arithmetic[op];
    return a.map((value, k) => fn(value, b[k]!));
  }
  if (!isComparison(op)) throw new Error(`checked expression has ${op} between scalars`);
  const holds = comparison[op];
  return a.map((value, k) => Number(holds(value, b[k]!)));
}

/** A comparison keeps the vector's value, whichever side the scalar stands on. Writes into `series`. */
function withScalar(
  { op, returnBool }: BinaryExpr,
  series: StepSeries,
  scalar: Float64Array,
  scalarSide: 'left' | 'right',
  { delayedNameRemoval }: Evaluation,
): StepSeries {
  const { values, present } = series;
  const swapped = scalarSide === 'left';
  if (isArithmetic(op)) {
    const fn = arithmetic[op];
    for (let k = 0; k < values.length; k += 1) {
      values[k] = swapped ? fn(scalar[k]!, values[k]!) : fn(values[k]!, scalar[k]!);
    }
    return withoutName(series, delayedNameRemoval);
  }
  if (!isComparison(op)) throw new Error(`checked expression has ${op} with a scalar`);
  const holds = comparison[op];
  for (let k = 0; k < values.length; k += 1) {
    const kept = swapped ? holds(scalar[k]!, values[k]!) : holds(values[k]!, scalar[k]!);
    if (returnBool) values[k] = Number(kept);
    else if (!kept) present[k] = 0;
  }
  return returnBool ? withoutName(series, delayedNameRemoval) : series;
}
