import type { Pod } from '../../model/kubernetes.ts';
import { Chart } from '../chart.tsx';
import { bytes, cores } from '../format.ts';
import { serverNow } from '../now.ts';
import { firstTime } from '../pods/vitals.ts';
import { queryRange, type RangeSeries } from '../prometheus.ts';
import { useAsked } from '../request.ts';

const SPAN_SECONDS = 15 * 60;
const STEP_SECONDS = 15;

interface Usage {
  readonly from: number;
  readonly to: number;
  readonly cpu: readonly RangeSeries[];
  readonly memory: readonly RangeSeries[];
}

/** CPU and memory of each container over the last quarter of an hour. */
export function PodUsage({
  namespace,
  pod,
  limits,
}: {
  namespace: string;
  pod: string;
  limits: MemoryLimits;
}) {
  const { value, error } = useAsked(
    `usage ${namespace}/${pod}`,
    (signal) => askUsage(namespace, pod, signal),
    15_000,
  );
  if (error) return <p class="faint">CPU and memory cannot be shown: {error.message}</p>;
  if (value === undefined) return null;
  if (value.cpu.length + value.memory.length === 0) {
    return <p class="faint">No CPU or memory readings in the last 15 minutes.</p>;
  }
  return (
    <div class="charts">
      <UsageChart title="Memory" usage={value} series={value.memory} format={bytes} binary limits={limits} />
      <UsageChart title="CPU" usage={value} series={value.cpu} format={cores} limits={new Map()} />
    </div>
  );
}

export type MemoryLimits = ReadonlyMap<string, number>;

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** The containers' memory limits in bytes, as far as their quantities are plain ones. */
export function memoryLimits(pod: Pod): MemoryLimits {
  const limits = new Map<string, number>();
  for (const { name, resources } of pod.spec.containers) {
    const [, number, unit] = /^([\d.]+)([A-Za-z]*)$/.exec(resources?.limits?.memory ?? '') ?? [];
    const factor = UNITS[unit ?? 'none'];
    if (number !== undefined && factor !== undefined) limits.set(name, Number(number) * factor);
  }
  return limits;
}

async function askUsage(namespace: string, pod: string, signal: AbortSignal): Promise<Usage> {
  const to = Math.floor(serverNow() / 1000 / STEP_SECONDS) * STEP_SECONDS;
  const range = { start: to - SPAN_SECONDS, end: to, step: STEP_SECONDS };
  const which = `{namespace=${JSON.stringify(namespace)},pod=${JSON.stringify(pod)},container!=""}`;
  const [cpu, memory] = await Promise.all([
    queryRange(`sum by (container) (rate(container_cpu_usage_seconds_total${which}[1m]))`, range, signal),
    queryRange(`sum by (container) (container_memory_working_set_bytes${which})`, range, signal),
  ]);
  // As wide as there is something to show, at least two minutes.
  const first = firstTime([...cpu, ...memory]) ?? to;
  return { from: Math.min(first, to - 120), to, cpu, memory };
}

function UsageChart({
  title,
  usage: { from, to },
  series,
  format,
  binary = false,
  limits,
}: {
  title: string;
  usage: Usage;
  series: readonly RangeSeries[];
  format: (value: number) => string;
  binary?: boolean;
  limits: MemoryLimits;
}) {
  const times = Array.from(
    { length: (to - from) / STEP_SECONDS + 1 },
    (_, index) => from + index * STEP_SECONDS,
  );
  const lines = series.flatMap(({ metric, points }, index) => {
    const byTime = new Map(points);
    const limit = limits.get(metric.container ?? '');
    return [
      {
        name: metric.container ?? '',
        colour: binary ? index * 2 : index * 2 + 1,
        filled: series.length === 1,
        values: times.map((time) => byTime.get(time) ?? null),
      },
      ...(limit === undefined
        ? []
        : [
            {
              name: `limit of ${metric.container}`,
              colour: 'limit' as const,
              values: times.map(() => limit),
            },
          ]),
    ];
  });
  const last = series.map(({ points }) => points.at(-1)?.[1]).filter((value) => value !== undefined);
  return (
    <figure>
      <figcaption>
        {title} <b>{last.map(format).join(' · ')}</b>
      </figcaption>
      <Chart
        label={`${title} over the last 15 minutes`}
        times={times}
        lines={lines}
        format={format}
        binary={binary}
        height={150}
        from={from}
        to={to}
      />
    </figure>
  );
}
