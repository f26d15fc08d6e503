import type { Evidence } from '../../../model/evidence.ts';
import type { Life, ProbeKind, ProbeResult } from '../../../model/life.ts';
import { parseQuantity } from '../../pod/spec/quantity.ts';
import { seriesName } from '../citation.ts';
import type { Finding } from '../failure.ts';
import { portMatch, portsOf, portWords, probeOf, probePort } from '../listening.ts';
import { currentLog, describePod, manifestOf } from '../next-step.ts';
import { type ContainerNow, containersOf, isReady, lastEvent, type PodEvidence } from '../pod-evidence.ts';
import { isMisaddressed, misaddressedWords, probeAnswer } from '../probe-answer.ts';
import { isStarved } from '../starvation.ts';
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
  return (
    misaddressed(failing) ??
    wrongPort(failing) ??
    starved(failing) ??
    stillStarting(failing) ??
    readinessFailing(failing)
  );
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
  const last = pod.probes.get(name)?.findLast(({ probe, late }) => probe === kind && !late);
  return last && !last.ok ? { kind, last } : { kind };
}

function wrongPort(failing: Failing): Finding | undefined {
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
    cause: wrongProbe(kind),
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

/** The program answers, and its answer shows that the probe asks wrongly: path, scheme, command. */
function misaddressed(failing: Failing): Finding | undefined {
  const { pod, container, kind, last, ranMs } = failing;
  const answer = probeAnswer(last!);
  const everGood = pod.probes.get(container.name)?.some(({ probe, ok }) => probe === kind && ok) === true;
  if (!isMisaddressed(answer) || everGood || ranMs < LISTENING_GRACE_MS) return undefined;
  if (pod.view.startup.readyAt !== undefined) return undefined;
  const words = misaddressedWords(answer, last!.target);
  return {
    cause: wrongProbe(kind),
    confidence: ranMs >= START_OBJECTIVE_MS || answer.kind === 'impossible' ? 'certain' : 'likely',
    summary: `Container ${container.name} runs but is not ready: its ${kind} probe (${brief(last!.target, 100)}) cannot succeed, ${words}.`,
    evidence: [probeEvidence(failing, last!)],
    next: [
      describePod(pod.view.ref, 'compare the probe with what the container serves'),
      manifestOf(pod.view.ref, `correct what the ${kind} probe asks: path, port, scheme or command`),
    ],
  };
}

const wrongProbe = (kind: ProbeKind) => (kind === 'startup' ? 'StartupProbeWrong' : 'ReadinessProbeWrong');

/** Its CPU limit leaves it no time to answer. */
function starved(failing: Failing): Finding | undefined {
  const { pod, container, kind, last } = failing;
  if (probeAnswer(last!).kind !== 'timeout') return undefined;
  const ratio = pod.throttled?.get(container.name);
  const probes = pod.probes.get(container.name) ?? [];
  const timeoutMs = (probeOf(container.spec, kind)?.timeoutSeconds ?? 1) * 1000;
  const answersAtAll = probes.some(
    ({ probe, ok, latencyMs }) => probe === kind && ok && latencyMs > timeoutMs / 4,
  );
  const cpu = container.spec.resources?.limits?.cpu;
  if (!isStarved(ratio, cpu === undefined ? undefined : parseQuantity(cpu), answersAtAll)) return undefined;
  return {
    cause: 'CpuThrottled',
    confidence: 'likely',
    summary: `Container ${container.name} runs but is not ready: it does not answer its ${kind} probe within ${duration(timeoutMs)} because its CPU limit${cpu === undefined ? '' : ` of ${cpu}`} leaves it no time to.`,
    evidence: [
      probeEvidence(failing, last!),
      {
        fact: `it was throttled in ${Math.round(ratio! * 100)}% of the CPU periods of the last seconds`,
        source: seriesName('container_cpu_cfs_throttled_periods_total', pod.view.ref, container.name),
        at: rfc3339(pod.now),
      },
    ],
    next: [manifestOf(pod.view.ref, 'raise or remove resources.limits.cpu, or let it do less')],
  };
}

function stillStarting({ pod, container, last }: Failing): Finding | undefined {
  const { readyAt, createdAt } = pod.view.startup;
  const age = pod.now - createdAt;
  if (readyAt !== undefined || (last !== undefined && age >= START_OBJECTIVE_MS)) return undefined;
  if (age >= SLOW_UNTIL_MS) return undefined;
  return healthy(
    `The pod is starting: container ${container.name} runs since ${duration(Math.max(0, age))} and is not ready yet.`,
  );
}

/** Never ready so far and past its objective, or ready no more. Within five minutes it may only be slow. */
function readinessFailing(failing: Failing): Finding {
  const { pod, container, kind, last } = failing;
  const event = lastEvent(pod, ['NotReady']);
  const { readyAt, createdAt } = pod.view.startup;
  const age = pod.now - createdAt;
  const slow = readyAt === undefined && age < SLOW_UNTIL_MS;
  const was =
    readyAt === undefined
      ? `has not become ready ${duration(age)} after its creation`
      : 'is not ready any more';
  return {
    cause: 'ReadinessProbeFailing',
    ...(slow ? { failureMode: 'F12' } : {}),
    confidence: slow ? 'likely' : 'certain',
    summary: `Container ${container.name} runs and ${was}: its ${kind} probe (${brief(last!.target, 100)}) fails with: ${brief(last!.message, 140)}${slow ? '; it may still be starting' : ''}`,
    evidence: [
      probeEvidence(failing, last!),
      ...(slow
        ? [
            {
              fact: `created ${duration(age)} ago, not ready yet; the objective is ${duration(START_OBJECTIVE_MS)}`,
              source: seriesName('kube_pod_status_ready', pod.view.ref),
              at: rfc3339(pod.now),
            },
          ]
        : event
          ? [eventFact(event)]
          : []),
    ],
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
