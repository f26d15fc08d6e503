import handlebars from 'handlebars';
import { causeOf } from '../../model/cause.ts';
import type { PodEvent } from '../../model/event.ts';
import type { Incident, RelatedIncident } from '../../model/incident.ts';
import type { Life } from '../../model/life.ts';
import type { NextStep } from '../../model/verdict.ts';
import { codeBlock, markdown } from './markdown.ts';
import type { Templates } from './templates.ts';

/** What is known of an incident besides its record; in any order. */
export interface PostmortemFacts {
  readonly incident: Incident;
  readonly lives: readonly Life[];
  readonly events: readonly PodEvent[];
  readonly next: readonly NextStep[];
  readonly nowMs: number;
  /** Other incidents that belong with it. */
  readonly related?: readonly RelatedIncident[];
}

export const POSTMORTEM_TEMPLATE = '_postmortem';
/** Reasons that move the story on; the rest of the events is in `podvitals events`. */
const TOLD = new Set([
  'Scheduled',
  'Killing',
  'OOMKill',
  'Evicted',
  'Failed',
  'NotReady',
  'Ready',
  'ScalingReplicaSet',
  'FailedMount',
  'FailedScheduling',
  'DeadlineExceeded',
]);
const MOST_LINES = 60;

/** A draft in Markdown: time line, impact, cause, evidence and actions, from what was recorded; people fill in the rest. */
export function draftPostmortem(facts: PostmortemFacts, templates: Templates): string {
  const source = templates.get(POSTMORTEM_TEMPLATE);
  if (source === undefined) throw new Error(`there is no template ${POSTMORTEM_TEMPLATE}`);
  const { incident, nowMs } = facts;
  const { subject } = incident;
  const end = incident.to ?? nowMs;
  const deaths = facts.lives.filter(({ id }) => incident.lives.includes(id));
  const text = handlebars.create().compile(source, { noEscape: true })({
    id: incident.id,
    title: markdown(titleOf(incident)),
    subject: markdown(
      subject.workload
        ? `${subject.namespace}/${subject.workload}`
        : (subject.node ?? subject.slo ?? subject.namespace ?? 'podvitals'),
    ),
    state: incident.to === undefined ? 'still open' : 'over',
    severity: incident.severity,
    from: time(incident.from),
    to: incident.to === undefined ? 'still open' : time(incident.to),
    lasted: duration(end - incident.from),
    undetected: duration(Math.max(0, incident.detectedAt - incident.from)),
    cause: markdown(incident.cause),
    mode: incident.failureMode,
    confidence: incident.confidence,
    summary: markdown(incident.summary),
    pods: incident.pods.map(markdown),
    deaths: deaths.length,
    budgets: (incident.budgetSpent ?? []).map(({ slo, ratio, recordedMs }) => ({
      slo: markdown(slo),
      share: shareWords(ratio),
      ...(recordedMs === undefined
        ? {}
        : { recorded: recordedMs < 600_000 ? 'some minutes' : duration(recordedMs) }),
    })),
    related: (facts.related ?? []).map(({ id, cause, subject, why }) => ({
      id,
      cause: markdown(cause),
      subject: markdown(subject.workload ?? subject.node ?? subject.slo ?? 'podvitals'),
      why: markdown(why),
    })),
    evidence: incident.evidence.map(({ at, fact, source }) => ({
      at: markdown(at),
      fact: markdown(fact),
      source: markdown(source),
    })),
    timeline: timeline(facts, deaths, end),
    next: facts.next.map(({ command, why }) => ({ command: codeBlock([command], 'sh'), why: markdown(why) })),
    forGood: markdown(
      causeOf(incident.cause)?.forGood ?? 'Find out what recorded facts are missing, and record them.',
    ),
  });
  return `${text.replace(/\n{3,}/g, '\n\n').trim()}\n`;
}

/** `12.5% of the`, or that all of it is gone. */
const shareWords = (ratio: number) =>
  ratio > 1 ? 'All and more of the' : `${Number((ratio * 100).toPrecision(3))}% of the`;

const titleOf = ({ cause, subject }: Incident) =>
  `${cause === 'Unknown' ? 'An incident' : cause} in ${subject.workload ?? subject.node ?? subject.slo ?? 'podvitals'}`;

function timeline({ incident, events }: PostmortemFacts, deaths: readonly Life[], endMs: number) {
  const lines = [
    ...deaths.map(({ finishedAt, container, pod, attempt, exitCode, verdict }) => ({
      at: finishedAt,
      what: `container ${container} of ${pod.name} died (life ${attempt + 1}, exit code ${exitCode}): ${verdict.cause}`,
    })),
    ...events
      .filter(({ reason, at }) => TOLD.has(reason) && at >= incident.from - 600_000 && at <= endMs)
      .map(({ at, reason, message, pod }) => ({ at, what: `${reason}: ${message} (${pod.name})` })),
    ...incident.alerts.flatMap(({ name, severity, firedAt, resolvedAt }) => [
      { at: firedAt, what: `the alert ${name} fired (${severity})` },
      ...(resolvedAt === undefined ? [] : [{ at: resolvedAt, what: `the alert ${name} stopped` }]),
    ]),
    ...(incident.to === undefined ? [] : [{ at: incident.to, what: 'quiet from here on' }]),
  ].sort((a, b) => a.at - b.at);
  // The beginning and the end tell most.
  const half = MOST_LINES / 2;
  const left = lines.length - MOST_LINES;
  const shown =
    left <= 0
      ? lines
      : [
          ...lines.slice(0, half),
          { at: lines[half]!.at, what: `… ${left} more, see podvitals events` },
          ...lines.slice(-half),
        ];
  return shown.map(({ at, what }) => ({ at: time(at), what: markdown(what) }));
}

const time = (at: number) => new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z');

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
