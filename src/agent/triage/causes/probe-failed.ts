import type { ProbeKind } from '../../../model/life.ts';
import type { Verdict } from '../../../model/verdict.ts';
import { exitFact, ofLife, oomCounterFact, probeFact } from '../citation.ts';
import { type Death, livedMs } from '../death.ts';
import type { FailureOf } from '../failure.ts';
import { portMatch, portsOf, portWords, probeOf, probePort } from '../listening.ts';
import { describePod, manifestOf, previousLog } from '../next-step.ts';
import { brief, duration } from '../words.ts';

const CAUSES = { liveness: 'LivenessProbeFailed', startup: 'StartupProbeFailed' } as const;
const MOST_PROBE_FACTS = 3;

/** A liveness or startup probe failed, and the container was killed for it: 137 or 143 is only how, not why. */
export const probeFailed: FailureOf = (death) => {
  const { life } = death;
  if (life.killRequest?.by !== 'probe') return undefined;
  const kind = probeKind(death);
  const failures = life.probes.filter(({ probe, ok }) => probe === kind && !ok);
  const counter = oomCounterFact(death);
  return {
    cause: CAUSES[kind],
    failureMode: 'F1',
    confidence: failures.length > 0 || life.killRequest.message !== '' ? 'certain' : 'likely',
    summary: summaryOf(death, kind),
    evidence: [
      ofLife(death, brief(life.killRequest.message, 200), life.killRequest.at),
      ...failures.slice(-MOST_PROBE_FACTS).map((result) => probeFact(death, result)),
      ...portFacts(death, kind),
      exitFact(death),
      ...(counter ? [counter] : []),
    ],
    next: nextSteps(death, kind),
  };
};

/** The request's own words say which; else whichever failed last. */
function probeKind({ life }: Death): Exclude<ProbeKind, 'readiness'> {
  const said = /\b(liveness|startup)\b/i.exec(life.killRequest?.message ?? '')?.[1]?.toLowerCase();
  if (said === 'liveness' || said === 'startup') return said;
  const last = life.probes.findLast(({ probe, ok }) => !ok && probe !== 'readiness');
  return last?.probe === 'startup' ? 'startup' : 'liveness';
}

function summaryOf(death: Death, kind: Exclude<ProbeKind, 'readiness'>): string {
  const { life } = death;
  const last = life.probes.findLast(({ probe, ok }) => probe === kind && !ok);
  const asked = last === undefined ? '' : ` (${brief(last.target, 100)}: ${brief(last.message, 100)})`;
  const killed = `Container ${life.container} was killed ${duration(livedMs(death))} after it started because its ${kind} probe failed${asked}`;
  return `${killed}; ${explanation(death, kind)}.`;
}

function explanation(death: Death, kind: Exclude<ProbeKind, 'readiness'>): string {
  const { life, spec } = death;
  const port = probePort(spec, kind);
  const match = life.listening.length > 0 ? portMatch(life.listening, port) : undefined;
  if (match === 'nothing-there')
    return `nothing listens on port ${port}, the pod listens on ${portWords(portsOf(life.listening))}`;
  if (match === 'loopback-only')
    return `port ${port} is open on the loopback address only, where a probe cannot reach it`;
  if (kind === 'startup') return 'it takes longer to start than the probe allows, or cannot start';
  const last = life.probes.findLast(({ probe, ok }) => probe === kind && !ok);
  const seconds = probeOf(spec, kind)?.timeoutSeconds ?? 1;
  if (/time|deadline/i.test(last?.message ?? ''))
    return `it does not answer within ${seconds} s: it hangs, or has too little CPU`;
  return 'it runs but does not call itself alive';
}

function portFacts(death: Death, kind: ProbeKind) {
  const { life, spec } = death;
  const port = probePort(spec, kind);
  if (port === undefined || life.listening.length === 0) return [];
  return [
    ofLife(death, `the probe asks port ${port}; the pod listened on ${portWords(portsOf(life.listening))}`),
  ];
}

function nextSteps({ life }: Death, kind: Exclude<ProbeKind, 'readiness'>): Verdict['next'] {
  const remedy =
    kind === 'startup'
      ? 'give the start more time (startupProbe failureThreshold x periodSeconds), or mend what the probe asks'
      : 'mend what the probe asks (path, port), or be more patient (timeoutSeconds, failureThreshold, a startupProbe)';
  return [
    describePod(life.pod, 'compare the probe with what the container serves'),
    previousLog(life.pod, life.container),
    manifestOf(life.pod, remedy),
  ];
}
