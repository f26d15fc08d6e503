import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createStore } from '../src/collector/tsdb/store.ts';
import { encodeLabels } from '../src/model/labels.ts';
import { createFakeClock } from '../src/util/clock.ts';
import { findPart } from '../test/support/parts.ts';
import { agentHour } from './parts/agent-hour.ts';
import { temporaryFolder } from './parts/clean-up.ts';
import { startPrometheus, startVictoriaMetrics } from './parts/engines.ts';
import { printTable } from './parts/measure.ts';
import type { BenchSeries } from './parts/series.ts';

/**
 * Bytes on disk for a sample, of a recorded hour of our own agent, once each engine has done all it does to make them few:
 * chunks written and nothing left in a log. What there is for labels and indices is in it; caches are not.
 */
const { values } = parseArgs({ options: { hours: { type: 'string', default: '1,24' } } });
const HOUR_MS = 3_600_000;
const SAMPLES_A_COMMIT = 4;

const sizeOf = (path: string): number =>
  statSync(path).isDirectory()
    ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0)
    : statSync(path).size;

/** Taken in as it came, with maintenance every minute as in production, then left alone for some hours. */
async function podvitalsBytes(all: readonly BenchSeries[], folder: string): Promise<number> {
  const startMs = Math.min(...all.map(({ t }) => t[0]!));
  const endMs = Math.max(...all.map(({ t }) => t.at(-1)!));
  const clock = createFakeClock(startMs);
  const path = join(folder, 'collector.db');
  const store = createStore({ path, clock, retention: { timeMs: 60 * 24 * HOUR_MS, bytes: 2 ** 40 } });
  const keys = all.map(({ labels }) => encodeLabels(labels));
  const next = new Int32Array(all.length);
  for (let now = startMs; now <= endMs; now += 15_000 * SAMPLES_A_COMMIT) {
    const appender = store.appender();
    all.forEach(({ t, v }, i) => {
      let at = next[i]!;
      if (at >= t.length || t[at]! > now) return;
      const ref = appender.reference(keys[i]!);
      for (; at < t.length && t[at]! <= now; at += 1) appender.append(ref, t[at]!, v[at]!);
      next[i] = at;
    });
    await clock.advance(15_000 * SAMPLES_A_COMMIT);
    const { rejected } = await appender.commit();
    if (rejected > 0) throw new Error(`the store refused ${rejected} samples`);
    await store.maintain();
  }
  // All of these are silent once others have later samples.
  await clock.advance(3 * HOUR_MS);
  const appender = store.appender();
  appender.append(appender.reference(encodeLabels([['__name__', 'up']])), clock.now(), 1);
  await appender.commit();
  for (let i = 0; i < 4; i += 1) await store.maintain();
  const { storedBytes } = store.stats();
  await store.close();
  return storedBytes;
}

async function prometheusBytes(all: readonly BenchSeries[], folder: string): Promise<number> {
  await (await startPrometheus(all, folder)).stop();
  const data = join(folder, 'data');
  const blocks = readdirSync(data).filter((name) => /^[0-9A-Z]{26}$/.test(name));
  return blocks.reduce((sum, name) => sum + sizeOf(join(data, name)), 0);
}

async function victoriaMetricsBytes(all: readonly BenchSeries[], folder: string): Promise<number> {
  await (await startVictoriaMetrics(all, folder)).stop();
  const data = join(folder, 'data');
  // Older versions keep the index apart.
  const kept = readdirSync(data).filter((name) => name === 'data' || name === 'indexdb');
  return kept.reduce((sum, name) => sum + sizeOf(join(data, name)), 0);
}

const rows: string[][] = [];
for (const hours of values.hours.split(',').map(Number)) {
  const all = agentHour(Math.floor(Date.now() / HOUR_MS) * HOUR_MS, hours);
  const samples = all.reduce((sum, { t }) => sum + t.length, 0);
  const engines = [
    ['podvitals', podvitalsBytes, true],
    ['prometheus', prometheusBytes, findPart('prometheus') && findPart('promtool')],
    ['victoria-metrics', victoriaMetricsBytes, findPart('victoria-metrics')],
  ] as const;
  for (const [name, bytesOf, isThere] of engines) {
    if (!isThere) {
      console.log(`${name} is not installed: left out`);
      continue;
    }
    const folder = temporaryFolder();
    try {
      const bytes = await bytesOf(all, folder.path);
      const megabytes = (bytes / 1e6).toFixed(2);
      rows.push([
        String(hours),
        String(all.length),
        String(samples),
        name,
        megabytes,
        (bytes / samples).toFixed(2),
      ]);
    } finally {
      folder.remove();
    }
  }
}
printTable(['hours', 'series', 'samples', 'engine', 'MB', 'bytes a sample'], rows);
