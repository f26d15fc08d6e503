import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createStore } from '../src/collector/tsdb/store.ts';
import { systemClock } from '../src/util/clock.ts';
import { roundsDuring } from '../test/support/rounds.ts';
import { temporaryFolder } from './parts/clean-up.ts';
import { printTable } from './parts/measure.ts';
import type { Opened } from './parts/open-store.ts';
import { cadvisorLabels } from './parts/write-requests.ts';

/**
 * The store alone as series grow: CPU to make a series, to keep a sample of one that is known, found by the bytes of its
 * labels, to bring its chunk to disk, and to start again, in a process of its own. A turn is the CPU time of a round of the
 * event loop: what others wait for.
 */
const { values } = parseArgs({
  options: { series: { type: 'string', default: '1000,10000,100000' } },
});
const ROUNDS = 5;
const HOUR_MS = 3_600_000;
const SERIES_A_COMMIT = 10_000;
const SERIES_A_TURN = 500;

interface Cost {
  readonly cpuUs: number;
  readonly longestMs: number;
}

async function cost(work: () => Promise<unknown>): Promise<Cost> {
  const before = process.cpuUsage();
  const { roundsMs } = await roundsDuring(work);
  const { user, system } = process.cpuUsage(before);
  return { cpuUs: user + system, longestMs: roundsMs.reduce((a, b) => Math.max(a, b), 0) };
}

/** The labels of all series one after another, as a request holds them: arrays of their own would be most of the heap. */
function packKeys(count: number) {
  const starts = new Float64Array(count + 1);
  let bytes = new Uint8Array(2 ** 20);
  for (let i = 0; i < count; i += 1) {
    const key = cadvisorLabels(i);
    const end = starts[i]! + key.length;
    if (end > bytes.length) {
      const longer = new Uint8Array(bytes.length * 2);
      longer.set(bytes);
      bytes = longer;
    }
    bytes.set(key, starts[i]!);
    starts[i + 1] = end;
  }
  return { bytes, starts };
}

function openAgain(path: string): Opened {
  const script = join(import.meta.dirname, 'parts/open-store.ts');
  return JSON.parse(execFileSync(process.execPath, [script, path], { encoding: 'utf8' }));
}

async function run(count: number): Promise<readonly string[]> {
  const folder = temporaryFolder();
  const path = join(folder.path, 'collector.db');
  try {
    const store = createStore({ path, clock: systemClock, limits: { activeSeries: 2_000_000 } });
    const { bytes, starts } = packKeys(count);
    const start = Date.now() - 2 * HOUR_MS;
    const round = (t: number) =>
      cost(async () => {
        for (let first = 0; first < count; first += SERIES_A_COMMIT) {
          const appender = store.appender();
          for (let s = first; s < Math.min(count, first + SERIES_A_COMMIT); s += 1) {
            const [from, to] = [starts[s]!, starts[s + 1]!];
            const ref = appender.find!(bytes, from, to) ?? appender.reference(bytes.slice(from, to));
            appender.append(ref, t, s + (t % 1000));
            // Whoever reads requests has its own turns.
            if (s % SERIES_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
          }
          await appender.commit();
        }
      });
    const first = await round(start);
    const more: Cost[] = [];
    for (let i = 1; i < ROUNDS; i += 1) more.push(await round(start + i * 15_000));
    // All chunks end at the same time, as after a start of all that sends.
    await round(start + HOUR_MS);
    await round(start + HOUR_MS + 11 * 60_000);
    const settled = await cost(() => store.maintain());
    const idle = await cost(() => store.maintain());
    await store.close();
    const opened = openAgain(path);
    if (opened.series !== count) throw new Error(`${opened.series} of ${count} series came back`);
    const us = ({ cpuUs }: Cost) => (cpuUs / count).toFixed(2);
    return [
      String(count),
      us(first),
      (more.reduce((sum, { cpuUs }) => sum + cpuUs, 0) / count / more.length).toFixed(2),
      us(settled),
      us(idle),
      (opened.cpuUs / count).toFixed(2),
      `${(opened.cpuUs / 1e6).toFixed(2)} (${(opened.wallMs / 1000).toFixed(2)})`,
      (opened.residentBytes / count).toFixed(0),
      [first, ...more]
        .map(({ longestMs }) => longestMs)
        .reduce((a, b) => Math.max(a, b))
        .toFixed(0),
      settled.longestMs.toFixed(0),
    ];
  } finally {
    folder.remove();
  }
}

const rows: (readonly string[])[] = [];
for (const count of values.series.split(',').map(Number)) rows.push(await run(count));
printTable(
  [
    'series',
    'us a new series',
    'us a sample',
    'us a chunk to disk',
    'us of a round without work',
    'us a series to start',
    'start, cpu-s (wall)',
    'bytes a series, started',
    'longest turn, commits of 10,000, ms',
    'longest turn, maintenance, ms',
  ],
  rows,
);
