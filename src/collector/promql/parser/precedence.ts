import type { BinaryOperator, Expr, VectorMatching } from '../expr.ts';

/**
 * The grammar is an editor's: it nests `a + b offset 5m * c` as `((a + b) offset 5m) * c` and `-1 ^ 2` as `(-1) ^ 2`,
 * where Prometheus reads `a + ((b offset 5m) * c)` and `-(1 ^ 2)`. So its nesting of operators is not used: operands,
 * signs and operators are laid out in the order they are written, suffixes on the operand before them, and nested
 * here by Prometheus' precedences.
 */
export type ChainItem =
  | { readonly kind: 'operand'; readonly expr: Expr }
  | { readonly kind: 'sign'; readonly op: '+' | '-'; readonly start: number }
  | {
      readonly kind: 'operator';
      readonly op: BinaryOperator;
      readonly returnBool: boolean;
      readonly matching: VectorMatching;
    };

const PRECEDENCE: Readonly<Record<BinaryOperator, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  '==': 3,
  '!=': 3,
  '<': 3,
  '<=': 3,
  '>': 3,
  '>=': 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '%': 5,
  atan2: 5,
  '^': 6,
};
/** A sign takes what binds tighter than a product. */
const SIGN_OPERAND = PRECEDENCE['*'] + 1;

/** The expression a chain stands for. Operators associate to the left, `^` to the right. */
export function nestChain(chain: readonly ChainItem[]): Expr {
  let next = 0;
  const nest = (least: number): Expr => {
    let lhs = nestOperand();
    for (;;) {
      const item = chain[next];
      if (item?.kind !== 'operator' || PRECEDENCE[item.op] < least) return lhs;
      next += 1;
      const rhs = nest(PRECEDENCE[item.op] + (item.op === '^' ? 0 : 1));
      lhs = Object.freeze({ ...item, kind: 'binary', lhs, rhs, start: lhs.start, end: rhs.end });
    }
  };
  const nestOperand = (): Expr => {
    const item = chain[next++];
    if (item?.kind === 'operand') return item.expr;
    if (item?.kind === 'sign') return withSign(item.op, item.start, nest(SIGN_OPERAND));
    throw new Error('the grammar gave an operator without an operand');
  };
  return nest(0);
}

/** A literal takes the sign, everything else becomes a unary expression. */
function withSign(op: '+' | '-', start: number, expr: Expr): Expr {
  if (expr.kind !== 'number') return Object.freeze({ kind: 'unary', op, expr, start, end: expr.end });
  return Object.freeze({ ...expr, value: op === '-' ? -expr.value : expr.value, start });
}
