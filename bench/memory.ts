import { parseArgs } from 'node:util';
import { printTable } from './parts/measure.ts';
import { besidePrometheus, REMOTE_WRITE, receive } from './parts/receive.ts';

/** Resident memory of an active series, side by side, what the empty process takes subtracted. */
const { values } = parseArgs({
  options: {
    series: { type: 'string', default: '100000' },
    samples: { type: 'string', default: '20' },
    alone: { type: 'boolean', default: false },
  },
});
const count = Number(values.series);
const all = await receive(count, Number(values.samples), REMOTE_WRITE, values.alone);
const bytes = (one: (typeof all)[number]) => (one.loadedBytes - one.emptyBytes) / count;
const ratio = besidePrometheus(all, bytes);
const mb = (value: number) => (value / 1024 ** 2).toFixed(0);
printTable(
  ['engine', 'bytes a series', '/ prometheus', 'empty MB', 'loaded MB'],
  all.map((one) => [one.engine, bytes(one).toFixed(0), ratio(one), mb(one.emptyBytes), mb(one.loadedBytes)]),
);
