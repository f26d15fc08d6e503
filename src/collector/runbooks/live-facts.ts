import type { Alert } from '../../model/alert.ts';
import type { PodEvent } from '../../model/event.ts';
import type { Evidence } from '../../model/evidence.ts';
import { explain } from '../../model/explanation.ts';
import type { Life } from '../../model/life.ts';
import type { PodState } from '../../model/record.ts';
import { sourceOf } from '../../model/source-command.ts';
import type { Names } from './command.ts';
import { codeBlock, markdown } from './markdown.ts';

/** What an alert is about: its identity labels. */
export interface Subject {
  readonly namespace?: string | undefined;
  readonly pod?: string | undefined;
  readonly container?: string | undefined;
  readonly workload?: string | undefined;
  readonly node?: string | undefined;
  readonly slo?: string | undefined;
}

/** What is known now about the subject; everything but the subject may be missing. */
export interface LiveFacts {
  readonly subject: Subject;
  readonly pod?: PodState | undefined;
  /** Newest first or last, of any container. */
  readonly lives?: readonly Life[] | undefined;
  readonly events?: readonly PodEvent[] | undefined;
  /** Alerts of this name or about this subject. */
  readonly alerts?: readonly Alert[] | undefined;
}

const MOST_LIVES = 10;
const MOST_EVENTS = 15;
const MOST_ALERTS = 20;
const MOST_LOG_LINES = 40;

export function namesOf(facts: LiveFacts | undefined): Names {
  const { subject, pod } = facts ?? {};
  return {
    NAMESPACE: subject?.namespace,
    POD: pod?.pod.name ?? subject?.pod,
    CONTAINER:
      subject?.container ?? newest(facts?.lives)[0]?.container ?? pod?.object.spec.containers[0]?.name,
    WORKLOAD: subject?.workload ?? pod?.pod.workload,
    NODE: subject?.node ?? pod?.pod.node,
    SLO: subject?.slo,
  };
}

/** The facts as a template sees them: every string is Markdown already, none can be taken for markup. */
export function templateFacts(facts: LiveFacts) {
  const lives = newest(facts.lives);
  const logged = lives.find(({ log }) => log.length > 0);
  return {
    subject: markdown(subjectWords(facts)),
    ...(facts.pod === undefined ? {} : { verdict: verdictFacts(facts.pod) }),
    lives: lives.slice(0, MOST_LIVES).map(lifeFacts),
    ...(logged === undefined
      ? {}
      : {
          log: {
            life: logged.attempt + 1,
            container: markdown(logged.container),
            text: codeBlock(
              logged.log.slice(-MOST_LOG_LINES).map(({ text }) => text),
              'text',
            ),
          },
        }),
    events: [...(facts.events ?? [])]
      .sort((a, b) => b.at - a.at)
      .slice(0, MOST_EVENTS)
      .map(({ at, reason, message }) => ({
        at: time(at),
        reason: markdown(reason),
        message: markdown(message),
      })),
    alerts: (facts.alerts ?? []).slice(0, MOST_ALERTS).map(alertFacts),
  };
}

const newest = (lives: readonly Life[] | undefined) =>
  [...(lives ?? [])].sort((a, b) => b.finishedAt - a.finishedAt);

const time = (at: number) => new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z');

function subjectWords({ subject, pod }: LiveFacts): string {
  const name = pod?.pod.name ?? subject.pod ?? subject.workload;
  if (name !== undefined) return `${subject.namespace ?? pod?.pod.namespace ?? 'default'}/${name}`;
  return subject.node ?? subject.slo ?? subject.namespace ?? '';
}

function verdictFacts({ verdict, deleted, object }: PodState) {
  const { changed, facts, moreFacts, now, next, forGood } = explain(verdict, sourceOf(object));
  const told = ({ at, fact, source }: Evidence) => ({
    at: markdown(at),
    fact: markdown(fact),
    source: markdown(source),
  });
  return {
    cause: markdown(verdict.cause),
    confidence: verdict.confidence,
    summary: markdown(verdict.summary),
    deleted,
    evidence: facts.map(told),
    moreFacts,
    changed: changed.map(told),
    // Our own words, which are Markdown.
    now,
    forGood,
    next: next.map(({ command, why }) => ({
      why: markdown(why),
      command: codeBlock([command], 'sh'),
    })),
  };
}

function lifeFacts(life: Life) {
  return {
    life: life.attempt + 1,
    container: markdown(life.container),
    startedAt: time(life.startedAt),
    lived: `${((life.finishedAt - life.startedAt) / 1000).toFixed(1)} s`,
    exit: life.signal === undefined ? String(life.exitCode) : `${life.exitCode} (signal ${life.signal})`,
    reason: markdown(life.reason),
    cause: markdown(life.verdict.cause),
  };
}

function alertFacts({ labels, annotations, state, activeAt }: Alert) {
  const label = (name: string) => labels.find(([key]) => key === name)?.[1] ?? '';
  const summary = annotations.find(([key]) => key === 'summary')?.[1] ?? '';
  return {
    name: markdown(label('alertname')),
    state,
    severity: markdown(label('severity')),
    since: time(activeAt),
    summary: markdown(summary),
  };
}
