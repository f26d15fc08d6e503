import { quote } from '../go-format.ts';

/** A word of the language, for messages and for what the grammar reads differently from Prometheus. */
export interface Token {
  readonly kind:
    | 'identifier'
    | 'keyword'
    | 'aggregator'
    | 'operator'
    | 'number'
    | 'duration'
    | 'string'
    | 'punctuation';
  readonly text: string;
  readonly from: number;
}

/** What cannot be a token, in Prometheus' words. */
export interface LexicalMistake {
  readonly message: string;
  readonly from: number;
}

const AGGREGATORS = new Set(
  'sum avg count min max group stddev stdvar topk bottomk count_values quantile limitk limit_ratio'.split(
    ' ',
  ),
);
const KEYWORDS = new Set(
  'offset smoothed anchored by without on ignoring group_left group_right fill fill_left fill_right bool'.split(
    ' ',
  ),
);
const WORD_OPERATORS = new Set(['and', 'or', 'unless', 'atan2']);

const WHITE_SPACE_AND_COMMENTS = /(?:\s|#[^\n]*)*/y;
const DURATION = /(?:\d+(?:ms|[ywdhms]))+(?![A-Za-z0-9_])/y;
const NUMBER = /(?:0[xX][0-9a-fA-F]+|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?)/y;
const WORD = /[A-Za-z_:][A-Za-z0-9_:]*/y;
const OPERATOR = /==|!=|<=|>=|=~|!~|<\/|>\/|[-+*/%^<>@=]/y;
const PUNCTUATION = /[()[\]{},:;]/y;
const STRING = /"(?:[^"\\\n]|\\[^\n])*"?|'(?:[^'\\\n]|\\[^\n])*'?|`[^`]*`?/y;

/** The tokens of `text` up to its end or to the first place where there is none. */
export function tokenize(text: string): { tokens: readonly Token[]; mistake: LexicalMistake | null } {
  const tokens: Token[] = [];
  const open: string[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  for (;;) {
    at += match(WHITE_SPACE_AND_COMMENTS)!.length;
    if (at >= text.length) return { tokens, mistake: unclosed(open, tokens.at(-1), at) };
    const token = readToken(match, at, open.at(-1) === '[');
    if (token === undefined) return { tokens, mistake: unknownCharacter(text, at, open.at(-1)) };
    if (token.kind === 'string' && (token.text.length < 2 || token.text.at(-1) !== token.text[0])) {
      return { tokens, mistake: { message: 'unterminated quoted string', from: at } };
    }
    const mistake = nest(open, token);
    if (mistake !== null) return { tokens, mistake };
    tokens.push(token);
    at += token.text.length;
  }
}

function readToken(
  match: (pattern: RegExp) => string | undefined,
  from: number,
  inBrackets: boolean,
): Token | undefined {
  const string = match(STRING);
  if (string !== undefined) return { kind: 'string', text: string, from };
  const duration = match(DURATION);
  if (duration !== undefined) return { kind: 'duration', text: duration, from };
  const number = match(NUMBER);
  if (number !== undefined) return { kind: 'number', text: number, from };
  if (inBrackets) {
    const punctuation = match(PUNCTUATION);
    if (punctuation !== undefined) return { kind: 'punctuation', text: punctuation, from };
  }
  const word = match(WORD);
  if (word !== undefined) return { kind: kindOfWord(word.toLowerCase()), text: word, from };
  const operator = match(OPERATOR);
  if (operator !== undefined)
    return { kind: operator === '=' ? 'punctuation' : 'operator', text: operator, from };
  const punctuation = match(PUNCTUATION);
  if (punctuation !== undefined) return { kind: 'punctuation', text: punctuation, from };
  return undefined;
}

function kindOfWord(word: string): Token['kind'] {
  if (WORD_OPERATORS.has(word)) return 'operator';
  if (AGGREGATORS.has(word)) return 'aggregator';
  if (KEYWORDS.has(word)) return 'keyword';
  if (word === 'inf' || word === 'nan') return 'number';
  return 'identifier';
}

const CLOSES: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };
const NAMES: Readonly<Record<string, string>> = {
  ')': 'right parenthesis',
  ']': 'right bracket',
};

function nest(open: string[], token: Token): LexicalMistake | null {
  if (token.kind !== 'punctuation') return null;
  if ('([{'.includes(token.text)) open.push(token.text);
  const opener = CLOSES[token.text];
  if (opener === undefined) return null;
  if (open.at(-1) === opener) {
    open.pop();
    return null;
  }
  if (token.text === '}') return { message: `unexpected character: '}'`, from: token.from };
  // Prometheus has read past it when it finds out.
  return { message: `unexpected ${NAMES[token.text]} '${token.text}'`, from: token.from + 1 };
}

function unclosed(open: readonly string[], last: Token | undefined, at: number): LexicalMistake | null {
  const innermost = open.at(-1);
  if (innermost === undefined) return null;
  if (innermost === '{') return { message: 'unexpected end of input inside braces', from: at };
  if (last?.text === '[') return { message: 'unexpected end of input in duration expression', from: at };
  if (innermost === '[') return { message: 'unclosed left bracket', from: at };
  return { message: 'unclosed left parenthesis', from: at };
}

function unknownCharacter(text: string, at: number, within: string | undefined): LexicalMistake {
  const char = String.fromCodePoint(text.codePointAt(at)!);
  const place = within === '{' ? ' inside braces' : '';
  return { message: `unexpected character${place}: '${quote(char).slice(1, -1)}'`, from: at };
}

/** A token as Prometheus names it in `unexpected …`; undefined is the end of the input. */
export function describeToken(token: Token | undefined): string {
  if (token === undefined) return 'end of input';
  const short = token.text.length > 10 ? `${quote(token.text.slice(0, 10))}...` : quote(token.text);
  switch (token.kind) {
    case 'keyword':
      return `<${token.text}>`;
    case 'operator':
      return `<op:${token.text}>`;
    case 'aggregator':
      return `<aggr:${token.text}>`;
    case 'punctuation':
      return short;
    case 'identifier':
      return `identifier ${quote(token.text)}`;
    default:
      return `${token.kind} ${short}`;
  }
}
