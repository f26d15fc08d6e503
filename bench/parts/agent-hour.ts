import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { toLabels } from '../../src/model/labels.ts';
import { parseFloatText } from '../../src/wire/prometheus/exposition-number.ts';
import { parseSeries } from '../../src/wire/prometheus/exposition-series.ts';
import type { BenchSeries } from './series.ts';

const JOBS = ['podvitals-agent', 'kube-state-metrics', 'cadvisor'];
const HOUR_MS = 3_600_000;
const COUNTER = /^[^{]*_(total|count|sum|bucket)\{/;

/**
 * An hour of what an agent showed at its three paths, scraped every 15 s beside the pods of `examples/shop.yaml` on a busy
 * machine: real times and values. The file has the times of each path, the first whole and then differences, then a line a
 * series: its path, its text, a tab, and a value for each scrape, `=` where it is that of the scrape before. `hours` repeats
 * it, counters going on from where they were.
 */
export function agentHour(endMs: number, hours: number): readonly BenchSeries[] {
  const packed = readFileSync(join(import.meta.dirname, 'agent-hour.br'));
  const lines = brotliDecompressSync(packed).toString('utf8').trimEnd().split('\n');
  const times = lines.slice(0, JOBS.length).map((line) => {
    let t = 0;
    return line.split(',').map((difference) => {
      t += Number(difference);
      return t;
    });
  });
  const shift = endMs - hours * HOUR_MS - Math.min(...times.map(([first]) => first!));
  return lines.slice(JOBS.length).map((line) => {
    const path = Number(line[0]);
    const [text, values] = line.slice(2).split('\t') as [string, string];
    const t: number[] = [];
    const v: number[] = [];
    let last = '';
    values.split(',').forEach((value, i) => {
      if (value !== '=') last = value;
      if (last === '') return;
      t.push(times[path]![i]! + shift);
      v.push(parseFloatText(last)!);
    });
    const labels = parseSeries(Buffer.from(text), 'prometheus-0.0.4');
    const instance = '127.0.0.1:7639';
    return {
      labels: toLabels([...labels, ['job', JOBS[path]!], ['instance', instance]]),
      ...repeated(t, v, hours, COUNTER.test(text)),
    };
  });
}

function repeated(t: readonly number[], v: readonly number[], hours: number, isCounter: boolean) {
  const growth = isCounter ? v.at(-1)! : 0;
  const all = Array.from({ length: hours }, (_, hour) => hour);
  return {
    t: Float64Array.from(all.flatMap((hour) => t.map((one) => one + hour * HOUR_MS))),
    v: Float64Array.from(all.flatMap((hour) => v.map((one) => one + hour * growth))),
  };
}
