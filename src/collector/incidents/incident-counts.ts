import type { Incident } from '../../model/incident.ts';
import { type Labels, toLabels } from '../../model/labels.ts';

/** The series dashboards draw: how many incidents of the last 30 days had each cause, those still open included. */
export const INCIDENT_COUNTS = 'cause:incidents:count30d';
export const OPEN_INCIDENTS = 'cause:incidents_open:count';
const DAYS_MS = 30 * 86_400_000;
/** Incidents of podvitals itself have no namespace. */
const MOST_SERIES = 1000;

export interface IncidentCount {
  readonly labels: Labels;
  readonly value: number;
}

export function incidentCounts(incidents: readonly Incident[], nowMs: number): readonly IncidentCount[] {
  const recent = incidents.filter(({ to }) => to === undefined || to >= nowMs - DAYS_MS);
  const open = recent.filter(({ to }) => to === undefined);
  return [...counted(INCIDENT_COUNTS, recent), ...counted(OPEN_INCIDENTS, open)].slice(0, MOST_SERIES);
}

function counted(name: string, incidents: readonly Incident[]): readonly IncidentCount[] {
  const groups = Map.groupBy(incidents, ({ cause, failureMode, subject, severity }) =>
    JSON.stringify([cause, failureMode ?? '', subject.namespace ?? '', severity]),
  );
  return [...groups].map(([key, { length }]) => {
    const [cause, mode, namespace, severity] = JSON.parse(key) as [string, string, string, string];
    const labels = { __name__: name, cause, failure_mode: mode, namespace, severity };
    return { labels: toLabels(Object.entries(labels).filter(([, value]) => value !== '')), value: length };
  });
}
