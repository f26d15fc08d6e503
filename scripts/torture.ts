import { parseArgs } from 'node:util';
import { freshSeed } from '../test/support/random.ts';
import { tortureStore } from '../test/support/torture/store-torture.ts';

/**
 * `kill -9` at random moments, then a start on the same data, again and again. `store` (when left out): a collector
 * under load by all its doors; nothing it acknowledged may be lost or doubled, and every start must succeed. Ends with
 * `N passed, M failed`, rounds; a failure names the seed and keeps the data. Exit 1 when any fails, 2 for usage.
 */
const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string' }, seed: { type: 'string' } },
  allowPositionals: true,
});
const [what = 'store'] = positionals;
const rounds = Number(values.rounds ?? 1_000);
const seed = values.seed === undefined ? freshSeed() : Number(values.seed);
if (what !== 'store' || !Number.isSafeInteger(rounds) || rounds < 1 || !Number.isSafeInteger(seed)) {
  console.error('usage: npm run torture [-- store] [--rounds N] [--seed N]');
  process.exit(2);
}

console.log(`${what}: ${rounds} rounds, seed ${seed}`);
const began = performance.now();
const outcome = await tortureStore({ rounds, seed, say: (line) => console.log(line) });
const seconds = ((performance.now() - began) / 1000).toFixed(0);
console.log(
  `${outcome.kills} kills (${outcome.killsWhileStarting} during a start) in ${seconds} s; acknowledged: ${outcome.samples} samples, ${outcome.events} events, ${outcome.lives} lives; seen: ${outcome.seen} scraped and recorded; median start ${outcome.medianStartMs.toFixed(0)} ms`,
);
for (const line of outcome.violations) console.log(`  ${line}`);
if (outcome.dataDir !== undefined) console.log(`the data is kept in ${outcome.dataDir}`);
console.log(`seed ${seed}`);
const failed = outcome.violations.length > 0 ? 1 : 0;
console.log(`${outcome.rounds - failed} passed, ${failed} failed`);
process.exitCode = failed;
