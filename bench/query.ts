import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { temporaryFolder } from './parts/clean-up.ts';
import { type Engine, startEngines } from './parts/engines.ts';
import {
  type Measured,
  measure,
  printRow,
  printTable,
  type Question,
  ROUNDS,
  WARM_UP_MS,
} from './parts/measure.ts';
import { type BenchSeries, busyCounters, spanUntil } from './parts/series.ts';
import { panelQueries, shopSeries } from './parts/shop.ts';

/**
 * Range queries over HTTP, side by side: 24 hours at 60 s of `sum by (ns) (rate(x_total[5m]))` over 1,000 series at
 * 15 s, and every expression of our dashboards over 180 pods. `--only heavy|panels` leaves the other out, `--match REGEXP`
 * all other expressions of dashboards, `--rounds 1` is quicker and less exact, `--warm-up 0` asks only three times before. Rows are printed as they are measured.
 */
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string' },
    match: { type: 'string' },
    'warm-up': { type: 'string' },
  },
});
const warmUpMs = Number(values['warm-up'] ?? WARM_UP_MS);
/** The first question also has all compiled that others have in common with it. */
const roundsOf = (isFirst: boolean) => ({
  rounds: Number(values.rounds ?? ROUNDS),
  warmUpMs: isFirst ? 4 * warmUpMs : warmUpMs,
});
const HOUR_MS = 3_600_000;

async function withEngines(
  series: readonly BenchSeries[],
  run: (engines: readonly Engine[]) => Promise<void>,
) {
  const folder = temporaryFolder();
  let engines: readonly Engine[] = [];
  try {
    engines = await startEngines(series, folder.path);
    await run(engines);
  } finally {
    for (const engine of engines) await engine.stop();
    folder.remove();
  }
}

const seconds = (ms: number) => String(ms / 1000);
const HEAD = [
  'query',
  'series',
  'podvitals ms',
  'prometheus ms',
  'victoria-metrics ms',
  '/ prometheus',
  '/ victoria-metrics',
];

function row(name: string, measured: Map<string, Measured>): string[] {
  const [ours, prometheus, victoria] = ['podvitals', 'prometheus', 'victoria-metrics'].map((key) =>
    measured.get(key),
  );
  const cpu = (one: Measured | undefined) =>
    one === undefined ? '' : `${one.cpuMs.toFixed(1)} (${one.wallMs.toFixed(1)})`;
  const ratio = (other: Measured | undefined) =>
    other === undefined || ours === undefined ? '' : (ours.cpuMs / other.cpuMs).toFixed(2);
  return [
    name,
    [ours, prometheus, victoria].map((one) => one?.series ?? '').join('/'),
    cpu(ours),
    cpu(prometheus),
    cpu(victoria),
    ratio(prometheus),
    ratio(victoria),
  ];
}

async function heavy(): Promise<void> {
  const span = spanUntil(Date.now(), 24 * HOUR_MS + 10 * 60_000, 15_000);
  const endMs = span.startMs + span.samples * span.stepMs;
  const range = { start: seconds(endMs - 24 * HOUR_MS), end: seconds(endMs), step: '60' };
  const questions: Question[] = [
    'sum by (ns) (rate(x_total[5m]))',
    'sum by (ns) (rate(x_total[1h]))',
    'sum by (ns) (avg_over_time(x_total[1h]))',
    'sum by (ns) (max_over_time(x_total[1h]))',
    'sum by (ns) (x_total)',
  ].map((query) => ({ name: query, path: '/api/v1/query_range', parameters: { query, ...range } }));
  questions.push({
    name: 'instant sum by (ns) (rate(x_total[5m]))',
    path: '/api/v1/query',
    parameters: { query: 'sum by (ns) (rate(x_total[5m]))', time: seconds(endMs) },
  });
  await withEngines(busyCounters(span, 1000), async (engines) => {
    console.log('\nCPU ms a query (wall ms), 1,000 series, 24 h at 60 s over samples at 15 s\n');
    printTable(HEAD, []);
    for (const question of questions) {
      const isFirst = question === questions[0];
      printRow(row(question.name, await measure(engines, question, roundsOf(isFirst))));
    }
  });
}

async function panels(): Promise<void> {
  const wanted = new RegExp(values.match ?? '');
  const queries = panelQueries(join(import.meta.dirname, '..', 'dashboards')).filter(({ expr }) =>
    wanted.test(expr),
  );
  const span = spanUntil(Date.now(), 6 * HOUR_MS, 15_000);
  const endMs = span.startMs + span.samples * span.stepMs;
  await withEngines(shopSeries(queries, span), async (engines) => {
    console.log('\nCPU ms a query (wall ms), dashboards over 180 pods, 6 h at 15 s over samples at 15 s\n');
    printTable(HEAD, []);
    const total = new Map<string, { cpuMs: number; wallMs: number; bytes: number; series: number }>();
    for (const query of queries) {
      const { dashboard, expr, instant } = query;
      const parameters = instant
        ? { query: expr, time: seconds(endMs) }
        : { query: expr, start: seconds(endMs - 6 * HOUR_MS), end: seconds(endMs), step: '15' };
      const path = instant ? '/api/v1/query' : '/api/v1/query_range';
      const measured = await measure(
        engines,
        { name: expr, path, parameters },
        roundsOf(query === queries[0]),
      );
      for (const [name, { cpuMs, wallMs }] of measured) {
        const sum = total.get(name) ?? { cpuMs: 0, wallMs: 0, bytes: 0, series: queries.length };
        total.set(name, { ...sum, cpuMs: sum.cpuMs + cpuMs, wallMs: sum.wallMs + wallMs });
      }
      const short = expr
        .replaceAll(/,?\w+=~"\.\*"/g, '')
        .replaceAll('{}', '')
        .replaceAll('{,', '{');
      printRow(row(`${dashboard}${instant ? ' now' : ''}: \`${short}\``, measured));
    }
    printRow(row('all', total));
  });
}

if (values.only !== 'panels') await heavy();
if (values.only !== 'heavy') await panels();
