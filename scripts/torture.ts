import { parseArgs } from 'node:util';
import { freshSeed } from '../test/support/random.ts';
import { tortureRuntime } from '../test/support/torture/runtime-torture.ts';
import { tortureStore } from '../test/support/torture/store-torture.ts';

/**
 * `kill -9` at random moments, then a start on the same data, again and again. `store` (when left out, 1,000 rounds): a
 * collector under load by all its doors; nothing it acknowledged may be lost or doubled, and every start must succeed.
 * `runtime` (200 rounds; needs root): an agent at any point of its pods' lives; each must go on as it was. Ends with
 * `N passed, M failed`, rounds; a failure names the seed, and keeps the store's data. Exit 1 when any fails, 2 for usage.
 */
const ROUNDS: Readonly<Record<string, number>> = { store: 1_000, runtime: 200 };
const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string' }, seed: { type: 'string' } },
  allowPositionals: true,
});
const [what = 'store'] = positionals;
const rounds = Number(values.rounds ?? ROUNDS[what]);
const seed = values.seed === undefined ? freshSeed() : Number(values.seed);
if (
  !Object.hasOwn(ROUNDS, what) ||
  !Number.isSafeInteger(rounds) ||
  rounds < 1 ||
  !Number.isSafeInteger(seed)
) {
  console.error('usage: npm run torture [-- store|runtime] [--rounds N] [--seed N]');
  process.exit(2);
}

const say = (line: string) => console.log(line);
say(`${what}: ${rounds} rounds, seed ${seed}`);
const began = performance.now();
const seconds = () => ((performance.now() - began) / 1000).toFixed(0);

async function store(): Promise<{ readonly passed: number; readonly failed: number }> {
  const outcome = await tortureStore({ rounds, seed, say });
  say(
    `${outcome.kills} kills (${outcome.killsWhileStarting} during a start) in ${seconds()} s; acknowledged: ${outcome.samples} samples, ${outcome.events} events, ${outcome.lives} lives; seen: ${outcome.seen} scraped and recorded; median start ${outcome.medianStartMs.toFixed(0)} ms`,
  );
  for (const line of outcome.violations) say(`  ${line}`);
  if (outcome.dataDir !== undefined) say(`the data is kept in ${outcome.dataDir}`);
  const failed = outcome.violations.length > 0 ? 1 : 0;
  return { passed: outcome.rounds - failed, failed };
}

async function runtime(): Promise<{ readonly passed: number; readonly failed: number }> {
  try {
    const { kills, actions, underWay, restarts } = await tortureRuntime({ rounds, seed, say });
    const times = (counts: Readonly<Record<string, number>>) =>
      Object.entries(counts)
        .map(([what, count]) => `${what} ${count}`)
        .join(', ');
    say(`${kills} kills in ${seconds()} s (${times(actions)}), ${restarts} restarts of the crasher`);
    say(`under way at a kill: ${times(underWay)}`);
    return { passed: kills, failed: 0 };
  } catch (error) {
    say(`  ${(error as Error).message}`);
    return { passed: 0, failed: 1 };
  }
}

const { passed, failed } = await (what === 'store' ? store() : runtime());
say(`seed ${seed}`);
say(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
