import type { BinaryExpr, Expr, Position } from '../expr.ts';

/**
 * The grammar is an editor's: it nests `a / b offset 5m` as `(a / b) offset 5m` and `-1 ^ 2` as `(-1) ^ 2`, where
 * Prometheus reads `a / (b offset 5m)` and `-(1 ^ 2)`. These put right what the tree says wrongly.
 */

/** Applies a suffix (`offset`, `@`, `[…]`) to the operand directly before it; `end` is where the suffix ends. */
export function attachSuffix(expr: Expr, end: number, apply: (operand: Expr) => Expr): Expr {
  if (expr.kind === 'binary') return Object.freeze({ ...expr, end, rhs: attachSuffix(expr.rhs, end, apply) });
  if (expr.kind === 'unary') return Object.freeze({ ...expr, end, expr: attachSuffix(expr.expr, end, apply) });
  return apply(expr);
}

/** `expr` with a sign before it: a literal takes the sign, everything else becomes a unary expression. */
export function withSign(op: '+' | '-', expr: Expr, position: Position): Expr {
  if (expr.kind !== 'number') return Object.freeze({ kind: 'unary', op, expr, ...position });
  return Object.freeze({ ...expr, value: op === '-' ? -expr.value : expr.value, ...position });
}

/** A binary expression; a sign on the left of `^` moves outside, for `^` binds tighter. */
export function toBinary(node: BinaryExpr, signOf: (expr: Expr) => '+' | '-' | undefined): Expr {
  if (node.op !== '^') return Object.freeze(node);
  const { lhs } = node;
  if (lhs.kind === 'unary') {
    const inner = toBinary({ ...node, lhs: lhs.expr, start: lhs.expr.start }, signOf);
    return Object.freeze({ ...lhs, expr: inner, end: node.end });
  }
  const sign = signOf(lhs);
  if (lhs.kind !== 'number' || sign === undefined) return Object.freeze(node);
  const start = lhs.start + 1;
  const value = sign === '-' ? -lhs.value : lhs.value;
  const unsigned = Object.freeze({ ...lhs, value, start });
  const inner = Object.freeze({ ...node, lhs: unsigned, start });
  return Object.freeze({ kind: 'unary', op: sign, expr: inner, start: lhs.start, end: node.end });
}
