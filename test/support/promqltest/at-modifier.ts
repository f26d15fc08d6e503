import type { AtModifier, Expr } from '../../../src/collector/promql/expr.ts';
import { childrenOf } from '../../../src/collector/promql/expr.ts';
import { parseExpr } from '../../../src/collector/promql/parse-expr.ts';
import { printExpr } from '../../../src/collector/promql/print-expr.ts';

/** Functions whose value depends on the evaluation time even where `@` fixes their arguments. */
const OF_TIME = new Set(
  (
    'days_in_month day_of_month day_of_week day_of_year end hour minute month year predict_linear range start step ' +
    'time timestamp'
  ).split(' '),
);

export interface Variation {
  readonly expr: string;
  readonly atMs: number;
}

/**
 * The same question asked at other times: with `@ atMs` on every selector its answer must not change. None for
 * expressions that look at the time themselves.
 */
export function atVariations(text: string, atMs: number): Variation[] {
  const expr = parseExpr(text, { experimental: true });
  if (looksAtTime(expr)) return [];
  const fixed = printExpr(withAt(expr, { kind: 'time', t: atMs }));
  const times = atMs === 0 ? [-1000, 0, 1000] : [-10 * atMs, 0, Math.trunc(atMs / 5), atMs, 10 * atMs];
  return times.map((time) => ({ expr: fixed, atMs: time }));
}

/** Inside a subquery with `@` nothing is looked at, for nothing there is changed. */
function looksAtTime(expr: Expr): boolean {
  if (expr.kind === 'call' && OF_TIME.has(expr.name)) return true;
  if (expr.kind === 'subquery') return false;
  return childrenOf(expr).some(looksAtTime);
}

function withAt(expr: Expr, at: AtModifier): Expr {
  switch (expr.kind) {
    case 'vector-selector':
    case 'subquery':
      return expr.at === null ? { ...expr, at } : expr;
    case 'matrix-selector':
      return expr.selector.at === null ? { ...expr, selector: { ...expr.selector, at } } : expr;
    case 'paren':
    case 'unary':
      return { ...expr, expr: withAt(expr.expr, at) };
    case 'binary':
      return { ...expr, lhs: withAt(expr.lhs, at), rhs: withAt(expr.rhs, at) };
    case 'call':
      return { ...expr, args: expr.args.map((arg) => withAt(arg, at)) };
    case 'aggregate':
      return { ...expr, expr: withAt(expr.expr, at), param: expr.param && withAt(expr.param, at) };
    default:
      return expr;
  }
}
