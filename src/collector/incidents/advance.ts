import { createHash } from 'node:crypto';
import type { Alert } from '../../model/alert.ts';
import type { Incident, IncidentAlert, IncidentSubject } from '../../model/incident.ts';
import { type Labels, labelValue } from '../../model/labels.ts';
import type { Life } from '../../model/life.ts';
import type { Verdict } from '../../model/verdict.ts';

/** A firing alert, with what is known of the pods it speaks of. */
export interface Finding {
  readonly alert: Alert;
  readonly subject: IncidentSubject;
  readonly verdicts: readonly { readonly pod: string; readonly verdict: Verdict }[];
  /** Deaths of the subject that nobody asked for, in any order, those before the alert included. */
  readonly deaths: readonly Pick<Life, 'id' | 'pod' | 'finishedAt'>[];
}

/** Quiet for so long, an incident is over: what comes back sooner is the same one. */
export const QUIET_MS = 5 * 60_000;
/** Deaths so long before the alert belong to it: as long as a crash loop is counted over. */
const BEFORE_MS = 30 * 60_000;
const MOST_PODS = 100;
const MOST_LIVES = 200;
const MOST_ALERTS = 100;

/** What an alert is about; undefined for one that nobody has to act on (severity neither page nor ticket). */
export function subjectOf(
  labels: Labels,
  workloadOfPod: (namespace: string, pod: string) => string | undefined,
) {
  if (!['page', 'ticket'].includes(labelValue(labels, 'severity'))) return undefined;
  const label = (name: string) => labelValue(labels, name) || undefined;
  const [namespace, pod, node, slo] = [label('namespace'), label('pod'), label('node'), label('slo')];
  const workload =
    label('workload') ?? (namespace && pod ? (workloadOfPod(namespace, pod) ?? pod) : undefined);
  if (namespace !== undefined && workload !== undefined) return { namespace, workload };
  if (node !== undefined) return { node };
  if (slo !== undefined) return { slo };
  return namespace === undefined ? {} : { namespace };
}

export const subjectKey = ({ namespace, workload, node, slo }: IncidentSubject): string =>
  JSON.stringify([namespace ?? '', workload ?? '', node ?? '', slo ?? '']);

/**
 * The incidents that opened, changed or closed, given those that are open and what fires now. One subject has one open
 * incident at a time. Its cause is that of the surest verdict, of two equally sure the first: what comes later is more
 * often a consequence. Pure.
 */
export function advance(
  open: readonly Incident[],
  findings: readonly Finding[],
  nowMs: number,
): readonly Incident[] {
  const bySubject = Map.groupBy(findings, ({ subject }) => subjectKey(subject));
  const changed: Incident[] = [];
  for (const incident of open) {
    const own = bySubject.get(subjectKey(incident.subject)) ?? [];
    bySubject.delete(subjectKey(incident.subject));
    const next = own.length > 0 ? withFindings(incident, own, nowMs) : quiet(incident, nowMs);
    if (JSON.stringify(next) !== JSON.stringify(incident)) changed.push(next);
  }
  for (const own of bySubject.values()) changed.push(withFindings(opened(own), own, nowMs));
  return changed;
}

function opened(findings: readonly Finding[]): Incident {
  const { subject } = findings[0]!;
  const detectedAt = Math.min(...findings.map(({ alert }) => firedAt(alert)));
  return {
    id: createHash('sha256')
      .update(`${subjectKey(subject)} ${detectedAt}`)
      .digest('hex')
      .slice(0, 8),
    subject,
    cause: 'Unknown',
    failureMode: null,
    confidence: 'unknown',
    summary: '',
    evidence: [],
    severity: 'ticket',
    from: Math.min(...findings.map(({ alert }) => alert.activeAt)),
    detectedAt,
    alerts: [],
    pods: [],
    lives: [],
  };
}

function withFindings(incident: Incident, findings: readonly Finding[], nowMs: number): Incident {
  const { quietSince: _, ...before } = incident;
  const earliest = incident.detectedAt - BEFORE_MS;
  const deaths = [
    ...new Map(findings.flatMap(({ deaths }) => deaths).map((life) => [life.id, life])).values(),
  ]
    .filter(({ finishedAt }) => finishedAt >= earliest && finishedAt <= nowMs)
    .sort((a, b) => a.finishedAt - b.finishedAt);
  const lives = [...new Set([...incident.lives, ...deaths.map(({ id }) => id)])];
  const pods = [
    ...incident.pods,
    ...deaths.map(({ pod }) => pod.name),
    ...findings.flatMap(({ alert, verdicts }) => [
      labelValue(alert.labels, 'pod'),
      ...verdicts.map(({ pod }) => pod),
    ]),
  ];
  const isPage = findings.some(({ alert }) => labelValue(alert.labels, 'severity') === 'page');
  return {
    ...withVerdict(before, findings),
    severity: isPage ? 'page' : incident.severity,
    from: Math.min(incident.from, ...deaths.map(({ finishedAt }) => finishedAt)),
    alerts: withAlerts(incident.alerts, findings, nowMs),
    pods: [...new Set(pods)].filter((pod) => pod !== '').slice(0, MOST_PODS),
    lives: lives.slice(0, MOST_LIVES),
  };
}

const SURENESS: readonly Verdict['confidence'][] = ['unknown', 'likely', 'certain'];
const sureness = (confidence: Verdict['confidence']) => SURENESS.indexOf(confidence);

type Told = Pick<Incident, 'cause' | 'failureMode' | 'confidence' | 'summary' | 'evidence'>;

function withVerdict(incident: Incident, findings: readonly Finding[]): Incident {
  const verdicts = findings
    .flatMap(({ verdicts }) => verdicts.map(({ verdict }) => verdict))
    .filter((verdict) => verdict.cause !== 'None');
  let best: Told = incident;
  for (const verdict of verdicts) {
    if (sureness(verdict.confidence) > sureness(best.confidence) || best.summary === '') best = verdict;
  }
  // The same cause in its newest words: how often by now.
  best =
    verdicts.find(({ cause, confidence }) => cause === best.cause && confidence === best.confidence) ?? best;
  const { cause, failureMode, confidence, evidence } = best;
  const summary = best.summary || labelValue(findings[0]!.alert.annotations, 'summary');
  return { ...incident, cause, failureMode, confidence, summary, evidence };
}

const firedAt = (alert: Alert) => alert.firedAt ?? alert.activeAt;

function withAlerts(
  known: readonly IncidentAlert[],
  findings: readonly Finding[],
  nowMs: number,
): readonly IncidentAlert[] {
  const firing = new Map<string, IncidentAlert>();
  for (const { alert } of findings) {
    const name = labelValue(alert.labels, 'alertname');
    const before = firing.get(name) ?? known.find((one) => one.name === name && one.resolvedAt === undefined);
    firing.set(name, {
      name,
      severity: before?.severity === 'page' ? 'page' : labelValue(alert.labels, 'severity'),
      firedAt: Math.min(before?.firedAt ?? Number.POSITIVE_INFINITY, firedAt(alert)),
    });
  }
  const ended = known
    .filter((one) => one.resolvedAt !== undefined || !firing.has(one.name))
    .map((one) => (one.resolvedAt === undefined ? { ...one, resolvedAt: nowMs } : one));
  return [...ended, ...firing.values()].sort((a, b) => a.firedAt - b.firedAt).slice(0, MOST_ALERTS);
}

function quiet(incident: Incident, nowMs: number): Incident {
  const quietSince = incident.quietSince ?? nowMs;
  const alerts = incident.alerts.map((one) =>
    one.resolvedAt === undefined ? { ...one, resolvedAt: nowMs } : one,
  );
  const over = nowMs - quietSince >= QUIET_MS;
  return { ...incident, alerts, quietSince, ...(over ? { to: quietSince } : {}) };
}
