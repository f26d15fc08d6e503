import type { Expr } from '../expr.ts';

/** Functions of the evaluation time, which differ from step to step whatever their arguments are. */
const OF_TIME: ReadonlySet<string> = new Set([
  'day_of_month',
  'day_of_week',
  'day_of_year',
  'days_in_month',
  'end',
  'hour',
  'minute',
  'month',
  'predict_linear',
  'range',
  'start',
  'step',
  'time',
  'timestamp',
  'year',
]);

const known = new WeakMap<Expr, boolean>();

/** Whether `expr` has the same value at every step, as `@` makes it: one evaluation is enough then. */
export function isStepInvariant(expr: Expr): boolean {
  let answer = known.get(expr);
  if (answer === undefined) {
    answer = decide(expr);
    known.set(expr, answer);
  }
  return answer;
}

function decide(expr: Expr): boolean {
  switch (expr.kind) {
    case 'number':
    case 'string':
      return true;
    case 'vector-selector':
    case 'subquery':
      return expr.at !== null;
    case 'matrix-selector':
      return expr.selector.at !== null;
    case 'paren':
    case 'unary':
    case 'aggregate':
      return (
        isStepInvariant(expr.expr) &&
        (expr.kind !== 'aggregate' || expr.param === null || isStepInvariant(expr.param))
      );
    case 'binary':
      return isStepInvariant(expr.lhs) && isStepInvariant(expr.rhs);
    case 'call':
      return isInvariantCall(expr.name, expr.args);
  }
}

function isInvariantCall(name: string, args: readonly Expr[]): boolean {
  // The time of a sample picked by `@` is fixed; that of a computed value is the time of its evaluation.
  if (name === 'timestamp') return args[0]!.kind === 'vector-selector' && isStepInvariant(args[0]!);
  return !OF_TIME.has(name) && args.every(isStepInvariant);
}
