import { DashboardBuilder, DashboardCursorSync } from '@grafana/grafana-foundation-sdk/dashboard';
import { deathsEachStep } from './deaths.ts';
import { stat, type Thresholds, table, timeSeries } from './panel.ts';
import { datasourceVariable, namespaceVariable } from './variable.ts';

const NONE_IS_GOOD: Thresholds = [
  [null, 'green'],
  [1, 'red'],
];

/** What is broken now, since when, and where it gets hot. */
export function onCall(): DashboardBuilder {
  return new DashboardBuilder('On-call')
    .uid('podvitals-on-call')
    .description('What is broken now, what died lately, who restarts, and where CPU and memory run hot.')
    .tags(['podvitals'])
    .time({ from: 'now-1h', to: 'now' })
    .refresh('15s')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(datasourceVariable())
    .withVariable(namespaceVariable())
    .withPanel(
      stat({
        title: 'Firing alerts',
        description: 'Without the watchdog, which always fires.',
        width: 6,
        height: 4,
        thresholds: NONE_IS_GOOD,
        query: {
          expr: 'count(ALERTS{alertstate="firing",alertname!="Watchdog",namespace=~"$namespace"}) or vector(0)',
        },
      }),
    )
    .withPanel(
      stat({
        title: 'Pods not ready',
        description: 'Desired but not ready, now.',
        width: 6,
        height: 4,
        thresholds: NONE_IS_GOOD,
        query: {
          expr: 'sum(clamp_min(podvitals_workload_desired_pods{namespace=~"$namespace"} - podvitals_workload_ready_pods{namespace=~"$namespace"}, 0))',
        },
      }),
    )
    .withPanel(
      stat({
        title: 'Crash loops, last hour',
        description: 'Entries into CrashLoopBackOff (podCrashLoopCount); the objective is none.',
        width: 6,
        height: 4,
        thresholds: NONE_IS_GOOD,
        query: { expr: 'sum(workload:pod_crash_loops:increase1h{namespace=~"$namespace"})' },
      }),
    )
    .withPanel(
      stat({
        title: 'OOM kills, last 30 minutes',
        description: 'Counted by the kernel, child processes included.',
        width: 6,
        height: 4,
        thresholds: NONE_IS_GOOD,
        query: { expr: 'sum(container:oom_kills:increase30m{namespace=~"$namespace"})' },
      }),
    )
    .withPanel(
      table({
        title: 'Firing',
        description: 'Alerts that fire now.',
        width: 12,
        height: 8,
        columns: ['alertname', 'severity', 'namespace', 'workload', 'pod'],
        value: 'alerts',
        noValue: 'No alert fires.',
        query: {
          expr: 'count by (alertname, severity, namespace, workload, pod) (ALERTS{alertstate="firing",alertname!="Watchdog",namespace=~"$namespace"})',
        },
      }),
    )
    .withPanel(
      table({
        title: 'Waiting containers',
        description: 'Why containers wait instead of running.',
        width: 12,
        height: 8,
        columns: ['namespace', 'pod', 'container', 'reason'],
        value: 'containers',
        noValue: 'No container waits.',
        query: {
          expr: 'sum by (namespace, pod, container, reason) (kube_pod_container_status_waiting_reason{namespace=~"$namespace"}) > 0',
        },
      }),
    )
    .withPanel(
      table({
        title: 'Deaths nobody asked for, last 30 minutes',
        description: 'Three or more of one container are a crash loop.',
        width: 12,
        height: 8,
        decimals: 0,
        columns: ['namespace', 'pod', 'container'],
        value: 'deaths',
        noValue: 'No container died unasked.',
        query: {
          expr: 'sum by (namespace, pod, container) (container:unrequested_deaths:increase30m{namespace=~"$namespace"}) > 0',
        },
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Deaths as they happen',
        description: 'Container deaths nobody asked for by reason, in each step of the chart.',
        width: 12,
        height: 8,
        decimals: 0,
        queries: [
          {
            expr: deathsEachStep('namespace=~"$namespace"'),
            legend: '{{pod}} {{reason}}',
          },
        ],
        noValue: 'No container died in this time.',
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Restarts per pod and hour, by workload',
        description: 'podRestartRate over one hour, init containers apart; the objective is below 0.1.',
        width: 24,
        height: 8,
        queries: [
          {
            expr: 'workload:pod_restarts:per_pod_hour_rate1h{namespace=~"$namespace",container_type="container"}',
            legend: '{{namespace}}/{{workload}}',
          },
        ],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Most CPU',
        description: 'The five pods that use most.',
        width: 12,
        height: 8,
        unit: 'cores',
        queries: [
          {
            expr: 'topk(5, pod:cpu_usage:cores_rate5m{namespace=~"$namespace"})',
            legend: '{{namespace}}/{{pod}}',
          },
        ],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Nearest to the memory limit',
        description: 'The five pods with the fullest container; at 100% the kernel kills.',
        width: 12,
        height: 8,
        unit: 'percentunit',
        max: 1,
        queries: [
          {
            expr: 'topk(5, pod:memory_limit:ratio{namespace=~"$namespace"})',
            legend: '{{namespace}}/{{pod}}',
          },
        ],
      }),
    );
}
