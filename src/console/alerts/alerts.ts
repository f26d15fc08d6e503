import { useCallback } from 'preact/hooks';
import { type News, useNews } from '../live.ts';
import { type Asked, getJson, useAsked } from '../request.ts';

/** An alert as the Prometheus API has it. */
export interface ActiveAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
  /** RFC 3339. */
  readonly activeAt: string;
  readonly value: string;
  /** What it says is so; unknown until its rule has been read. */
  readonly expr?: string | undefined;
}

const EVERY_MS = 5_000;
// It fires as long as all is well, so that its silence can be noticed elsewhere; nobody needs to look at it.
const ALWAYS_FIRING = 'Watchdog';

export function useAlerts(): Asked<readonly ActiveAlert[]> {
  const asked = useAsked('alerts', askAlerts, EVERY_MS);
  const { value, reload } = asked;
  const names = [...new Set((value ?? []).map(({ labels }) => labels.alertname ?? ''))].sort();
  const rules = useAsked(`rules ${JSON.stringify(names)}`, (signal) => askRules(names, signal)).value;
  useNews(useCallback((heard: News) => void (heard.kind === 'life' && reload()), [reload]));
  if (value === undefined || rules === undefined) return asked;
  return { ...asked, value: value.map((alert) => ({ ...alert, expr: ruleOf(alert, rules)?.query })) };
}

/** An alerting rule as the Prometheus API has it. */
interface Rule {
  readonly name: string;
  readonly query: string;
  readonly labels: Readonly<Record<string, string>>;
}

const MOST_NAMES = 100;

async function askRules(names: readonly string[], signal: AbortSignal): Promise<readonly Rule[]> {
  if (names.length === 0) return [];
  const asked = new URLSearchParams({ type: 'alert', exclude_alerts: 'true' });
  for (const name of names.slice(0, MOST_NAMES)) asked.append('rule_name[]', name);
  const { data } = await getJson<{ data: { groups: readonly { rules: readonly Rule[] }[] } }>(
    `/api/v1/rules?${asked}`,
    { signal },
  );
  return data.groups.flatMap(({ rules }) => rules);
}

/** Of the rules of its name, the one whose labels the alert carries; its labels may be templates, so else the first. */
export function ruleOf({ labels }: ActiveAlert, rules: readonly Rule[]): Rule | undefined {
  const named = rules.filter(({ name }) => name === labels.alertname);
  return (
    named.find((rule) => Object.entries(rule.labels).every(([label, value]) => labels[label] === value)) ??
    named[0]
  );
}

async function askAlerts(signal: AbortSignal): Promise<readonly ActiveAlert[]> {
  const { data } = await getJson<{ data: { alerts: readonly ActiveAlert[] } }>('/api/v1/alerts', { signal });
  return data.alerts.filter(({ labels }) => labels.alertname !== ALWAYS_FIRING).sort(byUrgency);
}

const RANK: Readonly<Record<string, number>> = { page: 0, ticket: 1 };

function byUrgency(a: ActiveAlert, b: ActiveAlert): number {
  return (
    Number(a.state !== 'firing') - Number(b.state !== 'firing') ||
    (RANK[a.labels.severity ?? ''] ?? 2) - (RANK[b.labels.severity ?? ''] ?? 2) ||
    Date.parse(b.activeAt) - Date.parse(a.activeAt)
  );
}

/** The runbook with what the alert is about filled in. */
export function runbookAddress({ labels }: ActiveAlert): string {
  const subject = new URLSearchParams();
  for (const name of ['namespace', 'pod', 'container', 'workload', 'node', 'slo']) {
    if (labels[name]) subject.set(name, labels[name]);
  }
  const query = subject.toString();
  return `/runbooks/${encodeURIComponent(labels.alertname ?? '')}${query && `?${query}`}`;
}

/** A number as people read it. */
export function shownValue(text: string): string {
  const value = Number(text);
  if (!Number.isFinite(value)) return text;
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}
