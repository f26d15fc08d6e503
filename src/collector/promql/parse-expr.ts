import { parser } from '@prometheus-io/lezer-promql';
import type { Expr } from './expr.ts';
import { createParseCache } from './parse-cache.ts';
import { checkExpr } from './parser/check.ts';
import { toGrammarText } from './parser/grammar-text.ts';
import { Mistake, parseError } from './parser/parse-error.ts';
import { syntaxMistake } from './parser/syntax-error.ts';
import { convertTree } from './parser/tree-converter.ts';

/** Longer texts are refused before they are read: parsing is linear, but not free. */
const LONGEST_TEXT = 1024 * 1024;

export interface ParseOptions {
  /** Allows what Prometheus has behind `--enable-feature=promql-experimental-functions`. */
  readonly experimental?: boolean;
  /** Allows selectors that every series may match. */
  readonly unselective?: boolean;
}

/**
 * Parses and checks a PromQL expression. The result is frozen, typed, and printable by `printExpr`.
 *
 * @throws QUERY_PARSE with the place, as Prometheus says it: `1:5: parse error: unexpected <op:+>`.
 */
export function parseExpr(text: string, options: ParseOptions = {}): Expr {
  if (options.unselective) return parseAnew(text, options);
  const cache = options.experimental ? parsedExperimental : parsed;
  const known = cache.get(text);
  if (known !== undefined) return known;
  const expr = parseAnew(text, options);
  cache.set(text, expr);
  return expr;
}

const parsed = createParseCache();
const parsedExperimental = createParseCache();

function parseAnew(text: string, options: ParseOptions): Expr {
  try {
    if (text.length > LONGEST_TEXT)
      throw new Mistake(0, `expression is longer than ${LONGEST_TEXT} characters`);
    const tree = parser.parse(toGrammarText(text));
    const mistake = syntaxMistake(tree, text);
    if (mistake !== undefined) throw mistake;
    const { experimental = false, unselective = false } = options;
    return checkExpr(convertTree(tree.topNode, text), { text, experimental, unselective });
  } catch (error) {
    if (error instanceof Mistake) throw parseError(text, error.at, error.message);
    if (error instanceof RangeError) throw parseError(text, 0, 'expression is nested too deeply');
    throw error;
  }
}
