import { parseArgs } from 'node:util';
import { runTarget } from '../test/support/fuzz/run-target.ts';
import { TARGETS } from '../test/support/fuzz/targets.ts';
import { freshSeed } from '../test/support/random.ts';

/**
 * Feeds every parser and decoder with random inputs and mutations of real ones: none may crash, hang, or take memory
 * without bound. Prints a line a target and ends `N passed, N failed`; a failure says how to repeat it. Exit 1 when
 * any fails, 2 when there is nothing to run.
 */
const { values } = parseArgs({
  options: { inputs: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } },
});
const inputs = Number(values.inputs ?? 1_000_000);
const seed = values.seed === undefined ? freshSeed() : Number(values.seed);
const targets = TARGETS.filter(
  ({ name }) => values.only === undefined || values.only.split(',').includes(name),
);
if (targets.length === 0 || !Number.isSafeInteger(inputs) || inputs < 1 || !Number.isSafeInteger(seed)) {
  console.error('usage: npm run fuzz -- [--inputs N] [--seed N] [--only TARGET,…]');
  console.error(`targets: ${TARGETS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const shares = targets.reduce((sum, { share }) => sum + share, 0);
let passed = 0;
let failed = 0;
for (const target of targets) {
  const count = Math.ceil((inputs * target.share) / shares);
  const started = performance.now();
  const outcome = await runTarget(target, seed, count);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${target.name}: ${outcome.passed} passed, ${outcome.failed} failed, ${seconds} s`);
  if (outcome.first !== undefined) {
    const { index, why, input } = outcome.first;
    const shown = typeof input === 'string' ? JSON.stringify(input) : Buffer.from(input).toString('hex');
    console.log(`  input ${index} of seed ${seed}: ${why.replaceAll('\n', '\n  ')}`);
    console.log(`  smallest: ${shown.slice(0, 4000)}`);
    console.log(`  repeat: npm run fuzz -- --seed ${seed} --only ${target.name} --inputs ${count}`);
  }
  passed += outcome.passed;
  failed += outcome.failed;
}
console.log(`seed ${seed}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
