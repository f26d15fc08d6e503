import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createEngine } from '../src/collector/promql/engine.ts';
import { createStore } from '../src/collector/tsdb/store.ts';
import { encodeLabels, toLabels } from '../src/model/labels.ts';
import { systemClock } from '../src/util/clock.ts';
import { roundsDuring } from '../test/support/rounds.ts';
import { temporaryFolder } from './parts/clean-up.ts';
import { type Engine, fillStore, startPrometheus } from './parts/engines.ts';
import { ask, median, percentile, printRow, printTable } from './parts/measure.ts';
import { type BenchSeries, counter, random, spanUntil, times } from './parts/series.ts';

/**
 * Seven burn-rate windows to 30 days, evaluated tick after tick as rules are, beside Prometheus, which is asked the same
 * three times. `--series` halves into requests and errors of 100 pods each SLO; `--days`, `--step` seconds between
 * samples. A turn is the CPU time of a round of the event loop: what others wait for while a tick is worked out.
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
const counts = values.series.split(',').map(Number);
const [days, stepMs, ticks] = [Number(values.days), Number(values.step) * 1000, Number(values.ticks)];
const DAY_MS = 86_400_000;
const TICK_MS = 60_000;
// Prometheus' own for retentions this long.
const LONGEST_BLOCK = '744h';
const WINDOWS = ['5m', '30m', '1h', '2h', '6h', '1d', `${days}d`];
const burn = (window: string) =>
  `sum by (slo) (rate(slo_errors_total[${window}])) / sum by (slo) (rate(slo_requests_total[${window}]))`;

/** Made one by one as they are asked for: all at once would not fit. */
const span = spanUntil(Date.now() - ticks * TICK_MS, days * DAY_MS, stepMs);
const tickSamples = Math.ceil((ticks * TICK_MS) / stepMs);

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
  const keys = all.map(({ labels }) => encodeLabels(labels));
  const cost: number[] = [];
  const turns: number[] = [];
  let next = span.samples;
  for (let tick = 1; tick <= ticks; tick += 1) {
    const atMs = endMs + tick * TICK_MS;
    const appender = store.appender();
    const end = span.samples + Math.floor((tick * TICK_MS) / stepMs);
    for (let s = 0; s < all.length; s += 1) {
      const { t, v } = all[s]!;
      const ref = appender.reference(keys[s]!);
      for (let i = next; i < end; i += 1) appender.append(ref, t[i]!, v[i]!);
    }
    next = end;
    await appender.commit();
    if (tick % 5 === 0) await store.maintain();
    const before = cpuMs();
    const { roundsMs } = await roundsDuring(async () => {
      for (const window of WINDOWS) await engine.query(burn(window), atMs);
    });
    cost.push(cpuMs() - before);
    turns.push(Math.max(...roundsMs));
  }
  await store.close();
  const settled = cost.slice(5);
  const ms = (value: number) => value.toFixed(1);
  return [
    'podvitals',
    ms(median(settled)),
    ms(settled.reduce((sum, one) => sum + one, 0) / settled.length),
    ms(percentile(settled, 0.99)),
    `${ms(cost[0]!)}, ${ms(cost[1]!)}`,
    ms(Math.max(...turns)),
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
  return ['prometheus', median(cost).toFixed(1), '', '', '', ''];
}

async function beside(count: number): Promise<(readonly string[])[]> {
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
    const rows = [[String(count), ...(await ours(path, all))]];
    if (values.alone) return rows;
    const engine = await startPrometheus(loaded, join(folder.path, 'prometheus'), LONGEST_BLOCK);
    try {
      rows.push([String(count), ...(await prometheus(engine))]);
    } finally {
      await engine.stop();
    }
    return rows;
  } finally {
    folder.remove();
  }
}

console.log(`\n${days} d at ${stepMs / 1000} s, ${ticks} ticks: CPU ms for all seven windows\n`);
printTable(['series', 'engine', 'a tick, median', 'mean', 'p99', 'first two', 'longest turn'], []);
for (const count of counts) for (const row of await beside(count)) printRow(row);
