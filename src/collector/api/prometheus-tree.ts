import type { Matcher } from '../../model/matcher.ts';
import { type AtModifier, childrenOf, type Expr, type VectorMatching } from '../promql/expr.ts';
import { signatures } from '../promql/functions/signature.ts';
import { formatFloat } from '../promql/go-format.ts';

/** An expression as the parse_query API gives it. Source: prometheus/web/api/v1/translate_ast.go */
export function exprJson(expr: Expr): unknown {
  switch (expr.kind) {
    case 'number':
      return { type: 'numberLiteral', val: formatFloat(expr.value) };
    case 'string':
      return { type: 'stringLiteral', val: expr.value.toWellFormed() };
    case 'vector-selector':
      return { type: 'vectorSelector', ...selectorJson(expr) };
    case 'matrix-selector':
      return { type: 'matrixSelector', range: expr.rangeMs, ...selectorJson(expr.selector) };
    case 'subquery':
      return {
        type: 'subquery',
        expr: exprJson(expr.expr),
        range: expr.rangeMs,
        offset: expr.offsetMs,
        step: expr.stepMs,
        ...atJson(expr.at),
      };
    case 'paren':
      return { type: 'parenExpr', expr: exprJson(expr.expr) };
    case 'unary':
      return { type: 'unaryExpr', op: expr.op, expr: exprJson(expr.expr) };
    case 'binary':
      return {
        type: 'binaryExpr',
        op: expr.op,
        lhs: exprJson(expr.lhs),
        rhs: exprJson(expr.rhs),
        matching: expr.matching && matchingJson(expr.matching),
        bool: expr.returnBool,
      };
    case 'call':
      return { type: 'call', func: functionJson(expr.name), args: childrenOf(expr).map(exprJson) };
    case 'aggregate':
      return {
        type: 'aggregation',
        op: expr.op,
        expr: exprJson(expr.expr),
        param: expr.param && exprJson(expr.param),
        grouping: expr.grouping,
        without: expr.without,
      };
  }
}

function selectorJson(selector: {
  readonly name: string;
  readonly offsetMs: number;
  readonly matchers: readonly Matcher[];
  readonly at: AtModifier | null;
}) {
  return {
    name: selector.name,
    offset: selector.offsetMs,
    matchers: selector.matchers.map(({ name, op, value }) => ({ name, type: op, value })),
    ...atJson(selector.at),
  };
}

function atJson(at: AtModifier | null) {
  return {
    timestamp: at?.kind === 'time' ? at.t : null,
    startOrEnd: at === null || at.kind === 'time' ? null : at.kind,
  };
}

function matchingJson({ cardinality, labels, on, include }: VectorMatching) {
  return { card: cardinality, labels, on, include };
}

function functionJson(name: string) {
  const signature = signatures.get(name)!;
  return {
    name,
    argTypes: signature.args,
    variadic: signature.variadic,
    returnType: signature.returns,
  };
}
