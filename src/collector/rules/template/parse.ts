import type { Command, Operand, Pipeline, Template, TemplateNode } from './node.ts';
import { cutTemplate, type Piece, TemplateSyntaxError, type Token } from './token.ts';

/** Deepest nesting of actions and parentheses: rule files are written by people, hostile ones too. */
const MAX_DEPTH = 64;

/**
 * The tree of a Go template. `isFunction` says which names may be called; variables in `declared` exist before the
 * template starts.
 * @throws TemplateSyntaxError in text/template's words.
 */
export function parseTemplate(
  text: string,
  isFunction: (name: string) => boolean,
  declared: readonly string[],
): Template {
  const parser = createParser(cutTemplate(text), isFunction, declared);
  return parser.template();
}

function createParser(
  pieces: readonly Piece[],
  isFunction: (name: string) => boolean,
  declared: readonly string[],
) {
  const defined = new Map<string, readonly TemplateNode[]>();
  let next = 0;
  let scopes: string[][] = [['$', ...declared]];
  let ranges = 0;

  type End = 'end' | 'else' | 'eof';
  const list = (depth: number): { nodes: TemplateNode[]; end: End; tail: Tokens | null } => {
    if (depth > MAX_DEPTH) throw new TemplateSyntaxError(`actions nested more than ${MAX_DEPTH} deep`);
    const nodes: TemplateNode[] = [];
    while (next < pieces.length) {
      const piece = pieces[next++]!;
      if (piece.kind === 'text') {
        nodes.push(piece);
        continue;
      }
      const tokens = createTokens(piece.tokens);
      const keyword = tokens.peek()?.kind === 'word' ? tokens.peek()!.text : '';
      if (keyword === 'end') {
        tokens.take();
        tokens.expectEnd('end');
        return { nodes, end: 'end', tail: null };
      }
      if (keyword === 'else') {
        tokens.take();
        return { nodes, end: 'else', tail: tokens };
      }
      nodes.push(...action(keyword, tokens, depth));
    }
    return { nodes, end: 'eof', tail: null };
  };

  const action = (keyword: string, tokens: Tokens, depth: number): TemplateNode[] => {
    switch (keyword) {
      case 'if':
      case 'with':
      case 'range':
        tokens.take();
        return [control(keyword, tokens, depth)];
      case 'break':
      case 'continue':
        tokens.take();
        tokens.expectEnd(keyword);
        if (ranges === 0) throw new TemplateSyntaxError(`{{${keyword}}} outside {{range}}`);
        return [{ kind: keyword }];
      case 'define':
      case 'block':
        tokens.take();
        return definition(keyword, tokens, depth);
      case 'template': {
        tokens.take();
        const name = unquote(tokens.take('string', 'template name'));
        return [{ kind: 'template', name, pipeline: tokens.peek() ? pipeline(tokens, 'template', 0) : null }];
      }
      default:
        return [{ kind: 'print', pipeline: pipeline(tokens, 'command', 0) }];
    }
  };

  const scoped = <T>(run: () => T): T => {
    scopes.push([]);
    const result = run();
    scopes.pop();
    return result;
  };

  const control = (kind: 'if' | 'with' | 'range', tokens: Tokens, depth: number): TemplateNode =>
    scoped(() => {
      const condition = pipeline(tokens, kind, 0);
      if (kind === 'range') ranges += 1;
      const body = list(depth + 1);
      if (kind === 'range') ranges -= 1;
      return { kind, pipeline: condition, body: body.nodes, otherwise: alternative(kind, body, depth) };
    });

  const alternative = (
    kind: string,
    body: { end: End; tail: Tokens | null },
    depth: number,
  ): TemplateNode[] => {
    if (body.end === 'eof') throw new TemplateSyntaxError('unexpected EOF: an {{end}} is missing');
    if (body.end === 'end') return [];
    const tail = body.tail!;
    const chained = tail.peek()?.text;
    if (chained === kind && (kind === 'if' || kind === 'with')) {
      tail.take();
      return [control(kind, tail, depth + 1)];
    }
    tail.expectEnd('else');
    const otherwise = list(depth + 1);
    if (otherwise.end !== 'end') throw new TemplateSyntaxError('expected {{end}} after {{else}}');
    return otherwise.nodes;
  };

  const definition = (keyword: string, tokens: Tokens, depth: number): TemplateNode[] => {
    const name = unquote(tokens.take('string', `${keyword} name`));
    const argument = keyword === 'block' ? pipeline(tokens, 'block', 0) : null;
    if (keyword === 'define') tokens.expectEnd('define');
    const outer = scopes;
    scopes = [['$']];
    const body = list(depth + 1);
    scopes = outer;
    if (body.end !== 'end') throw new TemplateSyntaxError(`unexpected EOF: {{${keyword}}} has no {{end}}`);
    defined.set(name, body.nodes);
    return argument === null ? [] : [{ kind: 'template', name, pipeline: argument }];
  };

  const pipeline = (tokens: Tokens, context: string, depth: number): Pipeline => {
    if (depth > MAX_DEPTH) throw new TemplateSyntaxError(`parentheses nested more than ${MAX_DEPTH} deep`);
    const { variables, declares } = assignment(tokens, context);
    const commands: Command[] = [command(tokens, context, depth)];
    while (tokens.peek()?.text === '|' && tokens.peek()!.kind === 'punctuation') {
      tokens.take();
      const piped = command(tokens, context, depth);
      const first = piped.operands[0]!.kind;
      if (first !== 'function' && first !== 'variable' && first !== 'dot' && first !== 'pipeline') {
        throw new TemplateSyntaxError('non executable command in pipeline stage 2');
      }
      commands.push(piped);
    }
    if (depth === 0) tokens.expectEnd(context);
    if (declares) scopes.at(-1)!.push(...variables);
    return { variables, declares, commands };
  };

  const assignment = (tokens: Tokens, context: string) => {
    const names: string[] = [];
    const mark = tokens.position();
    while (tokens.peek()?.kind === 'variable') {
      names.push(tokens.take().text);
      if (tokens.peek()?.text !== ',' || context !== 'range') break;
      tokens.take();
    }
    const operator = tokens.peek();
    if (names.length === 0 || operator?.kind !== 'punctuation' || !/^:?=$/.test(operator.text)) {
      tokens.rewind(mark);
      return { variables: [], declares: false };
    }
    tokens.take();
    if (operator.text === '=') for (const name of names) known(name);
    return { variables: names, declares: operator.text === ':=' };
  };

  const known = (name: string) => {
    if (!scopes.some((scope) => scope.includes(name)))
      throw new TemplateSyntaxError(`undefined variable "${name}"`);
  };

  const command = (tokens: Tokens, context: string, depth: number): Command => {
    const operands: Operand[] = [];
    for (;;) {
      const token = tokens.peek();
      if (token === undefined || token.text === ')' || (token.text === '|' && token.kind === 'punctuation'))
        break;
      operands.push(operand(tokens, depth));
    }
    if (operands.length === 0) throw new TemplateSyntaxError(`missing value for ${context}`);
    return { operands };
  };

  const operand = (tokens: Tokens, depth: number): Operand => {
    const token = tokens.take();
    switch (token.kind) {
      case 'string':
        return { kind: 'string', value: unquote(token) };
      case 'char':
        return { kind: 'number', value: unquote(token).codePointAt(0) ?? 0, integer: true };
      case 'number':
        return {
          kind: 'number',
          value: Number(token.text.replaceAll('_', '')),
          integer: /^[+-]?(0[xX]|\d+$)/.test(token.text),
        };
      case 'variable':
        known(token.text);
        return { kind: 'variable', name: token.text, fields: fields(tokens) };
      case 'field':
        return { kind: 'dot', fields: [token.text.slice(1), ...fields(tokens)] };
      case 'word':
        return word(token.text);
      default:
        return punctuated(token, tokens, depth);
    }
  };

  const word = (text: string): Operand => {
    if (text === 'true' || text === 'false') return { kind: 'boolean', value: text === 'true' };
    if (text === 'nil') return { kind: 'nil' };
    if (!isFunction(text)) throw new TemplateSyntaxError(`function "${text}" not defined`);
    return { kind: 'function', name: text };
  };

  const punctuated = (token: Token, tokens: Tokens, depth: number): Operand => {
    if (token.text === '.') return { kind: 'dot', fields: [] };
    if (token.text !== '(') throw new TemplateSyntaxError(`unexpected "${token.text}" in operand`);
    const inner = pipeline(tokens, 'parenthesized pipeline', depth + 1);
    if (tokens.peek()?.text !== ')') throw new TemplateSyntaxError('unclosed left paren');
    tokens.take();
    return { kind: 'pipeline', pipeline: inner, fields: fields(tokens) };
  };

  const fields = (tokens: Tokens): string[] => {
    const names: string[] = [];
    while (tokens.peek()?.kind === 'field' && !tokens.peek()!.spaced) names.push(tokens.take().text.slice(1));
    return names;
  };

  return {
    template(): Template {
      const top = list(0);
      if (top.end !== 'eof') throw new TemplateSyntaxError(`unexpected {{${top.end}}}`);
      return { nodes: top.nodes, defined };
    },
  };
}

interface Tokens {
  peek(): Token | undefined;
  take(kind?: Token['kind'], what?: string): Token;
  expectEnd(context: string): void;
  position(): number;
  rewind(to: number): void;
}

function createTokens(tokens: readonly Token[]): Tokens {
  let at = 0;
  return {
    peek: () => tokens[at],
    take(kind, what) {
      const token = tokens[at];
      if (token === undefined || (kind !== undefined && token.kind !== kind)) {
        throw new TemplateSyntaxError(`missing ${what ?? 'value'} in an action`);
      }
      at += 1;
      return token;
    },
    expectEnd(context) {
      const token = tokens[at];
      if (token !== undefined) throw new TemplateSyntaxError(`unexpected "${token.text}" in ${context}`);
    },
    position: () => at,
    rewind(to) {
      at = to;
    },
  };
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

function unquote(token: Token): string {
  if (token.text.startsWith('`')) return token.text.slice(1, -1);
  return token.text
    .slice(1, -1)
    .replace(
      /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))/g,
      (whole, ...groups) => {
        const [x, u, U, octal, single] = groups as (string | undefined)[];
        const hex = x ?? u ?? U;
        if (hex !== undefined) return codePoint(Number.parseInt(hex, 16), whole);
        if (octal !== undefined) return codePoint(Number.parseInt(octal, 8), whole);
        const plain = ESCAPES[single!];
        if (plain === undefined) throw new TemplateSyntaxError(`unknown escape ${whole}`);
        return plain;
      },
    );
}

function codePoint(code: number, whole: string): string {
  if (code > 0x10ffff) throw new TemplateSyntaxError(`unknown escape ${whole}`);
  return String.fromCodePoint(code);
}
