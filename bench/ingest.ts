import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { printTable } from './parts/measure.ts';
import { beside, OTLP, REMOTE_WRITE, receive } from './parts/receive.ts';
import { scraped } from './parts/scraped.ts';

/**
 * A way in, side by side. Remote write and OTLP: 10,000 samples a request, two requests at a time; scrape: one target that
 * all of them scrape once a second. CPU seconds of each process for a million samples once all series are known, and
 * microseconds for a series that is new.
 */
const DOORS = {
  'remote-write': (count: number, rounds: number) => receive(count, rounds, REMOTE_WRITE, values.alone),
  otlp: (count: number, rounds: number) => receive(count, rounds, OTLP, values.alone),
  scrape: scraped,
};
const { values } = parseArgs({
  options: {
    door: { type: 'string', default: 'remote-write' },
    series: { type: 'string', default: '10000,100000' },
    samples: { type: 'string', default: '3000000' },
    alone: { type: 'boolean', default: false },
  },
});
const door = values.door as keyof typeof DOORS;
if (!Object.hasOwn(DOORS, door)) throw new Error(`--door is one of ${Object.keys(DOORS).join(', ')}`);

const rows: string[][] = [];
for (const count of values.series.split(',').map(Number)) {
  const all = await DOORS[door](count, Math.max(5, Math.round(Number(values.samples) / count)));
  const of = (one: (typeof all)[number]) => one.cpuSecondsPerMillion;
  const prometheus = beside('prometheus', all, of);
  const victoria = beside('victoria-metrics', all, of);
  for (const one of all)
    rows.push([
      String(count),
      one.engine,
      one.cpuSecondsPerMillion.toFixed(2),
      prometheus(one),
      victoria(one),
      Number.isNaN(one.cpuMicrosecondsANewSeries) ? '' : one.cpuMicrosecondsANewSeries.toFixed(0),
    ]);
}
printTable(
  ['series', 'engine', 'cpu-s per M samples', '/ prometheus', '/ victoria-metrics', 'cpu us a new series'],
  rows,
);
console.log(`door ${door}, load ${loadavg()[0]!.toFixed(1)}`);
