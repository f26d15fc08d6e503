import type { Matcher } from '../../model/matcher.ts';

/** Where a node stands in the text it was parsed from: code units, `end` exclusive. */
export interface Position {
  readonly start: number;
  readonly end: number;
}

export type ValueType = 'scalar' | 'string' | 'vector' | 'matrix';

/** A fixed evaluation time (`@`): milliseconds since the epoch, or the start or end of the query. */
export type AtModifier = { readonly kind: 'time'; readonly t: number } | { readonly kind: 'start' | 'end' };

export interface NumberLiteral extends Position {
  readonly kind: 'number';
  readonly value: number;
  /** Written as a duration (`5m`); `value` is then in seconds. */
  readonly isDuration: boolean;
}

export interface StringLiteral extends Position {
  readonly kind: 'string';
  readonly value: string;
}

export interface VectorSelector extends Position {
  readonly kind: 'vector-selector';
  /** The metric's name when it stands before the braces, else empty. */
  readonly name: string;
  /** In the order written; the name before the braces is the last one. */
  readonly matchers: readonly Matcher[];
  readonly offsetMs: number;
  readonly at: AtModifier | null;
}

export interface MatrixSelector extends Position {
  readonly kind: 'matrix-selector';
  readonly selector: VectorSelector;
  readonly rangeMs: number;
}

export interface Subquery extends Position {
  readonly kind: 'subquery';
  readonly expr: Expr;
  readonly rangeMs: number;
  /** 0 when left out: the engine's default step. */
  readonly stepMs: number;
  readonly offsetMs: number;
  readonly at: AtModifier | null;
}

export interface ParenExpr extends Position {
  readonly kind: 'paren';
  readonly expr: Expr;
}

export interface UnaryExpr extends Position {
  readonly kind: 'unary';
  readonly op: '+' | '-';
  readonly expr: Expr;
}

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | '^' | 'atan2';
export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type SetOperator = 'and' | 'or' | 'unless';
export type BinaryOperator = ArithmeticOperator | ComparisonOperator | SetOperator;

export type Cardinality = 'one-to-one' | 'many-to-one' | 'one-to-many' | 'many-to-many';

export interface VectorMatching {
  readonly cardinality: Cardinality;
  /** `on` rather than `ignoring`. */
  readonly on: boolean;
  readonly labels: readonly string[];
  /** Labels taken from the "one" side: those in `group_left(…)`. */
  readonly include: readonly string[];
}

export interface BinaryExpr extends Position {
  readonly kind: 'binary';
  readonly op: BinaryOperator;
  readonly lhs: Expr;
  readonly rhs: Expr;
  readonly returnBool: boolean;
  /** Null unless both sides are instant vectors. */
  readonly matching: VectorMatching | null;
}

export interface Call extends Position {
  readonly kind: 'call';
  readonly name: string;
  readonly args: readonly Expr[];
}

export type AggregateOperator =
  | 'sum'
  | 'avg'
  | 'count'
  | 'min'
  | 'max'
  | 'group'
  | 'stddev'
  | 'stdvar'
  | 'topk'
  | 'bottomk'
  | 'count_values'
  | 'quantile'
  | 'limitk'
  | 'limit_ratio';

export interface AggregateExpr extends Position {
  readonly kind: 'aggregate';
  readonly op: AggregateOperator;
  readonly expr: Expr;
  readonly param: Expr | null;
  readonly grouping: readonly string[];
  readonly without: boolean;
}

/** A PromQL expression. Frozen; comments and white space are not kept. */
export type Expr =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | MatrixSelector
  | Subquery
  | ParenExpr
  | UnaryExpr
  | BinaryExpr
  | Call
  | AggregateExpr;

const SET_OPERATORS: ReadonlySet<string> = new Set<SetOperator>(['and', 'or', 'unless']);
const COMPARISONS: ReadonlySet<string> = new Set<ComparisonOperator>(['==', '!=', '<', '<=', '>', '>=']);
const WITH_PARAMETER: ReadonlySet<string> = new Set<AggregateOperator>([
  'topk',
  'bottomk',
  'count_values',
  'quantile',
  'limitk',
  'limit_ratio',
]);

export const isSetOperator = (op: BinaryOperator): op is SetOperator => SET_OPERATORS.has(op);
export const isComparison = (op: BinaryOperator): op is ComparisonOperator => COMPARISONS.has(op);
export const takesParameter = (op: AggregateOperator): boolean => WITH_PARAMETER.has(op);

/** The expressions directly inside `expr`, in evaluation order. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'number':
    case 'string':
    case 'vector-selector':
      return [];
    case 'matrix-selector':
      return [expr.selector];
    case 'subquery':
    case 'paren':
    case 'unary':
      return [expr.expr];
    case 'binary':
      return [expr.lhs, expr.rhs];
    case 'call':
      return expr.args;
    case 'aggregate':
      return expr.param === null ? [expr.expr] : [expr.param, expr.expr];
  }
}

/** `expr` without the parentheses around it. */
export function unwrapParens(expr: Expr): Expr {
  let inner = expr;
  while (inner.kind === 'paren') inner = inner.expr;
  return inner;
}
