import { type Token, tokenize } from './token.ts';

/**
 * `text` as the grammar can read it, every position unchanged. Prometheus takes `2.` and `1.e3` for numbers, where
 * the grammar wants a digit behind the point, and has `min_of` and `max_of` as functions outside of durations too.
 */
export function toGrammarText(text: string): string {
  if (!/\d\.(?!\d)|m(?:in|ax)_of/i.test(text)) return text;
  const { tokens } = tokenize(text);
  let out = text;
  let brackets = 0;
  tokens.forEach((token, i) => {
    if (token.text === '[') brackets += 1;
    if (token.text === ']') brackets -= 1;
    const isDuration = brackets > 0 || tokens[i - 1]?.text.toLowerCase() === 'offset';
    const spelt = grammarSpelling(token, tokens[i + 1], isDuration);
    if (spelt !== token.text) out = out.slice(0, token.from) + spelt + out.slice(token.from + spelt.length);
  });
  return out;
}

/** Another spelling of the same length; what it means is read from the original text. */
function grammarSpelling({ kind, text }: Token, next: Token | undefined, isDuration: boolean): string {
  if (kind === 'number') return text.replace(/\.(?!\d)/, '0');
  const isCall = next?.text === '(' && !isDuration;
  return isCall && /^(?:min_of|max_of)$/i.test(text) ? 'minute' : text;
}
