/** Something wrong with a query, in words, and where: offsets into its text. */
export interface Mistake {
  readonly message: string;
  readonly place:
    | { readonly from: number; readonly to: number; readonly line: number; readonly column: number }
    | undefined;
}

/**
 * What an error of the API says about `expr`: `invalid parameter "query": 1:5: parse error: unexpected <op:+>` is
 * `unexpected <op:+>` from offset 4 to the end of the word there. Its columns count bytes of UTF-8.
 */
export function mistakeIn(expr: string, error: string): Mistake {
  const text = error.replace(/^invalid parameter "[^"]*": /, '');
  const [whole, line, column] = /^(\d+):(\d+): (?:parse error: )?/.exec(text) ?? [];
  if (whole === undefined)
    return { message: text.replace(/^unknown position: parse error: /, ''), place: undefined };
  const place = placeAt(expr, Number(line), Number(column));
  return { message: text.slice(whole.length), place };
}

function placeAt(expr: string, line: number, byteColumn: number): Mistake['place'] {
  const lines = expr.split('\n');
  const text = lines[line - 1];
  if (text === undefined) return undefined;
  const before = new TextDecoder().decode(new TextEncoder().encode(text).slice(0, byteColumn - 1));
  const lineStart = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  const from = Math.min(lineStart + before.length, expr.length);
  const word = /^(?:[\w:]+|[^\w\s])/u.exec(expr.slice(from))?.[0] ?? '';
  const position = { line, column: before.length + 1 };
  // Past the end there is nothing to mark but what stands before it.
  if (word === '')
    return { from: Math.max(0, expr.trimEnd().length - 1), to: expr.trimEnd().length, ...position };
  return { from, to: from + word.length, ...position };
}
