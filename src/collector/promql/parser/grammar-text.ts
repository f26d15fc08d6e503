import { type Token, tokenize } from './token.ts';

/**
 * `text` as the grammar can read it, every position unchanged: what a word means is read from the original. Prometheus
 * takes `2.` and `1.e3` for numbers, where the grammar wants a digit behind the point, and `0X1F`; it has `min_of` and `max_of` as
 * functions outside of durations too; and it lets a metric be called `offset`.
 */
export function toGrammarText(text: string): string {
  if (!/\d\.(?!\d)|0X|m(?:in|ax)_of|offset/i.test(text)) return text;
  const { tokens } = tokenize(text);
  let out = text;
  let brackets = 0;
  tokens.forEach((token, i) => {
    if (token.text === '[') brackets += 1;
    if (token.text === ']') brackets -= 1;
    const spelt = brackets > 0 ? spellNumber(token) : spell(token, tokens[i - 1], tokens[i + 1]);
    if (spelt !== token.text) out = out.slice(0, token.from) + spelt + out.slice(token.from + spelt.length);
  });
  return out;
}

function spell(token: Token, before: Token | undefined, next: Token | undefined): string {
  const word = token.text.toLowerCase();
  if (word === 'offset' && startsOperand(before)) return 'metric';
  const isDuration = before?.text.toLowerCase() === 'offset';
  if ((word === 'min_of' || word === 'max_of') && next?.text === '(' && !isDuration) return 'minute';
  return spellNumber(token);
}

/** Whether an operand must come after `before`. */
function startsOperand(before: Token | undefined): boolean {
  return before === undefined || before.kind === 'operator' || /^(?:[(,]|bool)$/i.test(before.text);
}

const spellNumber = ({ kind, text }: Token): string =>
  kind === 'number' ? text.replace(/\.(?!\d)/, '0').replace(/^0X/, '0x') : text;
