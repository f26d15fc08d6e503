import { DashboardBuilder, DashboardCursorSync } from '@grafana/grafana-foundation-sdk/dashboard';
import { stat, type TimeSeriesOptions, table, timeSeries } from './panel.ts';
import { datasourceVariable, namespaceVariable, podVariable, workloadVariable } from './variable.ts';

const POD = 'namespace=~"$namespace",pod=~"$pod"';
const CONTAINER = `${POD},container!=""`;
/** Keeps what belongs to the chosen workload. */
const OF_WORKLOAD =
  'and on (namespace, pod) namespace_workload_pod:kube_pod_owner:relabel{namespace=~"$namespace",workload=~"$workload"}';

/** One pod, or the pods of one workload, from every side. */
export function debug(): DashboardBuilder {
  return new DashboardBuilder('Debug')
    .uid('podvitals-debug')
    .description(
      'One pod, or the pods of one workload: usage by container, limits, deaths, probes, network, descriptors and IO.',
    )
    .tags(['podvitals'])
    .time({ from: 'now-1h', to: 'now' })
    .refresh('15s')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(datasourceVariable())
    .withVariable(namespaceVariable())
    .withVariable(workloadVariable())
    .withVariable(podVariable())
    .withPanel(
      stat({
        title: 'Ready',
        description: 'Pods that are ready.',
        width: 6,
        height: 4,
        query: { expr: `sum(kube_pod_status_ready{condition="true",${POD}} ${OF_WORKLOAD})` },
      }),
    )
    .withPanel(
      stat({
        title: 'Restarts',
        description: 'Of all containers, since their pods were created.',
        width: 6,
        height: 4,
        decimals: 0,
        query: { expr: `sum(kube_pod_container_status_restarts_total{${POD}} ${OF_WORKLOAD})` },
      }),
    )
    .withPanel(
      stat({
        title: 'Longest back-off',
        description: 'How long the kubelet waits before the next start, where it waits.',
        width: 6,
        height: 4,
        unit: 's',
        noValue: 'none waits',
        query: { expr: `max(podvitals_container_back_off_seconds{${POD}} ${OF_WORKLOAD})` },
      }),
    )
    .withPanel(
      stat({
        title: 'Fullest memory',
        description: 'Working set over limit of the fullest container.',
        width: 6,
        height: 4,
        unit: 'percentunit',
        decimals: 0,
        thresholds: [
          [null, 'green'],
          [0.8, 'yellow'],
          [0.95, 'red'],
        ],
        noValue: 'no limit',
        query: { expr: `max(pod:memory_limit:ratio{${POD}} ${OF_WORKLOAD})` },
      }),
    )
    .withPanel(memory({}))
    .withPanel(cpu({}))
    .withPanel(memory({ range: '24h' }))
    .withPanel(cpu({ range: '24h' }))
    .withPanel(
      table({
        title: 'Deaths by reason',
        description: 'Since the pods were created.',
        width: 12,
        height: 8,
        decimals: 0,
        columns: ['namespace', 'pod', 'container', 'reason', 'requested'],
        value: 'deaths',
        noValue: 'No container died.',
        query: {
          expr: `sum by (namespace, pod, container, reason, requested) (podvitals_container_deaths_total{${POD}} ${OF_WORKLOAD}) > 0`,
        },
      }),
    )
    .withPanel(
      table({
        title: 'Start-up, stage by stage',
        description: 'How long each stage of the start took.',
        width: 12,
        height: 8,
        unit: 's',
        columns: ['namespace', 'pod', 'stage'],
        value: 'time',
        noValue: 'No start was seen.',
        query: {
          expr: `max by (namespace, pod, stage) (podvitals_pod_startup_stage_seconds{${POD}} ${OF_WORKLOAD})`,
        },
      }),
    )
    .withPanel(
      half('Failed probes', 'Per minute, by container and probe.', [
        {
          expr: `sum by (pod, container, probe_type) (rate(prober_probe_total{result="failed",${POD}}[$__rate_interval]) ${OF_WORKLOAD}) * 60`,
          legend: '{{pod}} {{container}} {{probe_type}}',
        },
      ]),
    )
    .withPanel(
      half(
        'CPU throttled',
        'Share of scheduling periods in which the limit held the pod back.',
        [{ expr: `pod:cpu_throttled:ratio_rate5m{${POD}} ${OF_WORKLOAD}`, legend: '{{pod}}' }],
        { unit: 'percentunit' },
      ),
    )
    .withPanel(
      half(
        'Network traffic',
        'Bytes received and sent by the pod.',
        [
          {
            expr: `sum by (pod) (rate(container_network_receive_bytes_total{${POD}}[$__rate_interval]) ${OF_WORKLOAD})`,
            legend: '{{pod}} received',
          },
          {
            expr: `sum by (pod) (rate(container_network_transmit_bytes_total{${POD}}[$__rate_interval]) ${OF_WORKLOAD})`,
            legend: '{{pod}} sent',
          },
        ],
        { unit: 'Bps' },
      ),
    )
    .withPanel(
      half(
        'Network errors',
        'By kind, per second: connections that failed, resets, retransmissions, drops.',
        [{ expr: `pod:network_errors:rate5m{${POD}} ${OF_WORKLOAD}`, legend: '{{pod}} {{kind}}' }],
      ),
    )
    .withPanel(
      half(
        'DNS latency',
        'Of a hundred look-ups by the resolv.conf of the pod, the slowest.',
        [{ expr: `pod:dns_lookup:p99_seconds{${POD}} ${OF_WORKLOAD}`, legend: '{{pod}}' }],
        { unit: 's' },
      ),
    )
    .withPanel(
      half(
        'IO wait',
        'Share of time some task of the pod stalled on IO.',
        [{ expr: `pod:io_wait:ratio_rate5m{${POD}} ${OF_WORKLOAD}`, legend: '{{pod}}' }],
        { unit: 'percentunit' },
      ),
    )
    .withPanel(
      half('Open descriptors and processes', 'By container.', [
        {
          expr: `sum by (pod, container) (container_file_descriptors{${CONTAINER}} ${OF_WORKLOAD})`,
          legend: '{{pod}} {{container}} descriptors',
        },
        {
          expr: `sum by (pod, container) (container_processes{${CONTAINER}} ${OF_WORKLOAD})`,
          legend: '{{pod}} {{container}} processes',
        },
      ]),
    );
}

function memory({ range }: { readonly range?: string }) {
  return half(
    'Memory by container',
    'Working set, resident set and limit.',
    [
      {
        expr: `max by (pod, container) (container_memory_working_set_bytes{${CONTAINER}} ${OF_WORKLOAD})`,
        legend: '{{pod}} {{container}}',
      },
      {
        expr: `max by (pod, container) (container_memory_rss{${CONTAINER}} ${OF_WORKLOAD})`,
        legend: '{{pod}} {{container}} resident',
      },
      {
        expr: `max by (pod, container) (kube_pod_container_resource_limits{resource="memory",${POD}} ${OF_WORKLOAD})`,
        legend: '{{pod}} {{container}} limit',
      },
    ],
    { unit: 'bytes', ...(range === undefined ? {} : { range }) },
  );
}

function cpu({ range }: { readonly range?: string }) {
  return half(
    'CPU by container',
    'Cores in use and limit.',
    [
      {
        expr: `sum by (pod, container) (rate(container_cpu_usage_seconds_total{${CONTAINER}}[$__rate_interval]) ${OF_WORKLOAD})`,
        legend: '{{pod}} {{container}}',
      },
      {
        expr: `max by (pod, container) (kube_pod_container_resource_limits{resource="cpu",${POD}} ${OF_WORKLOAD})`,
        legend: '{{pod}} {{container}} limit',
      },
    ],
    { unit: 'cores', ...(range === undefined ? {} : { range }) },
  );
}

/** Half of the width. */
function half(
  title: string,
  description: string,
  queries: TimeSeriesOptions['queries'],
  more: Partial<Pick<TimeSeriesOptions, 'unit' | 'range'>> = {},
) {
  return timeSeries({ title, description, width: 12, height: 8, queries, ...more });
}
