import type { Evidence } from '../../model/evidence.ts';
import type { ProbeKind, ProbeResult, VitalFrame } from '../../model/life.ts';
import type { Verdict } from '../../model/verdict.ts';
import { exitFact, ofLife, oomCounterFact, probeFact, seriesName } from './citation.ts';
import { type Death, type EndedLife, livedMs } from './death.ts';
import type { Finding } from './failure.ts';
import { portMatch, portsOf, portWords, probeOf, probePort } from './listening.ts';
import { describePod, manifestOf, previousLog } from './next-step.ts';
import { type ProbeAnswer, probeAnswer, refusedPort } from './probe-answer.ts';
import { brief, duration, rfc3339 } from './words.ts';

/** A kill that a liveness or startup probe asked for, and what that probe had seen in this life. */
export interface ProbeKill {
  readonly kind: Exclude<ProbeKind, 'readiness'>;
  /** The failure the kill followed; absent: not on record. */
  readonly last?: ProbeResult;
  readonly answer: ProbeAnswer;
  readonly failures: readonly ProbeResult[];
  readonly successes: readonly ProbeResult[];
  /** Good answers that came after the probe had given up on them. */
  readonly late: readonly ProbeResult[];
  readonly port?: number;
  /** The life in which something in the pod was last seen to listen: this one, or one before; absent: none. */
  readonly heard?: Pick<EndedLife, 'id' | 'listening' | 'finishedAt'>;
  /** What the pod listened on against what the probe asked; absent: not known. */
  readonly match?: ReturnType<typeof portMatch>;
  readonly timeoutMs: number;
  readonly failureThreshold: number;
  /** Share of CPU periods it was throttled in while it worked, over the last seconds, 0 to 1; absent: not known, or no limit. */
  readonly throttledRatio?: number;
}

const THROTTLED_FRAMES = 15;
const MOST_PROBE_FACTS = 3;

export function probeKillOf(death: Death): ProbeKill | undefined {
  const { life, spec } = death;
  if (life.killRequest?.by !== 'probe') return undefined;
  const kind = probeKind(death);
  const own = life.probes.filter(({ probe }) => probe === kind);
  const failures = own.filter(({ ok }) => !ok);
  const last = failures.at(-1);
  const port = probePort(spec, kind) ?? (last && refusedPort(last));
  const throttledRatio = throttledWhileWorking(life.vitals.slice(-THROTTLED_FRAMES));
  const probe = probeOf(spec, kind);
  // A life that ended before it was looked at is known by the one before it.
  const heard = [life, ...death.earlier.toReversed()].find(({ listening }) => listening.length > 0);
  return {
    kind,
    ...(last ? { last } : {}),
    answer: last ? probeAnswer(last) : { kind: 'other' },
    failures,
    successes: own.filter(({ ok, late }) => ok && !late),
    late: own.filter(({ ok, late }) => ok && late),
    ...(port === undefined ? {} : { port }),
    ...(heard ? { heard, match: portMatch(heard.listening, port) } : {}),
    timeoutMs: (probe?.timeoutSeconds ?? 1) * 1000,
    failureThreshold: probe?.failureThreshold ?? 3,
    ...(throttledRatio === undefined ? {} : { throttledRatio }),
  };
}

// Weighed by the CPU it used: seconds in which it had nothing to do say nothing.
function throttledWhileWorking(vitals: readonly VitalFrame[]): number | undefined {
  let [sum, used] = [0, 0];
  for (const { throttledRatio, cpuCores } of vitals) {
    if (throttledRatio === undefined || cpuCores === undefined) continue;
    sum += throttledRatio * cpuCores;
    used += cpuCores;
  }
  return used === 0 ? undefined : sum / used;
}

/** The request's own words say which; else whichever failed last. */
function probeKind({ life }: Death): ProbeKill['kind'] {
  const said = /\b(liveness|startup)\b/i.exec(life.killRequest?.message ?? '')?.[1]?.toLowerCase();
  if (said === 'liveness' || said === 'startup') return said;
  const last = life.probes.findLast(({ probe, ok }) => !ok && probe !== 'readiness');
  return last?.probe === 'startup' ? 'startup' : 'liveness';
}

/** `Container web was killed 8 s after it started because its liveness probe failed (GET …: …); <why>.` */
export function probeKillVerdict(
  death: Death,
  kill: ProbeKill,
  found: Pick<Verdict, 'cause' | 'confidence'> & {
    readonly why: string;
    readonly facts?: readonly Evidence[];
    readonly remedy: string;
  },
): Finding {
  const { life } = death;
  const { kind, last } = kill;
  const asked = last === undefined ? '' : ` (${brief(last.target, 100)}: ${brief(last.message, 100)})`;
  const counter = oomCounterFact(death);
  return {
    cause: found.cause,
    // Without a recorded answer the kill itself is known, its reason is not.
    confidence: last === undefined && found.confidence === 'certain' ? 'likely' : found.confidence,
    summary: `Container ${life.container} was killed ${duration(livedMs(death))} after it started because its ${kind} probe failed${asked}; ${found.why}.`,
    evidence: [
      ofLife(death, brief(life.killRequest!.message, 200), life.killRequest!.at),
      ...kill.failures.slice(-MOST_PROBE_FACTS).map((result) => probeFact(death, result)),
      ...(found.facts ?? []),
      ...portFacts(kill),
      exitFact(death),
      ...(counter ? [counter] : []),
    ],
    next: [
      describePod(life.pod, 'compare the probe with what the container serves'),
      previousLog(life.pod, life.container),
      manifestOf(life.pod, found.remedy),
    ],
  };
}

/** The last good answer in this life: when it was well. */
export function lastSuccessFact(death: Death, { kind, successes }: ProbeKill): readonly Evidence[] {
  const last = successes.at(-1);
  if (!last) return [];
  return [
    ofLife(death, `its ${kind} probe last succeeded at ${rfc3339(last.at).slice(11, 19)} UTC`, last.at),
  ];
}

export function lateFacts(death: Death, { late }: ProbeKill): readonly Evidence[] {
  const last = late.at(-1);
  if (!last) return [];
  const took = duration(last.latencyMs);
  return [ofLife(death, `an answer came after the probe had given up on it: good, after ${took}`, last.at)];
}

export function throttledFacts({ life }: Death, { throttledRatio }: ProbeKill): readonly Evidence[] {
  if (throttledRatio === undefined) return [];
  const limit = life.config.cpuLimitCores;
  return [
    {
      fact: `in its last seconds, while it worked, it was throttled in ${Math.round(throttledRatio * 100)}% of the CPU periods${limit === undefined ? '' : `; its CPU limit is ${limit} of a core`}`,
      source: seriesName('container_cpu_cfs_throttled_periods_total', life.pod, life.container),
      at: rfc3339(life.finishedAt),
    },
  ];
}

function portFacts({ port, heard }: ProbeKill): readonly Evidence[] {
  if (port === undefined || !heard) return [];
  const ports = portWords(portsOf(heard.listening));
  return [
    {
      fact: `the probe asks port ${port}; the pod listened on ${ports}`,
      source: heard.id,
      at: rfc3339(heard.finishedAt),
    },
  ];
}

/** Seen before: the life before this one had the same verdict, so that chance and an unlucky moment are out. */
export const isRepeated = ({ earlier }: Death, cause: string): boolean =>
  earlier.at(-1)?.verdict.cause === cause;
