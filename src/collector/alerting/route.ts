import { type Labels, labelValue, toLabels } from '../../model/labels.ts';

/** When a group of alerts is sent. Names and meaning as in Alertmanager's configuration. */
export interface Route {
  /** From a group's first alert to its first notification, so that what comes together is told together. */
  readonly groupWaitMs: number;
  /** From one notification of a group to the next, when something changed. */
  readonly groupIntervalMs: number;
  /** Said again after so long although nothing changed. */
  readonly repeatIntervalMs: number;
}

const GROUP_BY = ['alertname', 'namespace', 'workload'];
const DEFAULT_ROUTE: Route = {
  groupWaitMs: 30_000,
  groupIntervalMs: 300_000,
  repeatIntervalMs: 4 * 3_600_000,
};

/** Alerts that are whole by themselves and are told at once. */
const ROUTES: Readonly<Record<string, Route>> = {
  PodCrashLooping: { ...DEFAULT_ROUTE, groupWaitMs: 0 },
  PodOOMKilled: { ...DEFAULT_ROUTE, groupWaitMs: 0 },
};

export function routeOf(groupLabels: Labels): Route {
  const alertname = labelValue(groupLabels, 'alertname');
  return Object.hasOwn(ROUTES, alertname) ? ROUTES[alertname]! : DEFAULT_ROUTE;
}

export function groupLabelsOf(labels: Labels): Labels {
  return toLabels(labels.filter(([name]) => GROUP_BY.includes(name)));
}

/** As Alertmanager writes it: `{}:{alertname="PodCrashLooping", namespace="shop"}`. */
export function groupKeyOf(groupLabels: Labels): string {
  return `{}:{${groupLabels.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', ')}}`;
}
