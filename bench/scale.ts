import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createStore } from '../src/collector/tsdb/store.ts';
import { systemClock } from '../src/util/clock.ts';
import { temporaryFolder } from './parts/clean-up.ts';
import { printTable } from './parts/measure.ts';
import { cadvisorLabels } from './parts/write-requests.ts';

/**
 * The store alone as series grow: CPU to make a series, to keep a sample of one that is known, found by the bytes of its
 * labels, and to start again with five samples of each.
 */
const { values } = parseArgs({
  options: { series: { type: 'string', default: '1000,10000,100000' } },
});
const ROUNDS = 5;
const cpuUs = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

async function run(count: number): Promise<readonly string[]> {
  const folder = temporaryFolder();
  const options = {
    path: join(folder.path, 'collector.db'),
    clock: systemClock,
    limits: { activeSeries: 2_000_000 },
  };
  try {
    let store = createStore(options);
    const keys = Array.from({ length: count }, (_, i) => cadvisorLabels(i));
    const start = Date.now() - ROUNDS * 15_000;
    const round = async (i: number) => {
      const before = cpuUs();
      for (let from = 0; from < count; from += 10_000) {
        const appender = store.appender();
        for (let s = from; s < Math.min(count, from + 10_000); s += 1)
          appender.append(appender.reference(keys[s]!), start + i * 15_000, s + i);
        await appender.commit();
      }
      return cpuUs() - before;
    };
    const first = await round(0);
    let more = 0;
    for (let i = 1; i < ROUNDS; i += 1) more += await round(i);
    await store.close();
    const [began, before] = [performance.now(), cpuUs()];
    store = createStore(options);
    const [wallMs, startUs] = [performance.now() - began, cpuUs() - before];
    const { activeSeries } = store.stats();
    await store.close();
    if (activeSeries !== count) throw new Error(`${activeSeries} of ${count} series came back`);
    return [
      String(count),
      (first / count).toFixed(2),
      (more / count / (ROUNDS - 1)).toFixed(2),
      (startUs / count).toFixed(2),
      `${(startUs / 1e6).toFixed(2)} (${(wallMs / 1000).toFixed(2)})`,
    ];
  } finally {
    folder.remove();
  }
}

const rows: (readonly string[])[] = [];
for (const count of values.series.split(',').map(Number)) rows.push(await run(count));
printTable(['series', 'us a new series', 'us a sample', 'us a series to start', 'start, cpu-s (wall)'], rows);
