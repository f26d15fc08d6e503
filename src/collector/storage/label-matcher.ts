import { RE2JS, RE2JSSyntaxException } from 're2js';
import type { Matcher } from '../../model/matcher.ts';
import { CodedError } from '../../util/coded-error.ts';

/** A matcher ready to be asked many times. */
export interface LabelMatcher {
  readonly name: string;
  readonly matcher: Matcher;
  matches(value: string): boolean;
  /** The only values that can match, where that is known: `=`, and `=~` of a list of literals. */
  readonly values?: readonly string[];
  /** Also true of series without the label. */
  readonly matchesEmpty: boolean;
}

/**
 * Compiles a matcher. Regular expressions are RE2, fully anchored, and their dot matches a newline, as in
 * Prometheus 3. Literals, alternations of literals, prefixes and suffixes never reach the regex engine.
 *
 * @throws MATCHER_INVALID when the regular expression does not parse.
 */
export function compileMatcher(matcher: Matcher): LabelMatcher {
  const { positive, values } = predicateOf(matcher);
  const negated = matcher.op === '!=' || matcher.op === '!~';
  const matches = negated ? (value: string) => !positive(value) : positive;
  return {
    name: matcher.name,
    matcher,
    matches,
    matchesEmpty: matches(''),
    ...(values === undefined || negated ? {} : { values }),
  };
}

/** Compiles a regular expression for whole strings. @throws MATCHER_INVALID */
export function compileAnchored(pattern: string): (value: string) => boolean {
  return regexPredicate(pattern).positive;
}

interface Predicate {
  readonly positive: (value: string) => boolean;
  readonly values?: readonly string[];
}

function predicateOf(matcher: Matcher): Predicate {
  if (matcher.op === '=~' || matcher.op === '!~') return regexPredicate(matcher.value);
  return { positive: (value) => value === matcher.value, values: [matcher.value] };
}

function regexPredicate(pattern: string): Predicate {
  return alternation(pattern) ?? affixed(pattern) ?? re2(pattern);
}

const META = /[\\.+*?()|[\]{}^$]/;

/** `a|b|c` and `(a|b|c)` of literals. */
function alternation(pattern: string): Predicate | undefined {
  const inner = /^\((?:\?:)?([^()]*)\)$/.exec(pattern)?.[1] ?? pattern;
  const values = inner.split('|').map(literal);
  if (values.some((value) => value === undefined)) return undefined;
  const set = new Set(values as string[]);
  return { positive: (value) => set.has(value), values: [...set] };
}

/** `.*`, `.+`, `prefix.*`, `.*suffix`, `.*middle.*` and the same with `.+`. */
function affixed(pattern: string): Predicate | undefined {
  const parts = /^(\.[*+])?((?:[^\\.+*?()|[\]{}^$]|\\[.\-/])*)(\.[*+])?$/.exec(pattern);
  if (parts === null) return undefined;
  const text = literal(parts[2]!);
  if (text === undefined) return undefined;
  const before = parts[1] === undefined ? -1 : Number(parts[1] === '.+');
  const after = parts[3] === undefined ? -1 : Number(parts[3] === '.+');
  if (before < 0 && after < 0) return undefined;
  if (text === '') {
    const atLeast = Math.max(0, before) + Math.max(0, after);
    return { positive: (value) => atLeast === 0 || [...value].length >= atLeast };
  }
  if (before < 0)
    return { positive: (value) => value.startsWith(text) && value.length >= text.length + after };
  if (after < 0) return { positive: (value) => value.endsWith(text) && value.length >= text.length + before };
  return {
    positive: (value) => {
      // Any occurrence that leaves room on both sides.
      const at = value.indexOf(text, before);
      return at >= 0 && at + text.length + after <= value.length;
    },
  };
}

/** The text a pattern without operators stands for; undefined when it has one. */
function literal(pattern: string): string | undefined {
  const text = pattern.replace(/\\([.\-/])/g, (_, char: string) => (META.test(char) ? '\u0000' : char));
  if (META.test(text)) return undefined;
  return pattern.replace(/\\([.\-/])/g, '$1');
}

function re2(pattern: string): Predicate {
  try {
    const compiled = RE2JS.compile(pattern, RE2JS.DOTALL);
    return { positive: (value) => compiled.testExact(value) };
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    throw new CodedError(
      'MATCHER_INVALID',
      `regular expression ${JSON.stringify(pattern)} does not parse: ${error.message}; RE2 syntax is expected`,
      { cause: error, status: 400 },
    );
  }
}
