import type { Alert } from '../model/alert.ts';
import type { Incident } from '../model/incident.ts';
import { labelValue, toLabels } from '../model/labels.ts';
import type { EventLog } from './storage/storage.ts';

/**
 * The alert with the verdict on its pod as annotation `cause`, so that whoever is paged reads why at once. Alerts that
 * are over, that name no pod, or whose pod has no known trouble stay as they are.
 */
export function withCause(alert: Alert, log: Pick<EventLog, 'pods'>): Alert {
  const namespace = labelValue(alert.labels, 'namespace');
  const pod = labelValue(alert.labels, 'pod');
  if (alert.state !== 'firing' || namespace === '' || pod === '') return alert;
  const verdict = log.pods({ namespace, pod, deleted: true, limit: 1 })[0]?.verdict;
  if (verdict === undefined || verdict.cause === 'None' || verdict.confidence === 'unknown') return alert;
  return {
    ...alert,
    annotations: toLabels([...alert.annotations, ['cause', `${verdict.cause}: ${verdict.summary}`]]),
  };
}

/** The alert with the id of the incident it belongs to as annotation `incident`. */
export function withIncident(alert: Alert, incident: Pick<Incident, 'id'> | undefined): Alert {
  if (incident === undefined) return alert;
  return { ...alert, annotations: toLabels([...alert.annotations, ['incident', incident.id]]) };
}
