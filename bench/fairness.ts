import { temporaryFolder } from './parts/clean-up.ts';
import { type Engine, startEngines } from './parts/engines.ts';
import { ask, percentile, printTable, type Question } from './parts/measure.ts';
import { busyCounters, spanUntil } from './parts/series.ts';

/**
 * How long a tiny query waits while heavy ones run: asked every 20 ms for as long as one heavy query, then four of
 * them at once, are being answered. 3,000 series over 6 hours at 15 s; the heavy queries take seconds.
 */
const HOUR_MS = 3_600_000;
const EVERY_MS = 20;
const AT_LEAST_MS = 4_000;

const span = spanUntil(Date.now(), 6 * HOUR_MS, 15_000);
const endMs = span.startMs + span.samples * span.stepMs;
const seconds = (ms: number) => String(ms / 1000);
const range = (query: string, stepS: string): Question => ({
  name: query,
  path: '/api/v1/query_range',
  parameters: { query, start: seconds(span.startMs), end: seconds(endMs), step: stepS },
});

const tiny: Question = {
  name: 'tiny',
  path: '/api/v1/query',
  parameters: { query: 'x_total{pod="pod-7"}', time: seconds(endMs) },
};

const heavy: readonly Question[] = [
  range('sum(stddev_over_time(x_total[1h]))', '30'),
  range('x_total{ns=~"ns-1."} / on (pod) x_total{ns=~"ns-1."}', '15'),
  range('quantile by (ns) (0.9, rate(x_total[5m]))', '5'),
  { name: 'series', path: '/api/v1/series', parameters: { 'match[]': 'x_total' } },
];

async function waits(engine: Engine, questions: readonly Question[]): Promise<number[]> {
  const out: number[] = [];
  let running = true;
  const load = questions.map(async (question) => {
    const until = performance.now() + AT_LEAST_MS;
    do await ask(engine, question);
    while (performance.now() < until);
  });
  const all = Promise.all(load).finally(() => {
    running = false;
  });
  while (running) {
    const began = performance.now();
    await ask(engine, tiny);
    out.push(performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  await all;
  return out;
}

const folder = temporaryFolder();
let engines: readonly Engine[] = [];
try {
  engines = await startEngines(busyCounters(span, 3000), folder.path);
  const rows: string[][] = [];
  const cases: [string, readonly Question[]][] = [
    ['nothing else', []],
    ...heavy.map((question): [string, readonly Question[]] => [question.name, [question]]),
    ['all of these at once', heavy],
  ];
  for (const [name, questions] of cases) {
    const row = [name];
    for (const engine of engines) {
      const found = questions.length > 0 ? await waits(engine, questions) : await idle(engine);
      row.push([0.5, 0.99, 1].map((share) => percentile(found, share).toFixed(1)).join(' / '));
    }
    rows.push(row);
  }
  console.log('\nms a tiny query takes (median / p99 / longest) during\n');
  printTable(['heavy query', ...engines.map(({ name }) => name)], rows);
} finally {
  for (const engine of engines) await engine.stop();
  folder.remove();
}

async function idle(engine: Engine): Promise<number[]> {
  const out: number[] = [];
  for (let i = 0; i < 100; i += 1) {
    const began = performance.now();
    await ask(engine, tiny);
    out.push(performance.now() - began);
  }
  return out;
}
