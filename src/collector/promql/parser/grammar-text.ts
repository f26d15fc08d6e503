import { tokenize } from './token.ts';

/**
 * `text` as the grammar can read it, every position unchanged: Prometheus takes `2.` and `1.e3` for numbers, the
 * grammar wants a digit behind the point.
 */
export function toGrammarText(text: string): string {
  if (!/\d\.(?!\d)/.test(text)) return text;
  let out = text;
  for (const { kind, text: word, from } of tokenize(text).tokens) {
    if (kind !== 'number') continue;
    out = out.slice(0, from) + word.replace(/\.(?!\d)/, '0') + out.slice(from + word.length);
  }
  return out;
}
