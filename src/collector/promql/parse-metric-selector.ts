import type { Matcher } from '../../model/matcher.ts';
import { parseExpr } from './parse-expr.ts';
import { parseError } from './parser/parse-error.ts';
import { describeToken, type Token, tokenize } from './parser/token.ts';

/**
 * The matchers of a selector without offset, range or anything else around it. They may match every series.
 *
 * @throws QUERY_PARSE as Prometheus says it of a series selector
 */
export function parseMetricSelector(text: string): readonly Matcher[] {
  const { tokens, mistake } = tokenize(text);
  const end = endOfSelector(tokens);
  if (mistake === null && end < tokens.length) throw unexpected(text, tokens[end]);
  if (mistake === null && tokens.length === 0) throw unexpected(text, undefined);
  const expr = parseExpr(text, { unselective: true });
  if (expr.kind === 'vector-selector') return expr.matchers;
  throw unexpected(text, tokens[0]);
}

/** How many of the tokens are a name and braces; all of them where the braces do not close. */
function endOfSelector(tokens: readonly Token[]): number {
  const isName = tokens[0] !== undefined && /^[A-Za-z_:]/.test(tokens[0].text) && tokens[0].kind !== 'number';
  const open = isName ? 1 : 0;
  if (tokens[open]?.text !== '{') return open;
  const close = tokens.findIndex(({ text }, i) => i > open && text === '}');
  return close < 0 ? tokens.length : close + 1;
}

function unexpected(text: string, token: Token | undefined): Error {
  // Of an empty text there is no place.
  return parseError(text, token?.from ?? text.length, `unexpected ${describeToken(token)}`);
}
