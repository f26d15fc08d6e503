import type { SyntaxNode } from '@lezer/common';
import type { Matcher } from '../../../model/matcher.ts';
import type {
  AggregateOperator,
  AtModifier,
  BinaryOperator,
  Cardinality,
  Expr,
  Subquery,
  VectorMatching,
  VectorSelector,
} from '../expr.ts';
import { takesParameter } from '../expr.ts';
import { quote } from '../go-format.ts';
import { parseNumber, toMilliseconds } from './number-literal.ts';
import { Mistake } from './parse-error.ts';
import { attachSuffix, toBinary, withSign } from './precedence.ts';
import { unquote } from './string-literal.ts';

const EXPRESSIONS = new Set(
  (
    'AggregateExpr BinaryExpr FunctionCall MatrixSelector NumberDurationLiteral OffsetExpr AnchoredExpr ' +
    'SmoothedExpr ParenExpr StringLiteral SubqueryExpr UnaryExpr VectorSelector StepInvariantExpr'
  ).split(' '),
);

/** The grammar's tree as an expression, its nesting put right. @throws Mistake */
export function convertTree(root: SyntaxNode, text: string): Expr {
  const only = expressionsIn(root)[0];
  if (only === undefined) throw new Mistake(0, 'no expression found in input');
  return convert(only, text);
}

type Converter = (node: SyntaxNode, text: string) => Expr;

const converters: Readonly<Record<string, Converter>> = {
  NumberDurationLiteral: toNumber,
  StringLiteral: (node, text) =>
    Object.freeze({ kind: 'string', value: unquote(textOf(node, text), node.from), ...positionOf(node) }),
  VectorSelector: toVectorSelector,
  MatrixSelector: toMatrixSelector,
  SubqueryExpr: toSubquery,
  OffsetExpr: withOffset,
  StepInvariantExpr: withAt,
  ParenExpr: (node, text) => Object.freeze({ kind: 'paren', expr: operand(node, text), ...positionOf(node) }),
  UnaryExpr: (node, text) =>
    withSign(text[node.from] as '+' | '-', operand(node, text), positionOf(node)),
  BinaryExpr: toBinaryExpr,
  FunctionCall: toCall,
  AggregateExpr: toAggregate,
  AnchoredExpr: (node) => notEnabled(node, 'anchored modifier is experimental and not enabled'),
  SmoothedExpr: (node) => notEnabled(node, 'smoothed modifier is experimental and not enabled'),
};

function convert(node: SyntaxNode, text: string): Expr {
  return converters[node.name]!(node, text);
}

function notEnabled(node: SyntaxNode, message: string): never {
  throw new Mistake(node.from, message);
}

const textOf = (node: SyntaxNode, text: string): string => text.slice(node.from, node.to);
const positionOf = (node: SyntaxNode) => ({ start: node.from, end: node.to });

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (child.name !== 'LineComment') children.push(child);
  }
  return children;
}

const expressionsIn = (node: SyntaxNode): SyntaxNode[] =>
  childrenOf(node).filter((child) => EXPRESSIONS.has(child.name));

const operand = (node: SyntaxNode, text: string): Expr => convert(expressionsIn(node)[0]!, text);

function toNumber(node: SyntaxNode, text: string): Expr {
  const word = textOf(node, text);
  const sign = signOf(word);
  const { value, isDuration } = parseNumber(sign === undefined ? word : word.slice(1).trim(), node.from);
  return Object.freeze({
    kind: 'number',
    value: sign === '-' ? -value : value,
    isDuration,
    ...positionOf(node),
  });
}

function signOf(word: string): '+' | '-' | undefined {
  return word[0] === '-' || word[0] === '+' ? word[0] : undefined;
}

function toVectorSelector(node: SyntaxNode, text: string): Expr {
  const identifier = node.getChild('Identifier');
  const name = identifier === null ? '' : textOf(identifier, text);
  const braces = node.getChild('LabelMatchers');
  const matchers = braces === null ? [] : childrenOf(braces).map((child) => toMatcher(child, text));
  if (name !== '') matchers.push({ name: '__name__', op: '=', value: name });
  return Object.freeze({
    kind: 'vector-selector',
    name,
    matchers: Object.freeze(matchers.map((matcher) => Object.freeze(matcher))),
    offsetMs: 0,
    at: null,
    ...positionOf(node),
  });
}

function toMatcher(node: SyntaxNode, text: string): Matcher {
  if (node.name === 'QuotedLabelName') {
    return { name: '__name__', op: '=', value: unquote(textOf(node, text), node.from) };
  }
  const [label, op, value] = childrenOf(node) as [SyntaxNode, SyntaxNode, SyntaxNode];
  return {
    name: labelNameOf(label, text),
    op: textOf(op, text) as Matcher['op'],
    value: unquote(textOf(value, text), value.from),
  };
}

function labelNameOf(node: SyntaxNode, text: string): string {
  return node.name === 'QuotedLabelName' ? unquote(textOf(node, text), node.from) : textOf(node, text);
}

function toMatrixSelector(node: SyntaxNode, text: string): Expr {
  const rangeMs = positiveDuration(node.getChild('DurationExpr')!, text);
  return attachSuffix(operand(node, text), node.to, (selector) => {
    const bracket = selector.end;
    if (selector.kind !== 'vector-selector') {
      throw new Mistake(bracketAt(text, bracket), 'ranges only allowed for vector selectors');
    }
    if (selector.offsetMs !== 0) {
      throw new Mistake(bracketAt(text, bracket), 'no offset modifiers allowed before range');
    }
    if (selector.at !== null) throw new Mistake(bracketAt(text, bracket), 'no @ modifiers allowed before range');
    return Object.freeze({ kind: 'matrix-selector', selector, rangeMs, start: selector.start, end: node.to });
  });
}

const bracketAt = (text: string, from: number): number => Math.max(from, text.indexOf('[', from));

function toSubquery(node: SyntaxNode, text: string): Expr {
  const [range, step] = node.getChildren('DurationExpr') as [SyntaxNode, SyntaxNode | undefined];
  const rangeMs = positiveDuration(range, text);
  const stepMs = step === undefined ? 0 : positiveDuration(step, text);
  return attachSuffix(operand(node, text), node.to, (expr) =>
    Object.freeze({
      kind: 'subquery',
      expr,
      rangeMs,
      stepMs,
      offsetMs: 0,
      at: null,
      start: expr.start,
      end: node.to,
    }),
  );
}

function positiveDuration(node: SyntaxNode, text: string): number {
  const milliseconds = durationOf(node, text);
  if (milliseconds <= 0) throw new Mistake(node.from, 'duration must be greater than 0');
  return milliseconds;
}

/** A duration in milliseconds; everything but a literal, with a sign perhaps, is a duration expression. */
function durationOf(node: SyntaxNode, text: string): number {
  const word = textOf(node, text);
  const sign = signOf(word);
  const literal = node.getChild('NumberDurationLiteralInDurationContext');
  const signed = sign === undefined ? null : (node.getChild('DurationExpr') ?? node.getChild('OffsetDurationExpr'));
  if (signed !== null) return (sign === '-' ? -1 : 1) * durationOf(signed, text) || 0;
  if (literal === null || literal.from !== node.from || literal.to !== node.to) {
    throw new Mistake(node.from, 'experimental duration expression is not enabled');
  }
  const seconds = parseNumber(textOf(literal, text), literal.from).value;
  if (Number.isNaN(seconds) || Math.abs(seconds) > 2 ** 63 / 1e9) throw new Mistake(node.from, 'duration out of range');
  return toMilliseconds(seconds);
}

type Suffixed = VectorSelector | Subquery;

/** Sets a modifier on the selector or subquery directly before it. */
function modify(
  node: SyntaxNode,
  text: string,
  modifier: 'offset' | '@',
  change: (target: Suffixed) => { offsetMs?: number; at?: AtModifier },
): Expr {
  const changed = <T extends Suffixed>(target: T, end: number): T =>
    Object.freeze<T>({ ...target, ...change(target), end });
  return attachSuffix(operand(node, text), node.to, (expr) => {
    if (expr.kind === 'vector-selector' || expr.kind === 'subquery') return changed(expr, node.to);
    if (expr.kind === 'matrix-selector') {
      const selector = changed(expr.selector, expr.selector.end);
      return Object.freeze({ ...expr, selector, end: node.to });
    }
    throw new Mistake(
      expr.start,
      `${modifier} modifier must be preceded by an instant vector selector or range vector selector or a subquery`,
    );
  });
}

function withOffset(node: SyntaxNode, text: string): Expr {
  const offsetMs = durationOf(node.getChild('OffsetDurationExpr')!, text);
  return modify(node, text, 'offset', (target) => {
    if (target.offsetMs !== 0) throw new Mistake(target.start, 'offset may not be set multiple times');
    return { offsetMs };
  });
}

function withAt(node: SyntaxNode, text: string): Expr {
  const at = atModifierOf(node, text);
  return modify(node, text, '@', (target) => {
    if (target.at !== null) throw new Mistake(target.start, '@ <timestamp> may not be set multiple times');
    return { at };
  });
}

function atModifierOf(node: SyntaxNode, text: string): AtModifier {
  const preprocessor = node.getChild('AtModifierPreprocessors');
  if (preprocessor !== null) {
    const kind = preprocessor.getChild('AtStart') === null ? 'end' : 'start';
    return Object.freeze({ kind });
  }
  const literal = toNumber(childrenOf(node).at(-1)!, text);
  const seconds = literal.kind === 'number' ? literal.value : Number.NaN;
  if (!Number.isFinite(seconds) || Math.abs(seconds) >= 2 ** 63) {
    throw new Mistake(node.from, `timestamp out of bounds for @ modifier: ${seconds}`);
  }
  return Object.freeze({ kind: 'time', t: roundHalfAway(seconds * 1000) });
}

const roundHalfAway = (value: number): number => (value < 0 ? -Math.round(-value) || 0 : Math.round(value));

function toBinaryExpr(node: SyntaxNode, text: string): Expr {
  const [left, right] = expressionsIn(node) as [SyntaxNode, SyntaxNode];
  const op = textOf(childrenOf(node).find((child) => !EXPRESSIONS.has(child.name))!, text).toLowerCase();
  if (op === '</' || op === '>/') throw new Mistake(node.from, `operator ${op} needs native histograms, which are not supported yet`);
  if (node.getChild('FillModifier') !== null) {
    throw new Mistake(node.from, 'binop fill modifiers are experimental and not enabled');
  }
  const lhs = convert(left, text);
  const rhs = convert(right, text);
  return toBinary(
    {
      kind: 'binary',
      op: op as BinaryOperator,
      lhs,
      rhs,
      returnBool: node.getChild('BoolModifier') !== null,
      matching: matchingOf(node.getChild('MatchingModifierClause'), text),
      start: lhs.start,
      end: rhs.end,
    },
    (expr) => (expr.start === left.from && left.name === 'NumberDurationLiteral' ? signOf(textOf(left, text)) : undefined),
  );
}

function matchingOf(clause: SyntaxNode | null, text: string): VectorMatching {
  if (clause === null) {
    return Object.freeze({ cardinality: 'one-to-one', on: false, labels: [], include: [] });
  }
  const [labels, include] = clause.getChildren('GroupingLabels');
  const cardinality: Cardinality =
    clause.getChild('GroupLeft') !== null
      ? 'many-to-one'
      : clause.getChild('GroupRight') !== null
        ? 'one-to-many'
        : 'one-to-one';
  return Object.freeze({
    cardinality,
    on: clause.getChild('On') !== null,
    labels: labelNamesIn(labels, text),
    include: labelNamesIn(include, text),
  });
}

function labelNamesIn(node: SyntaxNode | undefined | null, text: string): readonly string[] {
  if (node === undefined || node === null) return [];
  return Object.freeze(childrenOf(node).map((child) => groupingLabel(child, text)));
}

function groupingLabel(node: SyntaxNode, text: string): string {
  const name = labelNameOf(node, text);
  if (name === '' || !name.isWellFormed()) {
    throw new Mistake(node.from, `invalid label name for grouping: ${quote(name)}`);
  }
  return name;
}

const argumentsOf = (node: SyntaxNode, text: string): Expr[] =>
  expressionsIn(node.getChild('FunctionCallBody')!).map((child) => convert(child, text));

function toCall(node: SyntaxNode, text: string): Expr {
  const name = textOf(node.getChild('FunctionIdentifier')!, text);
  return Object.freeze({
    kind: 'call',
    name,
    args: Object.freeze(argumentsOf(node, text)),
    ...positionOf(node),
  });
}

function toAggregate(node: SyntaxNode, text: string): Expr {
  const op = textOf(node.getChild('AggregateOp')!, text).toLowerCase() as AggregateOperator;
  const args = argumentsOf(node, text);
  if (args.length === 0) throw new Mistake(node.from, 'no arguments for aggregate expression provided');
  const expected = takesParameter(op) ? 2 : 1;
  if (args.length !== expected) {
    throw new Mistake(
      node.from,
      `wrong number of arguments for aggregate expression provided, expected ${expected}, got ${args.length}`,
    );
  }
  const modifier = node.getChild('AggregateModifier');
  return Object.freeze({
    kind: 'aggregate',
    op,
    param: expected === 2 ? args[0]! : null,
    expr: args[expected - 1]!,
    grouping: labelNamesIn(modifier?.getChild('GroupingLabels'), text),
    without: modifier !== null && modifier.getChild('Without') !== null,
    ...positionOf(node),
  });
}
