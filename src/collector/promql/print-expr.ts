import type { Matcher } from '../../model/matcher.ts';
import type {
  AggregateExpr,
  AtModifier,
  BinaryExpr,
  Expr,
  NumberLiteral,
  Subquery,
  VectorMatching,
  VectorSelector,
} from './expr.ts';
import { formatDuration, formatFloat, quote } from './go-format.ts';

/** `expr` on one line, spelt as Prometheus spells it; parsing it again gives the same expression. */
export function printExpr(expr: Expr): string {
  switch (expr.kind) {
    case 'number':
      return printNumber(expr);
    case 'string':
      return quote(expr.value);
    case 'vector-selector':
      return printSelector(expr) + printModifiers(expr);
    case 'matrix-selector':
      return `${printSelector(expr.selector)}[${formatDuration(expr.rangeMs)}]${printModifiers(expr.selector)}`;
    case 'subquery':
      return printExpr(expr.expr) + printSubquerySuffix(expr);
    case 'paren':
      return `(${printExpr(expr.expr)})`;
    case 'unary':
      return expr.op + printExpr(expr.expr);
    case 'binary':
      return `${printExpr(expr.lhs)} ${printOperator(expr)} ${printExpr(expr.rhs)}`;
    case 'call':
      return `${expr.name}(${expr.args.map(printExpr).join(', ')})`;
    case 'aggregate': {
      const args = expr.param === null ? [expr.expr] : [expr.param, expr.expr];
      return `${printAggregation(expr)}(${args.map(printExpr).join(', ')})`;
    }
  }
}

const LONGEST_LINE = 100;

/**
 * `expr` over several lines where one would be longer than 100 bytes, indented by two spaces, as `promtool promql
 * format` and the format_query API give it.
 */
export function prettyExpr(expr: Expr, level = 0): string {
  const indent = '  '.repeat(level);
  if (Buffer.byteLength(printExpr(expr)) <= LONGEST_LINE) {
    // Prometheus leaves a short subquery without its indent.
    return expr.kind === 'subquery' ? printExpr(expr) : indent + printExpr(expr);
  }
  switch (expr.kind) {
    case 'aggregate': {
      const args = expr.param === null ? [expr.expr] : [expr.param, expr.expr];
      return `${indent}${printAggregation(expr)}(\n${prettyList(args, level + 1)}\n${indent})`;
    }
    case 'call':
      return `${indent}${expr.name}(\n${prettyList(expr.args, level + 1)}\n${indent})`;
    case 'binary': {
      const lhs = prettyExpr(expr.lhs, level + 1);
      return `${lhs}\n${indent}${printOperator(expr)}\n${prettyExpr(expr.rhs, level + 1)}`;
    }
    case 'paren':
      return `${indent}(\n${prettyExpr(expr.expr, level + 1)}\n${indent})`;
    case 'subquery':
      return prettyExpr(expr.expr, level) + printSubquerySuffix(expr);
    case 'unary':
      return indent + expr.op + prettyExpr(expr.expr, level).trim();
    default:
      return indent + printExpr(expr);
  }
}

const prettyList = (args: readonly Expr[], level: number): string =>
  args.map((arg) => prettyExpr(arg, level)).join(',\n');

function printNumber({ value, isDuration }: NumberLiteral): string {
  if (!isDuration) return formatFloat(value);
  return (value < 0 ? '-' : '') + formatDuration(Math.round(Math.abs(value) * 1000));
}

function printSelector({ name, matchers }: VectorSelector): string {
  const others = matchers
    .filter(
      (matcher) =>
        !(matcher.name === '__name__' && matcher.op === '=' && matcher.value === name && name !== ''),
    )
    .map(printMatcher)
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return others.length === 0 ? name : `${name}{${others.join(',')}}`;
}

/** A matcher as in a selector: `job=~"api.*"`; a name that is no plain label name is quoted. */
function printMatcher({ name, op, value }: Matcher): string {
  return printLabelName(name) + op + quote(value);
}

const printLabelName = (name: string): string => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : quote(name));

/** The parts behind a selector: `@` before `offset`. */
function printModifiers({ at, offsetMs }: { at: AtModifier | null; offsetMs: number }): string {
  return printAt(at) + printOffset(offsetMs);
}

function printAt(at: AtModifier | null): string {
  if (at === null) return '';
  return at.kind === 'time' ? ` @ ${(at.t / 1000).toFixed(3)}` : ` @ ${at.kind}()`;
}

function printOffset(offsetMs: number): string {
  if (offsetMs === 0) return '';
  return ` offset ${offsetMs < 0 ? '-' : ''}${formatDuration(Math.abs(offsetMs))}`;
}

function printSubquerySuffix(subquery: Subquery): string {
  const step = subquery.stepMs === 0 ? '' : formatDuration(subquery.stepMs);
  return `[${formatDuration(subquery.rangeMs)}:${step}]${printModifiers(subquery)}`;
}

const printLabelNames = (names: readonly string[]): string => `(${names.map(printLabelName).join(', ')})`;

function printAggregation({ op, without, grouping }: AggregateExpr): string {
  if (without) return `${op} without ${printLabelNames(grouping)} `;
  return grouping.length > 0 ? `${op} by ${printLabelNames(grouping)} ` : op;
}

function printOperator({ op, returnBool, matching }: BinaryExpr): string {
  return op + (returnBool ? ' bool' : '') + (matching === null ? '' : printMatching(matching));
}

function printMatching({ on, labels, include, cardinality }: VectorMatching): string {
  const grouped = cardinality === 'many-to-one' || cardinality === 'one-to-many';
  if (labels.length === 0 && !on && !grouped) return '';
  const match = ` ${on ? 'on' : 'ignoring'} ${printLabelNames(labels)}`;
  if (!grouped) return match;
  return `${match} group_${cardinality === 'many-to-one' ? 'left' : 'right'} ${printLabelNames(include)}`;
}
