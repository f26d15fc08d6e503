import { parseArgs } from 'node:util';
import { printTable } from './parts/measure.ts';
import { besidePrometheus, receive } from './parts/receive.ts';

/**
 * Remote write, side by side: 10,000 samples a request, two requests at a time. CPU seconds of each process for a million
 * samples once all series are known, and microseconds for a series that is new.
 */
const { values } = parseArgs({
  options: {
    series: { type: 'string', default: '10000,100000' },
    samples: { type: 'string', default: '3000000' },
  },
});

const rows: string[][] = [];
for (const count of values.series.split(',').map(Number)) {
  const all = await receive(count, Math.max(5, Math.round(Number(values.samples) / count)));
  const ratio = besidePrometheus(all, (one) => one.cpuSecondsPerMillion);
  for (const one of all)
    rows.push([
      String(count),
      one.engine,
      one.cpuSecondsPerMillion.toFixed(2),
      ratio(one),
      one.cpuMicrosecondsANewSeries.toFixed(0),
    ]);
}
printTable(['series', 'engine', 'cpu-s per M samples', '/ prometheus', 'cpu us a new series'], rows);
