import type { Evidence } from '../../../model/evidence.ts';
import type { Life, ProbeKind, ProbeResult } from '../../../model/life.ts';
import type { Verdict } from '../../../model/verdict.ts';
import { seriesName } from '../citation.ts';
import { portMatch, portsOf, portWords, probePort } from '../listening.ts';
import { currentLog, describePod, manifestOf } from '../next-step.ts';
import { type ContainerNow, containersOf, isReady, lastEvent, type PodEvidence } from '../pod-evidence.ts';
import { brief, duration, rfc3339 } from '../words.ts';
import { eventFact, healthy, type PodFailureOf } from './pod-failure.ts';

// The objective of a start, and when a first start that is not over is called failing rather than slow.
const START_OBJECTIVE_MS = 30_000;
const SLOW_UNTIL_MS = 300_000;
// A program has had its time to listen somewhere when it listens elsewhere for so long.
const LISTENING_GRACE_MS = 5000;

/** Runs, and its readiness (or startup) probe fails: at the wrong port, still starting, or not ready any more. */
export const notReady: PodFailureOf = (pod) => {
  if (isReady(pod)) return undefined;
  const container = containersOf(pod).find(
    ({ init, status }) => !init && status?.state.running && !status.ready,
  );
  const runningSince = Date.parse(container?.status?.state.running?.startedAt ?? '');
  if (!container || Number.isNaN(runningSince)) return undefined;
  const failing: Failing = { pod, container, ranMs: pod.now - runningSince, ...failingProbe(pod, container) };
  if (failing.last === undefined) return stillStarting(failing);
  return wrongPort(failing) ?? slowStart(failing) ?? stillStarting(failing) ?? readinessFailing(failing);
};

interface Failing {
  readonly pod: PodEvidence;
  readonly container: ContainerNow;
  readonly ranMs: number;
  readonly kind: ProbeKind;
  readonly last?: ProbeResult;
}

function failingProbe(
  pod: PodEvidence,
  { name, spec, status }: ContainerNow,
): Pick<Failing, 'kind' | 'last'> {
  const kind = spec.startupProbe && !status?.started ? 'startup' : 'readiness';
  const last = pod.probes.get(name)?.findLast(({ probe }) => probe === kind);
  return last && !last.ok ? { kind, last } : { kind };
}

function wrongPort(failing: Failing): Verdict | undefined {
  const { pod, container, kind, last, ranMs } = failing;
  const port = probePort(container.spec, kind);
  const listening: Life['listening'] = pod.listening ?? [];
  const match = portMatch(listening, port);
  if (listening.length === 0 || ranMs < LISTENING_GRACE_MS) return undefined;
  if (match !== 'nothing-there' && match !== 'loopback-only') return undefined;
  // Listening elsewhere only for metrics or debugging while it starts looks the same.
  const says =
    match === 'loopback-only'
      ? `port ${port} is open on the loopback address only, where the probe cannot reach it`
      : `nothing listens on port ${port}; the pod listens on ${portWords(portsOf(listening))}`;
  return {
    cause: 'ReadinessFailing',
    failureMode: 'F4',
    confidence: pod.view.startup.readyAt === undefined && ranMs >= START_OBJECTIVE_MS ? 'certain' : 'likely',
    summary: `Container ${container.name} runs but is not ready: its ${kind} probe asks port ${port}, and ${says}.`,
    evidence: [
      probeEvidence(failing, last!),
      {
        fact: `the pod listens on ${portWords(portsOf(listening))}`,
        source: seriesName('podvitals_pod_listening_port', pod.view.ref),
        at: rfc3339(pod.now),
      },
    ],
    next: [
      describePod(pod.view.ref, 'compare the probe with the ports of the container'),
      manifestOf(
        pod.view.ref,
        `let the ${kind} probe ask the port the program listens on, or the program listen on ${port}`,
      ),
    ],
  };
}

/** Never ready so far, and past its objective; ready or given up on within five minutes. */
function slowStart(failing: Failing): Verdict | undefined {
  const { pod, container, kind, last } = failing;
  const { readyAt, createdAt } = pod.view.startup;
  const age = pod.now - createdAt;
  if (readyAt !== undefined || age < START_OBJECTIVE_MS || age > SLOW_UNTIL_MS) return undefined;
  return {
    cause: 'SlowStart',
    failureMode: 'F12',
    confidence: 'likely',
    summary: `The pod has not become ready ${duration(age)} after its creation: container ${container.name} runs, and its ${kind} probe is still answered with: ${brief(last!.message, 140)}`,
    evidence: [
      probeEvidence(failing, last!),
      {
        fact: `created ${duration(age)} ago, not ready yet; the objective is ${duration(START_OBJECTIVE_MS)}`,
        source: seriesName('kube_pod_status_ready', pod.view.ref),
        at: rfc3339(pod.now),
      },
    ],
    next: [
      currentLog(pod.view.ref, container.name),
      describePod(pod.view.ref, 'see which stage of the start takes the time'),
    ],
  };
}

function stillStarting({ pod, container, last }: Failing): Verdict | undefined {
  const { readyAt, createdAt } = pod.view.startup;
  const age = pod.now - createdAt;
  if (readyAt !== undefined || (last !== undefined && age >= START_OBJECTIVE_MS)) return undefined;
  if (age >= SLOW_UNTIL_MS) return undefined;
  return healthy(
    `The pod is starting: container ${container.name} runs since ${duration(Math.max(0, age))} and is not ready yet.`,
  );
}

function readinessFailing(failing: Failing): Verdict {
  const { pod, container, kind, last } = failing;
  const event = lastEvent(pod, ['NotReady']);
  const was = pod.view.startup.readyAt === undefined ? 'has never been ready' : 'is not ready any more';
  return {
    cause: 'ReadinessFailing',
    failureMode: 'F4',
    confidence: 'certain',
    summary: `Container ${container.name} runs and ${was}: its ${kind} probe (${brief(last!.target, 100)}) fails with: ${brief(last!.message, 140)}`,
    evidence: [probeEvidence(failing, last!), ...(event ? [eventFact(event)] : [])],
    next: [
      currentLog(pod.view.ref, container.name),
      describePod(pod.view.ref, 'compare the probe with what the container serves'),
    ],
  };
}

function probeEvidence({ pod, container, kind }: Failing, result: ProbeResult): Evidence {
  const event = lastEvent(pod, ['Unhealthy'], container.name);
  const type = `${kind[0]!.toUpperCase()}${kind.slice(1)}`;
  return {
    fact: `${kind} probe ${brief(result.target, 120)}: ${brief(result.message, 160)} (${Math.round(result.latencyMs)} ms)`,
    source:
      event?.id ??
      `${seriesName('prober_probe_total', pod.view.ref, container.name).slice(0, -1)},probe_type="${type}",result="failed"}`,
    at: rfc3339(result.at),
  };
}
