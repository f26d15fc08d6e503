import { DashboardBuilder, DashboardCursorSync } from '@grafana/grafana-foundation-sdk/dashboard';
import { deathsInMonth } from './deaths.ts';
import { stat, table, timeSeries } from './panel.ts';
import { datasourceVariable, namespaceVariable, numberVariable } from './variable.ts';

// Share of the period's budget that is left: 1 is untouched, 0 is spent, below is overspent.
const BUDGET_LEFT = 'slo:period_error_budget_remaining:ratio{namespace=~"$namespace"}';

/** Are the services up, what is left of their budgets, what do they cost, what breaks them. */
export function executive(): DashboardBuilder {
  return new DashboardBuilder('Executive')
    .uid('podvitals-executive')
    .description(
      'Are the services up, what is left of their error budgets, what do they cost, what breaks them.',
    )
    .tags(['podvitals'])
    .time({ from: 'now-24h', to: 'now' })
    .refresh('1m')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(datasourceVariable())
    .withVariable(namespaceVariable())
    .withVariable(numberVariable('cpu_core_hour', 'Price of a core-hour', '0.033'))
    .withVariable(numberVariable('memory_gib_hour', 'Price of a GiB-hour', '0.0045'))
    .withPanel(
      stat({
        title: 'Pods ready',
        description: 'Ready pods over desired pods, now.',
        width: 6,
        height: 4,
        unit: 'percentunit',
        thresholds: [
          [null, 'red'],
          [0.9, 'yellow'],
          [0.99, 'green'],
        ],
        query: {
          expr: 'sum(podvitals_workload_ready_pods{namespace=~"$namespace"}) / (sum(podvitals_workload_desired_pods{namespace=~"$namespace"}) > 0)',
        },
      }),
    )
    .withPanel(
      stat({
        title: 'Least error budget left',
        description: 'Of the objective nearest to its limit: 100% is untouched, below 0% is overspent.',
        width: 6,
        height: 4,
        unit: 'percentunit',
        decimals: 0,
        thresholds: [
          [null, 'red'],
          [0, 'yellow'],
          [0.5, 'green'],
        ],
        noValue: 'no objective yet',
        query: { expr: `min(${BUDGET_LEFT})` },
      }),
    )
    .withPanel(
      stat({
        title: 'Alerts that page',
        description: 'Firing now with severity page.',
        width: 6,
        height: 4,
        thresholds: [
          [null, 'green'],
          [1, 'red'],
        ],
        query: {
          expr: 'count(ALERTS{alertstate="firing",severity="page",namespace=~"$namespace"}) or vector(0)',
        },
      }),
    )
    .withPanel(
      stat({
        title: 'Cost per pod-hour',
        description: 'CPU and memory in use at the prices above, per pod.',
        width: 6,
        height: 4,
        unit: 'currencyUSD',
        decimals: 4,
        query: { expr: costPerPodHour('') },
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Pod ready ratio by workload',
        description:
          'Ready over desired pod-seconds in five minutes (podReadyRatio); the objective is 99% over 30 days.',
        width: 24,
        height: 8,
        unit: 'percentunit',
        max: 1,
        queries: [
          { expr: 'workload:pod_ready:ratio{namespace=~"$namespace"}', legend: '{{namespace}}/{{workload}}' },
        ],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Burn rate by objective',
        description:
          'How fast the error budget is spent, in five minutes: 1 spends it exactly by the end of its period.',
        width: 12,
        height: 8,
        noValue: 'No objective has been judged yet.',
        queries: [
          {
            expr: 'max by (slo, namespace, workload) (slo:current_burn_rate:ratio{namespace=~"$namespace"})',
            legend: '{{slo}} {{workload}}',
          },
        ],
      }),
    )
    .withPanel(
      table({
        title: 'Error budget left by objective',
        description: 'Share of the budget of its period that is left.',
        width: 12,
        height: 8,
        unit: 'percentunit',
        decimals: 0,
        columns: ['slo', 'namespace', 'workload'],
        value: 'budget left',
        noValue: 'No objective has been judged yet.',
        query: { expr: `min by (slo, namespace, workload) (${BUDGET_LEFT})` },
      }),
    )
    .withPanel(
      table({
        title: 'Cost per pod-hour by namespace',
        description: 'CPU and memory in use at the prices above, per pod.',
        width: 12,
        height: 8,
        unit: 'currencyUSD',
        decimals: 4,
        columns: ['namespace'],
        value: 'cost per pod-hour',
        noValue: 'No usage has been read yet.',
        query: { expr: costPerPodHour(' by (namespace)') },
      }),
    )
    .withPanel(
      table({
        title: 'Incidents by cause, 30 days',
        description: 'What went wrong, by the cause that the verdict names; those still open included.',
        width: 12,
        height: 8,
        decimals: 0,
        columns: ['cause', 'failure_mode', 'namespace'],
        value: 'incidents',
        noValue: 'No incident in 30 days.',
        query: {
          expr: 'sum by (cause, failure_mode, namespace) (cause:incidents:count30d{namespace=~"$namespace"})',
        },
      }),
    )
    .withPanel(
      table({
        title: 'Deaths by reason, 30 days',
        description: 'Container deaths that nobody asked for, by the reason Kubernetes gives.',
        width: 24,
        height: 8,
        decimals: 0,
        columns: ['namespace', 'reason'],
        value: 'deaths',
        noValue: 'No container died unasked in 30 days.',
        query: {
          expr: deathsInMonth('reason!="Completed",namespace=~"$namespace"'),
        },
      }),
    );
}

function costPerPodHour(by: string): string {
  return `(sum${by} (pod:cpu_usage:cores_rate5m{namespace=~"$namespace"}) * $cpu_core_hour + sum${by} (pod:memory_working_set:bytes{namespace=~"$namespace"}) / 1073741824 * $memory_gib_hour) / count${by} (pod:memory_working_set:bytes{namespace=~"$namespace"})`;
}
