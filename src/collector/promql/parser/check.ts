import { METRIC_NAME } from '../../../model/labels.ts';
import { compileMatcher } from '../../storage/label-matcher.ts';
import type { AggregateExpr, BinaryExpr, Call, Expr, UnaryExpr, VectorSelector } from '../expr.ts';
import { isComparison, isSetOperator } from '../expr.ts';
import { signatures } from '../functions/signature.ts';
import { quote } from '../go-format.ts';
import { typeInWords, typeOf } from '../value-type.ts';
import { Mistake } from './parse-error.ts';

export interface CheckOptions {
  readonly text: string;
  /** Allows functions and aggregations that Prometheus has behind `promql-experimental-functions`. */
  readonly experimental: boolean;
  /** Allows selectors that every series may match. */
  readonly unselective: boolean;
}

/**
 * Checks types, arities and matchers of `expr`, and gives it back with vector matching settled: none unless both
 * sides are vectors, many-to-many for set operators. @throws Mistake
 */
export function checkExpr(expr: Expr, options: CheckOptions): Expr {
  switch (expr.kind) {
    case 'number':
    case 'string':
      return expr;
    case 'vector-selector':
      return checkSelector(expr, options);
    case 'matrix-selector':
      checkSelector(expr.selector, options);
      return expr;
    case 'paren':
      return Object.freeze({ ...expr, expr: checkExpr(expr.expr, options) });
    case 'subquery': {
      const inner = checkExpr(expr.expr, options);
      if (typeOf(inner) === 'vector') return Object.freeze({ ...expr, expr: inner });
      throw new Mistake(
        expr.start,
        `subquery is only allowed on instant vector, got ${typeOf(inner)} instead`,
      );
    }
    case 'unary':
      return checkUnary(expr, options);
    case 'binary':
      return checkBinary(expr, options);
    case 'call':
      return checkCall(expr, options);
    case 'aggregate':
      return checkAggregate(expr, options);
  }
}

function checkSelector(selector: VectorSelector, { unselective }: CheckOptions): VectorSelector {
  const selective =
    unselective ||
    selector.name !== '' ||
    selector.matchers.some((matcher) => !compileMatcher(matcher).matchesEmpty);
  const named = selector.name === '' ? [] : selector.matchers.slice(0, -1);
  const other = named.find((matcher) => matcher.name === METRIC_NAME);
  if (other !== undefined) {
    throw new Mistake(
      selector.start,
      `metric name must not be set twice: ${quote(selector.name)} or ${quote(other.value)}`,
    );
  }
  if (!selective)
    throw new Mistake(selector.start, 'vector selector must contain at least one non-empty matcher');
  return selector;
}

function checkUnary(expr: UnaryExpr, options: CheckOptions): Expr {
  const inner = checkExpr(expr.expr, options);
  const type = typeOf(inner);
  if (type === 'scalar' || type === 'vector') return Object.freeze({ ...expr, expr: inner });
  throw new Mistake(
    expr.start,
    `unary expression only allowed on expressions of type scalar or instant vector, got ${quote(typeInWords(type))}`,
  );
}

function checkBinary(expr: BinaryExpr, options: CheckOptions): Expr {
  const lhs = checkExpr(expr.lhs, options);
  const rhs = checkExpr(expr.rhs, options);
  const [left, right] = [typeOf(lhs), typeOf(rhs)];
  const { op } = expr;
  const operatorAt = () => lhs.end + /^(?:\s|#[^\n]*)*/.exec(options.text.slice(lhs.end))![0].length;
  if (expr.returnBool && !isComparison(op)) {
    throw new Mistake(operatorAt(), 'bool modifier can only be used on comparison operators');
  }
  if (isComparison(op) && !expr.returnBool && left === 'scalar' && right === 'scalar') {
    throw new Mistake(operatorAt(), 'comparisons between scalars must use BOOL modifier');
  }
  const matching = expr.matching!;
  const twice = matching.on ? matching.labels.find((label) => matching.include.includes(label)) : undefined;
  if (twice !== undefined) {
    throw new Mistake(operatorAt(), `label ${quote(twice)} must not occur in ON and GROUP clause at once`);
  }
  for (const side of [lhs, rhs]) {
    const type = typeOf(side);
    if (type === 'scalar' || type === 'vector') continue;
    throw new Mistake(side.start, 'binary expression must contain only scalar and instant vector types');
  }
  if (left !== 'vector' || right !== 'vector') {
    if (matching.labels.length > 0) {
      throw new Mistake(expr.start, 'vector matching only allowed between instant vectors');
    }
    if (isSetOperator(op)) {
      throw new Mistake(expr.start, `set operator ${quote(op)} not allowed in binary scalar expression`);
    }
    return Object.freeze({ ...expr, lhs, rhs, matching: null });
  }
  if (!isSetOperator(op)) return Object.freeze({ ...expr, lhs, rhs });
  if (matching.cardinality !== 'one-to-one') {
    throw new Mistake(expr.start, `no grouping allowed for ${quote(op)} operation`);
  }
  return Object.freeze({
    ...expr,
    lhs,
    rhs,
    matching: Object.freeze({ ...matching, cardinality: 'many-to-many' }),
  });
}

function checkCall(expr: Call, options: CheckOptions): Expr {
  const signature = signatures.get(expr.name);
  if (signature === undefined)
    throw new Mistake(expr.start, `unknown function with name ${quote(expr.name)}`);
  if (signature.experimental && !options.experimental) {
    throw new Mistake(expr.start, `function ${quote(expr.name)} is not enabled`);
  }
  checkArity(expr, signature.args.length, signature.variadic);
  if (expr.name === 'info') return expr;
  const args = expr.args.map((arg, i) => {
    const checked = checkExpr(arg, options);
    const wanted = signature.args[Math.min(i, signature.args.length - 1)]!;
    if (typeOf(checked) === wanted) return checked;
    throw new Mistake(
      arg.start,
      `expected type ${typeInWords(wanted)} in call to function ${quote(expr.name)}, got ${typeInWords(typeOf(checked))}`,
    );
  });
  return Object.freeze({ ...expr, args: Object.freeze(args) });
}

function checkArity(expr: Call, declared: number, variadic: number): void {
  const got = expr.args.length;
  const name = quote(expr.name);
  if (variadic === 0) {
    if (got !== declared) {
      throw new Mistake(expr.start, `expected ${declared} argument(s) in call to ${name}, got ${got}`);
    }
    return;
  }
  const least = declared - 1;
  if (got < least) {
    throw new Mistake(expr.start, `expected at least ${least} argument(s) in call to ${name}, got ${got}`);
  }
  if (variadic > 0 && got > least + variadic) {
    throw new Mistake(
      expr.start,
      `expected at most ${least + variadic} argument(s) in call to ${name}, got ${got}`,
    );
  }
}

function checkAggregate(expr: AggregateExpr, options: CheckOptions): Expr {
  if ((expr.op === 'limitk' || expr.op === 'limit_ratio') && !options.experimental) {
    throw new Mistake(
      expr.start,
      `${expr.op}() is experimental and must be enabled with --enable-feature=promql-experimental-functions`,
    );
  }
  const inner = expectType(expr.expr, 'vector', 'aggregation expression', options);
  const wanted = expr.op === 'count_values' ? 'string' : 'scalar';
  const param = expr.param === null ? null : expectType(expr.param, wanted, 'aggregation parameter', options);
  return Object.freeze({ ...expr, expr: inner, param });
}

function expectType(
  expr: Expr,
  wanted: 'vector' | 'scalar' | 'string',
  context: string,
  options: CheckOptions,
): Expr {
  const checked = checkExpr(expr, options);
  const type = typeOf(checked);
  if (type === wanted) return checked;
  throw new Mistake(
    expr.start,
    `expected type ${typeInWords(wanted)} in ${context}, got ${typeInWords(type)}`,
  );
}
