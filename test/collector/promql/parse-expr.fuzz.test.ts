import { expect, it } from 'vitest';
import { parseExpr } from '../../../src/collector/promql/parse-expr.ts';
import { prettyExpr, printExpr } from '../../../src/collector/promql/print-expr.ts';
import { isCodedError } from '../../../src/util/coded-error.ts';
import { createRandom, freshSeed, type Random } from '../../support/random.ts';
import { randomVector } from '../../support/random-promql.ts';

const WORDS = (
  'a up sum avg topk count_values rate abs label_replace offset by without on ignoring group_left group_right bool and ' +
  'or unless atan2 start end step range min_of inf nan anchored smoothed fill 1 0x1f 1. .5 1e3 1_0 5m 1h30m 10y "s" ' +
  '\'t\' `u` "\\x "\\xff" ( ) [ ] { } , : @ = != =~ !~ == < <= > >= </ >/ + - * / % ^ # \n é ∑ \u0000 \ud800'
).split(' ');

function soup(random: Random): string {
  const length = random.integer(0, 25);
  return Array.from({ length }, () => random.pick(WORDS)).join(random.pick(['', ' ']));
}

/** A valid expression with a few characters changed. */
function mutation(random: Random): string {
  const chars = [...randomVector(random, 3)];
  for (let i = random.integer(1, 3); i > 0; i -= 1) {
    chars.splice(random.integer(0, chars.length), random.integer(0, 2), random.pick(WORDS));
  }
  return chars.join('');
}

const seed = freshSeed();

it(`any text is an expression or a mistake with a place, and what is read prints and reads again, seed ${seed}`, () => {
  const random = createRandom(seed);
  let read = 0;
  for (let i = 0; i < 5000; i += 1) {
    const text = random.pick([soup, mutation, (r: Random) => randomVector(r, 3)])(random);
    let printed: string;
    try {
      printed = printExpr(parseExpr(text, { experimental: true }));
      read += 1;
    } catch (error) {
      if (!isCodedError(error)) throw new Error(`seed ${seed}: ${JSON.stringify(text)}`, { cause: error });
      expect(error.code).toBe('QUERY_PARSE');
      expect(error.message).toMatch(/^(?:\d+:\d+|unknown position): parse error: ./);
      continue;
    }
    // Prometheus prints infinity with a sign, which then binds less than the power.
    if (printed.includes('+Inf ^')) continue;
    const again = parseExpr(printed, { experimental: true });
    expect(printExpr(again), `seed ${seed}: ${JSON.stringify(text)}`).toBe(printed);
    expect(printExpr(parseExpr(prettyExpr(again), { experimental: true }))).toBe(printed);
  }
  expect(read).toBeGreaterThan(1000);
});
