import type { CgroupPaths } from '../../pod/runtime/runtime.ts';
import { refreshStatus } from '../../pod/status/refresh.ts';
import { isUnrequested, terminated, terminationReason } from '../../pod/status/termination.ts';
import type { PodTransition } from '../../pod/transition.ts';
import { isCrashLooping, recentDeaths } from './crash-loop.ts';
import type { LifeFact } from './lives.ts';
import type { ContainerMemory, PodmanPod } from './podman-pod.ts';

export interface LifeContext {
  /** Of the life that runs now. */
  readonly pid: number;
  readonly cgroup: CgroupPaths;
  readonly imageId: string;
  /** What Podman counts of its own restarts. */
  readonly restartCount: number;
  /** OOM kills in a life that is over; undefined: could not be read. */
  readonly oomKills: (life: {
    readonly id: string;
    readonly pid: number;
    readonly cgroup: CgroupPaths;
    readonly startedAt: number;
  }) => number | undefined;
}

/** Kubernetes' word and code for an end that nobody saw. Source: kubelet, ContainerStatusUnknown. */
const UNKNOWN = { reason: 'ContainerStatusUnknown', exitCode: 137 } as const;
const MOST_SPANS = 10;
const MOST_SIGNAL = 31;

/** Writes what happened to a container into its pod's record, and tells it in the words of every pod. */
export function applyLives(
  pod: PodmanPod,
  id: string,
  facts: readonly LifeFact[],
  context: LifeContext,
): readonly PodTransition[] {
  const transitions: PodTransition[] = [];
  const memory = pod.containers[id]!;
  const starts = facts.filter(({ kind }) => kind === 'started').length;
  const last = facts.findLastIndex(({ kind }) => kind === 'started');
  for (const [index, fact] of facts.entries()) {
    if (fact.kind === 'died') transitions.push(...die(pod, memory, fact, context));
    else
      transitions.push(
        start(pod, id, memory, fact.atMs, {
          ...context,
          pid: index === last && memory.lives.alive ? context.pid : 0,
          // The first life seen is not the first one where Podman has restarted it before.
          firstAttempt: Math.max(0, context.restartCount + 1 - starts),
        }),
      );
  }
  return transitions;
}

function start(
  pod: PodmanPod,
  id: string,
  memory: ContainerMemory,
  atMs: number,
  context: LifeContext & { readonly firstAttempt: number },
): PodTransition {
  const container = pod.record.containers.find(({ name }) => name === memory.name)!;
  const attempt = container.life === undefined ? context.firstAttempt : container.life.attempt + 1;
  container.previous = container.life?.end ?? container.previous;
  // Podman keeps one id over all lives; ours is that of one life.
  const lifeId = `${id}.${attempt}`;
  container.life = {
    attempt,
    id: lifeId,
    pid: context.pid,
    startedAt: atMs,
    cgroup: context.cgroup,
    config: container.config,
  };
  container.image = { id: context.imageId };
  container.started = true;
  container.waiting = undefined;
  pod.record.stopped = undefined;
  pod.record.failure = undefined;
  memory.spans = [...memory.spans, { attempt, startedMs: atMs }].slice(-MOST_SPANS);
  return {
    kind: 'container-started',
    at: atMs,
    pod: pod.record.ref,
    container: memory.name,
    init: false,
    attempt,
    containerId: lifeId,
    pid: context.pid,
  };
}

function die(
  pod: PodmanPod,
  memory: ContainerMemory,
  fact: Extract<LifeFact, { readonly kind: 'died' }>,
  context: LifeContext,
): readonly PodTransition[] {
  const container = pod.record.containers.find(({ name }) => name === memory.name)!;
  const { life } = container;
  if (!life || life.end) return [];
  const finishedAt = Math.max(fact.atMs, life.startedAt);
  const oomKills = context.oomKills({ ...life, cgroup: life.cgroup });
  const exitCode = fact.exitCode ?? UNKNOWN.exitCode;
  const signal = exitCode - 128;
  const exit = {
    containerId: life.id,
    podUid: pod.record.ref.uid,
    name: memory.name,
    attempt: life.attempt,
    startedAt: life.startedAt,
    finishedAt,
    exitCode,
    ...(fact.exitCode !== undefined && signal > 0 && signal <= MOST_SIGNAL ? { signal } : {}),
    ...(oomKills === undefined ? {} : { oomKills }),
  };
  const reason = fact.exitCode === undefined ? UNKNOWN.reason : terminationReason(exit);
  const goesOn = memory.restartPolicy === 'Always';
  const unrequested = isUnrequested(exitCode, fact.request ?? undefined, goesOn);
  const counts = unrequested ? container.deaths : container.requestedDeaths;
  counts[reason] = (counts[reason] ?? 0) + 1;
  container.oomKills += oomKills ?? 0;
  life.killRequest = fact.request ?? undefined;
  life.end = terminated(exit, reason);
  life.endedAt = finishedAt;
  container.ready = false;
  container.started = false;
  memory.spans = memory.spans.map((span) =>
    span.attempt === life.attempt ? { ...span, endedMs: finishedAt } : span,
  );
  if (unrequested) {
    memory.deathsMs = recentDeaths([...memory.deathsMs, finishedAt], finishedAt);
    if (isCrashLooping(memory, finishedAt)) container.crashLoops += 1;
  }
  const base = {
    pod: pod.record.ref,
    container: memory.name,
    init: false,
    attempt: life.attempt,
  };
  const died: PodTransition = {
    ...base,
    kind: 'container-died',
    at: finishedAt,
    containerId: life.id,
    config: life.config,
    cgroup: life.cgroup,
    startedAt: life.startedAt,
    finishedAt,
    exitCode,
    ...(exit.signal === undefined ? {} : { signal: exit.signal }),
    ...(oomKills === undefined ? {} : { oomKills }),
    reason,
    killRequest: fact.request,
    unrequested,
  };
  if (fact.request === null) return [died];
  return [{ ...base, kind: 'killing', at: fact.request.at, request: fact.request }, died];
}

/** What follows for the pod as a whole, and what of it is news. */
export function settlePod(pod: PodmanPod, now: number): readonly PodTransition[] {
  const { record } = pod;
  const dead = record.containers.filter(({ life }) => life?.end !== undefined);
  const over = dead.length > 0 && dead.length === record.containers.length;
  record.stopped = over && dead.every(({ life }) => life!.killRequest !== undefined) ? true : undefined;
  const gaveUp = Object.values(pod.containers).find((memory) => {
    const life = record.containers.find(({ name }) => name === memory.name)?.life;
    const restarts = memory.spans.length - 1;
    return (
      memory.restartPolicy === 'OnFailure' &&
      memory.mostRestarts > 0 &&
      restarts >= memory.mostRestarts &&
      life?.end !== undefined &&
      life.end.exitCode !== 0
    );
  });
  record.failure =
    over && gaveUp && !record.stopped
      ? {
          reason: 'RestartsExhausted',
          message: `Podman gave up on container ${gaveUp.name} after ${gaveUp.mostRestarts} restarts`,
          at: record.failure?.at ?? now,
        }
      : undefined;
  return refreshStatus(record, now);
}
