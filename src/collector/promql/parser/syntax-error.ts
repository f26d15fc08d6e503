import type { SyntaxNode, Tree } from '@lezer/common';
import { quote } from '../go-format.ts';
import { Mistake } from './parse-error.ts';
import { describeToken, tokenize } from './token.ts';

/** Where the grammar gave up first, in Prometheus' words; undefined when the tree is whole. */
export function syntaxMistake(tree: Tree, text: string): Mistake | undefined {
  const broken = firstError(tree);
  if (broken === undefined) return undefined;
  const { tokens, mistake } = tokenize(text);
  if (tokens.length === 0 && mistake === null) return new Mistake(0, 'no expression found in input');
  const index = tokens.findIndex((token) => token.from >= broken.from);
  const token = index < 0 ? undefined : tokens[index];
  if (mistake !== null && mistake.from <= (token?.from ?? text.length)) {
    return new Mistake(mistake.from, mistake.message);
  }
  const before = index < 0 ? tokens.at(-1) : tokens[index - 1];
  if (token?.text === '(' && before?.kind === 'identifier') {
    return new Mistake(before.from, `unknown function with name ${quote(before.text)}`);
  }
  if (token?.text === ')' && before?.text === ',' && broken.parent?.name === 'FunctionCallBody') {
    return new Mistake(before.from, 'trailing commas not allowed in function call args');
  }
  return new Mistake(
    token?.from ?? text.length,
    `unexpected ${describeToken(token)}${contextOf(broken, before?.text)}`,
  );
}

function firstError(tree: Tree): SyntaxNode | undefined {
  let found: SyntaxNode | undefined;
  tree.iterate({
    enter(node) {
      if (found === undefined && node.type.isError) found = node.node;
      return found === undefined;
    },
  });
  return found;
}

const AFTER_LABEL_NAME = /^(?:[A-Za-z_]\w*|["'`].*)$/s;

function contextOf(broken: SyntaxNode, before: string | undefined): string {
  if (/^(?:by|without|on|ignoring|group_left|group_right)$/i.test(before ?? ''))
    return ' in grouping opts, expected "("';
  if (isAmongArguments(broken)) return ' in aggregation';
  switch (broken.parent?.name) {
    case 'LabelMatchers':
    case 'UnquotedLabelMatcher':
    case 'QuotedLabelMatcher':
      return ` in label matching, expected ${expectedInBraces(broken.parent.name, before)}`;
    case 'GroupingLabels':
      return ` in grouping opts, expected ${before === '(' || before === ',' ? 'label' : '"," or ")"'}`;
    case 'AggregateExpr':
      return ' in aggregation';
    case 'OffsetExpr':
      return ' in offset, expected number, duration, step(), or range()';
    case 'StepInvariantExpr':
      return ' in @, expected timestamp';
    case 'MatrixSelector':
    case 'SubqueryExpr':
      return before === '['
        ? ' in subquery or range selector, expected number, duration, step(), or range()'
        : '';
    default:
      return '';
  }
}

/** Between the arguments of an aggregation, not inside one of its own brackets. */
function isAmongArguments(broken: SyntaxNode): boolean {
  let node = broken.parent;
  if (node?.name === 'VectorSelector') node = node.parent;
  return node?.name === 'FunctionCallBody' && node.parent?.name === 'AggregateExpr';
}

function expectedInBraces(parent: string, before: string | undefined): string {
  if (before === '{' || before === ',') return 'identifier or "}"';
  if (before !== undefined && /^(?:=|!=|=~|!~)$/.test(before)) return 'string';
  if (parent === 'LabelMatchers' && before !== undefined && /^["'`]/.test(before)) return '"," or "}"';
  return before !== undefined && AFTER_LABEL_NAME.test(before) ? 'label matching operator' : '"," or "}"';
}
