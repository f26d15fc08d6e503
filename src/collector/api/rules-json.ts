import type { Alert } from '../../model/alert.ts';
import { toRecord } from '../../model/labels.ts';
import type { RuleGroupState, RuleState } from '../rules/rule-state.ts';

/** Go's zero time: never evaluated. */
const NEVER = '0001-01-01T00:00:00Z';

const seconds = (ms: number) => ms / 1000;
const timeOf = (ms: number | undefined) => (ms === undefined ? NEVER : new Date(ms).toISOString());

/** A group as `GET /api/v1/rules` of Prometheus has it; `missed` is ours. Durations in seconds. */
export function groupJson(group: RuleGroupState, rules: readonly RuleState[], excludeAlerts: boolean) {
  return {
    name: group.group.name,
    file: group.group.file,
    rules: rules.map((rule) => ruleJson(rule, excludeAlerts)),
    interval: seconds(group.intervalMs),
    limit: group.group.limit,
    evaluationTime: seconds(group.evaluationMs),
    lastEvaluation: timeOf(group.lastEvaluationMs),
    missed: group.missed,
  };
}

function ruleJson(state: RuleState, excludeAlerts: boolean) {
  const evaluated = {
    health: state.health,
    ...(state.lastError === undefined ? {} : { lastError: state.lastError }),
    evaluationTime: seconds(state.evaluationMs),
    lastEvaluation: timeOf(state.lastEvaluationMs),
  };
  const { rule } = state;
  if (rule.kind === 'recording') {
    // Prometheus leaves these out where there are none.
    const labels = Object.keys(state.labels).length === 0 ? {} : { labels: state.labels };
    return { name: rule.record, query: state.query, ...labels, ...evaluated, type: 'recording' };
  }
  return {
    state: stateOf(state.alerts),
    name: rule.alert,
    query: state.query,
    duration: seconds(rule.forMs),
    keepFiringFor: seconds(rule.keepFiringForMs),
    labels: state.labels,
    annotations: rule.annotations,
    alerts: excludeAlerts ? null : state.alerts.filter(isActive).map(alertJson),
    ...evaluated,
    type: 'alerting',
  };
}

function stateOf(alerts: readonly Alert[]): string {
  if (alerts.some(({ state }) => state === 'firing')) return 'firing';
  return alerts.some(({ state }) => state === 'pending') ? 'pending' : 'inactive';
}

export const isActive = (alert: Alert): boolean => alert.state !== 'resolved';

/** An alert of `GET /api/v1/alerts`; `unknownSince` is ours, on alerts held while their agent is silent. */
export function alertJson(alert: Alert) {
  return {
    labels: toRecord(alert.labels),
    annotations: toRecord(alert.annotations),
    state: alert.state,
    activeAt: timeOf(alert.activeAt),
    value: exponential(alert.value),
    ...(alert.unknownSince === undefined ? {} : { unknownSince: timeOf(alert.unknownSince) }),
  };
}

/** Go's `strconv.FormatFloat(value, 'e', -1, 64)`. */
function exponential(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}
