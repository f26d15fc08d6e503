import type { Alert } from '../model/alert.ts';
import type { Evidence } from '../model/evidence.ts';
import { explain } from '../model/explanation.ts';
import type { Incident } from '../model/incident.ts';
import { labelValue, toLabels } from '../model/labels.ts';
import { sourceOf } from '../model/source-command.ts';
import type { EventLog } from './storage/storage.ts';

const MOST_FACTS = 3;

/**
 * The alert with what is known of its pod, so that whoever is paged reads why at once: annotation `cause`, and with it
 * `evidence` (up to three facts with their times), `changed`, `now`, `next` (a command) and `for_good`, each where there
 * is one. Alerts that are over, that name no pod, or whose pod has no known trouble stay as they are.
 */
export function withCause(alert: Alert, log: Pick<EventLog, 'pods'>): Alert {
  const namespace = labelValue(alert.labels, 'namespace');
  const pod = labelValue(alert.labels, 'pod');
  if (alert.state !== 'firing' || namespace === '' || pod === '') return alert;
  const state = log.pods({ namespace, pod, deleted: true, limit: 1 })[0];
  const verdict = state?.verdict;
  if (verdict === undefined || verdict.cause === 'None' || verdict.confidence === 'unknown') return alert;
  const { sentence, facts, changed, now, next, forGood } = explain(verdict, sourceOf(state!.object));
  const told = {
    cause: `${verdict.cause}: ${sentence}`,
    evidence: facts.slice(-MOST_FACTS).map(factLine).join('\n'),
    changed: changed.map(factLine).join('\n'),
    now: now ?? '',
    next: next[0]?.command ?? '',
    for_good: forGood ?? '',
  };
  const added = Object.entries(told).filter(([, text]) => text !== '');
  return { ...alert, annotations: toLabels([...alert.annotations, ...added]) };
}

const factLine = ({ at, fact }: Evidence) => `${at} ${fact}`;

/** The alert with the id of the incident it belongs to as annotation `incident`. */
export function withIncident(alert: Alert, incident: Pick<Incident, 'id'> | undefined): Alert {
  if (incident === undefined) return alert;
  return { ...alert, annotations: toLabels([...alert.annotations, ['incident', incident.id]]) };
}
