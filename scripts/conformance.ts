import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { createEngine } from '../src/collector/promql/engine.ts';
import { systemClock } from '../src/util/clock.ts';
import { type Case, runPromqlTest } from '../test/support/promqltest/promqltest.ts';
import { createSampleStore } from '../test/support/sample-store.ts';

/**
 * Runs every `.test` file of a folder in the notation of promqltest over our engine, and ends with
 * `N passed, N failed`. `--tier 1` leaves out native histograms and what Prometheus calls experimental; `--json FILE`
 * writes every case. Exit 1 when any fails, 2 when there is nothing to run.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { tier: { type: 'string' }, json: { type: 'string' }, quiet: { type: 'boolean' } },
});
const folder = positionals[0];
if (folder === undefined || (values.tier !== undefined && values.tier !== '1')) {
  console.error('usage: npm run conformance -- FOLDER [--tier 1] [--json FILE] [--quiet]');
  process.exit(2);
}

/** Files about features that are behind a flag in Prometheus. */
const EXPERIMENTAL = new Set([
  'duration_expression',
  'extended_vectors',
  'fill-modifier',
  'info',
  'limit',
  'name_label_dropping',
  'native_histograms',
  'start_timestamps',
]);

const files = readdirSync(folder)
  .filter((file) => file.endsWith('.test'))
  .sort();
if (files.length === 0) {
  console.error(`no .test file in ${folder}`);
  process.exit(2);
}

const all: (Case & { readonly file: string })[] = [];
for (const file of files) {
  const store = createSampleStore();
  // What the expectations of the suite assume.
  const engine = createEngine({
    querier: () => store.querier,
    clock: systemClock,
    limits: { maxSamples: 10_000 },
    delayedNameRemoval: true,
    experimental: true,
  });
  const experimental = EXPERIMENTAL.has(basename(file, '.test'));
  const wants = (_: unknown, native: boolean) => values.tier === undefined || !(experimental || native);
  const cases = await runPromqlTest(readFileSync(join(folder, file), 'utf8'), engine, store, { wants });
  const ran = cases.filter(({ complaint }) => complaint !== null);
  for (const { line, complaint } of ran) {
    if (complaint !== undefined && !values.quiet) console.log(`${file}:${line}: ${complaint}`);
  }
  if (ran.length > 0) console.log(`${file}: ${count(ran, true)} passed, ${count(ran, false)} failed`);
  all.push(...ran.map((one) => ({ file, ...one })));
}

if (values.json !== undefined) {
  const cases = all.map(({ complaint, ...one }) => ({ ...one, passed: complaint === undefined, complaint }));
  writeFileSync(
    values.json,
    `${JSON.stringify({ passed: count(all, true), failed: count(all, false), cases }, null, 2)}\n`,
  );
}
console.log(`${count(all, true)} passed, ${count(all, false)} failed`);
process.exitCode = count(all, false) === 0 ? 0 : 1;

function count(cases: readonly Case[], passed: boolean): number {
  return cases.filter(({ complaint }) => (complaint === undefined) === passed).length;
}
