import { serverNow } from '../now.ts';
import { queryRange, type RangeSeries } from '../prometheus.ts';
import { type Asked, useAsked } from '../request.ts';

/** CPU in cores and memory in bytes of each pod, over the last quarter of an hour at most. Times in seconds. */
export interface Vitals {
  readonly from: number;
  readonly to: number;
  readonly cpu: ReadonlyMap<string, RangeSeries['points']>;
  readonly memory: ReadonlyMap<string, RangeSeries['points']>;
}

const CPU = 'sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{container!=""}[1m]))';
const MEMORY = 'sum by (namespace, pod) (container_memory_working_set_bytes{container!=""})';
const SPAN_SECONDS = 15 * 60;
const STEP_SECONDS = 15;
// Soon after a start there is little to show; it is shown as wide as it can be.
const LEAST_SPAN_SECONDS = 120;

export function useVitals(): Asked<Vitals> {
  return useAsked('vitals', askVitals, 15_000);
}

async function askVitals(signal: AbortSignal): Promise<Vitals> {
  const to = Math.floor(serverNow() / 1000 / STEP_SECONDS) * STEP_SECONDS;
  const range = { start: to - SPAN_SECONDS, end: to, step: STEP_SECONDS };
  const [cpu, memory] = await Promise.all([
    queryRange(CPU, range, signal),
    queryRange(MEMORY, range, signal),
  ]);
  const from = Math.min(to - LEAST_SPAN_SECONDS, firstTime([...cpu, ...memory]) ?? to);
  return { from, to, cpu: byPod(cpu), memory: byPod(memory) };
}

/** When the earliest of the series begins. */
export function firstTime(series: readonly RangeSeries[]): number | undefined {
  const times = series.flatMap(({ points }) => points.slice(0, 1).map(([t]) => t));
  return times.length === 0 ? undefined : Math.min(...times);
}

export const podKey = (namespace: string, pod: string): string => `${namespace}/${pod}`;

function byPod(series: readonly RangeSeries[]): ReadonlyMap<string, RangeSeries['points']> {
  return new Map(
    series.map(({ metric, points }) => [podKey(metric.namespace ?? '', metric.pod ?? ''), points]),
  );
}
