/** One piece of an action's inside. `at` is the offset in the template's text. */
export interface Token {
  readonly kind: 'word' | 'variable' | 'field' | 'number' | 'string' | 'char' | 'punctuation';
  readonly text: string;
  readonly at: number;
  /** Blanks stand before it: `$x .y` are two operands, `$x.y` is one. */
  readonly spaced: boolean;
}

/** A template cut at its delimiters: text as it is, or the tokens of one `{{ action }}`. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly at: number };

export class TemplateSyntaxError extends Error {}

const TOKEN =
  /(?<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?<char>'(?:[^'\\\n]|\\.)+')|(?<number>[+-]?(?:0[xX][0-9a-fA-F_]+|(?:\d[\d_]*)(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+))|(?<variable>\$[\p{L}\p{N}_]*)|(?<field>\.[\p{L}_][\p{L}\p{N}_]*)|(?<word>[\p{L}_][\p{L}\p{N}_]*)|(?<punctuation>:=|[|(),=.])/uy;

/**
 * Cuts a Go template into text and actions. `{{- ` and ` -}}` trim the blanks of the text beside them; comments
 * vanish. Source: https://pkg.go.dev/text/template
 */
export function cutTemplate(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  for (;;) {
    const open = text.indexOf('{{', at);
    let literal = open === -1 ? text.slice(at) : text.slice(at, open);
    if (trimNext) literal = literal.replace(/^[ \t\r\n]+/, '');
    if (open === -1) {
      if (literal !== '') pieces.push({ kind: 'text', text: literal });
      return pieces;
    }
    let start = open + 2;
    if (/^-[ \t\r\n]/.test(text.slice(start, start + 2))) {
      literal = literal.replace(/[ \t\r\n]+$/, '');
      start += 2;
    }
    if (literal !== '') pieces.push({ kind: 'text', text: literal });
    const action = readAction(text, start, open);
    if (action.tokens.length > 0 || !action.comment) {
      pieces.push({ kind: 'action', tokens: action.tokens, at: open });
    }
    at = action.end;
    trimNext = action.trim;
  }
}

function readAction(text: string, start: number, open: number) {
  const comment = /^[ \t\r\n]*\/\*[\s\S]*?\*\//.exec(text.slice(start));
  let at = comment === null ? start : start + comment[0].length;
  const tokens: Token[] = [];
  for (;;) {
    const blanks = /^[ \t\r\n]*/.exec(text.slice(at))![0].length;
    at += blanks;
    const rest = text.slice(at, at + 3);
    if (rest.startsWith('}}')) return { tokens, end: at + 2, trim: false, comment: comment !== null };
    if (rest === '-}}' && blanks > 0) return { tokens, end: at + 3, trim: true, comment: comment !== null };
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) {
      throw new TemplateSyntaxError(
        at >= text.length ? `unclosed action at ${open}` : `unexpected "${text[at]}" in an action`,
      );
    }
    const kind = Object.entries(match.groups!).find(([, value]) => value !== undefined)![0] as Token['kind'];
    tokens.push({ kind, text: match[0], at, spaced: blanks > 0 });
    at += match[0].length;
  }
}
