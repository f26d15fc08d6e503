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
}

const EVERY_MS = 5_000;
// It fires as long as all is well, so that its silence can be noticed elsewhere; nobody needs to look at it.
const ALWAYS_FIRING = 'Watchdog';

export function useAlerts(): Asked<readonly ActiveAlert[]> {
  const asked = useAsked('alerts', askAlerts, EVERY_MS);
  const { reload } = asked;
  useNews(useCallback((heard: News) => void (heard.kind === 'life' && reload()), [reload]));
  return asked;
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
