import type { SyntaxNode } from '@lezer/common';
import type { Matcher } from '../../../model/matcher.ts';
import { isCodedError, messageOf } from '../../../util/coded-error.ts';
import { compileMatcher } from '../../storage/label-matcher.ts';
import type {
  AggregateOperator,
  AtModifier,
  BinaryOperator,
  Cardinality,
  Expr,
  NumberLiteral,
  Subquery,
  VectorMatching,
  VectorSelector,
} from '../expr.ts';
import { takesParameter } from '../expr.ts';
import { quote } from '../go-format.ts';
import { parseNumber, toMilliseconds } from './number-literal.ts';
import { Mistake } from './parse-error.ts';
import { type ChainItem, nestChain } from './precedence.ts';
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

const convert = (node: SyntaxNode, text: string): Expr => nestChain(chainOf(node, text));

type Part = (node: SyntaxNode, text: string) => ChainItem[];

/** What adds to a chain of operands and operators; every other expression is one operand of it. */
const chainParts: Readonly<Record<string, Part>> = {
  BinaryExpr: (node, text) => {
    const [left, right] = expressionsIn(node) as [SyntaxNode, SyntaxNode];
    return [...chainOf(left, text), toOperator(node, text), ...chainOf(right, text)];
  },
  UnaryExpr: (node, text) => [
    { kind: 'sign', op: text[node.from] as '+' | '-', start: node.from },
    ...chainOf(expressionsIn(node)[0]!, text),
  ],
  NumberDurationLiteral: toNumberChain,
  MatrixSelector: (node, text) => withSuffix(node, text, toMatrixSelector(node, text)),
  SubqueryExpr: (node, text) => withSuffix(node, text, toSubquery(node, text)),
  OffsetExpr: (node, text) => withSuffix(node, text, withOffset(node, text)),
  StepInvariantExpr: (node, text) => withSuffix(node, text, withAt(node, text)),
  AnchoredExpr: (node) => notEnabled(node, 'anchored modifier is experimental and not enabled'),
  SmoothedExpr: (node) => notEnabled(node, 'smoothed modifier is experimental and not enabled'),
};

const operands: Readonly<Record<string, (node: SyntaxNode, text: string) => Expr>> = {
  StringLiteral: (node, text) =>
    Object.freeze({ kind: 'string', value: unquote(textOf(node, text), node.from), ...positionOf(node) }),
  VectorSelector: toVectorSelector,
  ParenExpr: (node, text) =>
    Object.freeze({ kind: 'paren', expr: convert(expressionsIn(node)[0]!, text), ...positionOf(node) }),
  FunctionCall: toCall,
  AggregateExpr: toAggregate,
};

function chainOf(node: SyntaxNode, text: string): ChainItem[] {
  const part = chainParts[node.name];
  return part === undefined
    ? [{ kind: 'operand', expr: operands[node.name]!(node, text) }]
    : part(node, text);
}

/** Applies a suffix to the operand directly before it, wherever the grammar hung it. */
function withSuffix(node: SyntaxNode, text: string, apply: (operand: Expr) => Expr): ChainItem[] {
  const chain = chainOf(expressionsIn(node)[0]!, text);
  const last = chain.pop();
  if (last?.kind !== 'operand') throw new Error('the grammar gave a suffix without an operand');
  return [...chain, { kind: 'operand', expr: apply(last.expr) }];
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

function toNumberChain(node: SyntaxNode, text: string): ChainItem[] {
  const op = signOf(textOf(node, text));
  if (op === undefined) return [{ kind: 'operand', expr: toNumber(node.from, node.to, text) }];
  const from = node.from + 1 + /^\s*/.exec(text.slice(node.from + 1))![0].length;
  return [
    { kind: 'sign', op, start: node.from },
    { kind: 'operand', expr: toNumber(from, node.to, text) },
  ];
}

function toNumber(start: number, end: number, text: string): NumberLiteral {
  return Object.freeze({ kind: 'number', ...parseNumber(text.slice(start, end), start), start, end });
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
  const matcher = {
    name: labelNameOf(label, text),
    op: textOf(op, text) as Matcher['op'],
    value: unquote(textOf(value, text), value.from),
  };
  checkPattern(matcher, label.from);
  return matcher;
}

function checkPattern(matcher: Matcher, at: number): void {
  try {
    compileMatcher(matcher);
  } catch (error) {
    if (!isCodedError(error)) throw error;
    // Without the flags put before the pattern.
    throw new Mistake(at, messageOf(error.cause).replace('(?s)', ''));
  }
}

function labelNameOf(node: SyntaxNode, text: string): string {
  return node.name === 'QuotedLabelName' ? unquote(textOf(node, text), node.from) : textOf(node, text);
}

type Suffix = (operand: Expr) => Expr;

function toMatrixSelector(node: SyntaxNode, text: string): Suffix {
  const rangeMs = positiveDuration(node.getChild('DurationExpr')!, text);
  return (selector) => {
    const bracket = selector.end;
    if (selector.kind !== 'vector-selector') {
      throw new Mistake(bracketAt(text, bracket), 'ranges only allowed for vector selectors');
    }
    if (selector.offsetMs !== 0) {
      throw new Mistake(bracketAt(text, bracket), 'no offset modifiers allowed before range');
    }
    if (selector.at !== null)
      throw new Mistake(bracketAt(text, bracket), 'no @ modifiers allowed before range');
    return Object.freeze({ kind: 'matrix-selector', selector, rangeMs, start: selector.start, end: node.to });
  };
}

const bracketAt = (text: string, from: number): number => Math.max(from, text.indexOf('[', from));

function toSubquery(node: SyntaxNode, text: string): Suffix {
  const [range, step] = node.getChildren('DurationExpr') as [SyntaxNode, SyntaxNode | undefined];
  const rangeMs = positiveDuration(range, text);
  const stepMs = step === undefined ? 0 : positiveDuration(step, text);
  return (expr) =>
    Object.freeze({
      kind: 'subquery',
      expr,
      rangeMs,
      stepMs,
      offsetMs: 0,
      at: null,
      start: expr.start,
      end: node.to,
    });
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
  const parts = childrenOf(node);
  const [first, second] = parts;
  if (sign !== undefined && parts.length === 2 && first!.name === 'UnaryOp') {
    return (sign === '-' ? -1 : 1) * durationOf(second!, text) || 0;
  }
  const literal = first?.name === 'NumberDurationLiteralInDurationContext' ? first : undefined;
  if (literal === undefined || literal.from !== node.from || literal.to !== node.to) {
    throw new Mistake(node.from, 'experimental duration expression is not enabled');
  }
  const seconds = parseNumber(textOf(literal, text), literal.from).value;
  if (Number.isNaN(seconds) || Math.abs(seconds) > 2 ** 63 / 1e9)
    throw new Mistake(node.from, 'duration out of range');
  return toMilliseconds(seconds);
}

type Suffixed = VectorSelector | Subquery;

/** Sets a modifier on the selector or subquery directly before it. */
function modify(
  node: SyntaxNode,
  modifier: 'offset' | '@',
  change: (target: Suffixed) => { offsetMs?: number; at?: AtModifier },
): Suffix {
  const changed = <T extends Suffixed>(target: T, end: number): T =>
    Object.freeze<T>({ ...target, ...change(target), end });
  return (expr) => {
    if (expr.kind === 'vector-selector' || expr.kind === 'subquery') return changed(expr, node.to);
    if (expr.kind === 'matrix-selector') {
      const selector = changed(expr.selector, expr.selector.end);
      return Object.freeze({ ...expr, selector, end: node.to });
    }
    throw new Mistake(
      expr.start,
      `${modifier} modifier must be preceded by an instant vector selector or range vector selector or a subquery`,
    );
  };
}

function withOffset(node: SyntaxNode, text: string): Suffix {
  const offsetMs = durationOf(node.getChild('OffsetDurationExpr')!, text);
  return modify(node, 'offset', (target) => {
    if (target.offsetMs !== 0) throw new Mistake(target.start, 'offset may not be set multiple times');
    return { offsetMs };
  });
}

function withAt(node: SyntaxNode, text: string): Suffix {
  const at = atModifierOf(node, text);
  return modify(node, '@', (target) => {
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
  const number = nestChain(toNumberChain(childrenOf(node).at(-1)!, text));
  const seconds = number.kind === 'number' ? number.value : Number.NaN;
  if (!Number.isFinite(seconds) || Math.abs(seconds) >= 2 ** 63) {
    throw new Mistake(node.from, `timestamp out of bounds for @ modifier: ${seconds}`);
  }
  return Object.freeze({ kind: 'time', t: roundHalfAway(seconds * 1000) });
}

const roundHalfAway = (value: number): number => (value < 0 ? -Math.round(-value) || 0 : Math.round(value));

function toOperator(node: SyntaxNode, text: string): ChainItem {
  const op = textOf(childrenOf(node).find((child) => !EXPRESSIONS.has(child.name))!, text).toLowerCase();
  if (op === '</' || op === '>/') {
    throw new Mistake(node.from, `operator ${op} is for native histograms, which are not supported`);
  }
  if (node.getChild('FillModifier') !== null) {
    throw new Mistake(node.from, 'binop fill modifiers are experimental and not enabled');
  }
  return {
    kind: 'operator',
    op: op as BinaryOperator,
    returnBool: node.getChild('BoolModifier') !== null,
    matching: matchingOf(node.getChild('MatchingModifierClause'), text),
  };
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
  const word = textOf(node.getChild('FunctionIdentifier')!, text);
  const name = /^(?:min_of|max_of|start|end|step|range)$/i.test(word) ? word.toLowerCase() : word;
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
