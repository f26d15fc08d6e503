import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createEngine } from '../src/collector/promql/engine.ts';
import { createStore } from '../src/collector/tsdb/store.ts';
import { encodeLabels, toLabels } from '../src/model/labels.ts';
import { systemClock } from '../src/util/clock.ts';
import { temporaryFolder } from './parts/clean-up.ts';
import { type Engine, fillStore, startPrometheus } from './parts/engines.ts';
import { ask, median, percentile, printTable } from './parts/measure.ts';
import { type BenchSeries, counter, random, spanUntil, times } from './parts/series.ts';

/**
 * Seven burn-rate windows to 30 days, evaluated tick after tick as rules are, beside Prometheus, which is asked the same
 * once. `--series` halves into requests and errors of 100 pods each SLO; `--days`, `--step` seconds between samples.
 */
const { values } = parseArgs({
  options: {
    series: { type: 'string', default: '500' },
    days: { type: 'string', default: '30' },
    step: { type: 'string', default: '60' },
    ticks: { type: 'string', default: '120' },
    alone: { type: 'boolean', default: false },
  },
});
const [count, days, stepMs, ticks] = [
  Number(values.series),
  Number(values.days),
  Number(values.step) * 1000,
  Number(values.ticks),
];
const DAY_MS = 86_400_000;
const TICK_MS = 60_000;
const WINDOWS = ['5m', '30m', '1h', '2h', '6h', '1d', `${days}d`];
const burn = (window: string) =>
  `sum by (slo) (rate(slo_errors_total[${window}])) / sum by (slo) (rate(slo_requests_total[${window}]))`;

/** Made one by one as they are asked for: all at once would not fit. */
const span = spanUntil(Date.now() - ticks * TICK_MS, days * DAY_MS, stepMs);
const tickSamples = (ticks * TICK_MS) / stepMs;

function seriesAt(i: number): BenchSeries {
  const next = random(i + 1);
  const whole = { ...span, samples: span.samples + tickSamples };
  return {
    labels: toLabels({
      __name__: i % 2 === 0 ? 'slo_requests_total' : 'slo_errors_total',
      slo: `slo-${Math.floor(i / 200)}`,
      namespace: 'shop',
      pod: `checkout-${i >> 1}`,
    }),
    t: times(whole, next),
    v: counter(whole.samples, i % 2 === 0 ? 500 : 2, next),
  };
}

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const endMs = span.startMs + span.samples * span.stepMs;

async function ours(path: string, all: readonly BenchSeries[]): Promise<readonly string[]> {
  const retention = { timeMs: 60 * DAY_MS, bytes: 2 ** 40 };
  const store = createStore({ path, clock: systemClock, retention });
  const engine = createEngine({ querier: () => store.querier(), clock: systemClock });
  const cost: number[] = [];
  for (let tick = 1; tick <= ticks; tick += 1) {
    const atMs = endMs + tick * TICK_MS;
    const appender = store.appender();
    for (const { labels, t, v } of all) {
      const ref = appender.reference(encodeLabels(labels));
      const from = span.samples + ((tick - 1) * TICK_MS) / stepMs;
      for (let i = from; i < from + TICK_MS / stepMs; i += 1) appender.append(ref, t[i]!, v[i]!);
    }
    await appender.commit();
    if (tick % 5 === 0) await store.maintain();
    const before = cpuMs();
    for (const window of WINDOWS) await engine.query(burn(window), atMs);
    cost.push(cpuMs() - before);
  }
  await store.close();
  const settled = cost.slice(5);
  return [
    'podvitals',
    median(settled).toFixed(1),
    percentile(settled, 0.99).toFixed(1),
    `first two ${cost
      .slice(0, 2)
      .map((ms) => ms.toFixed(0))
      .join(', ')}`,
  ];
}

async function prometheus(engine: Engine): Promise<readonly string[]> {
  const once = async () => {
    const before = engine.cpuSeconds();
    for (const window of WINDOWS) {
      const parameters = { query: burn(window), time: String(endMs / 1000) };
      await ask(engine, { name: window, path: '/api/v1/query', parameters });
    }
    return (engine.cpuSeconds() - before) * 1000;
  };
  const cost = [await once(), await once(), await once()];
  return ['prometheus', median(cost).toFixed(1), '', ''];
}

const folder = temporaryFolder();
try {
  const all = Array.from({ length: count }, (_, i) => seriesAt(i));
  const loaded = all.map(({ labels, t, v }) => ({
    labels,
    t: t.subarray(0, span.samples),
    v: v.subarray(0, span.samples),
  }));
  const path = join(folder.path, 'collector.db');
  await fillStore(loaded, path);
  const rows = [await ours(path, all)];
  if (!values.alone) {
    const engine = await startPrometheus(loaded, join(folder.path, 'prometheus'));
    try {
      rows.push(await prometheus(engine));
    } finally {
      await engine.stop();
    }
  }
  console.log(`\n${count} series, ${days} d at ${stepMs / 1000} s: CPU ms for all seven windows\n`);
  printTable(['engine', 'a tick, median', 'p99', ''], rows);
} finally {
  folder.remove();
}
