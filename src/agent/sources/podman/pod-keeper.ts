import type { Clock } from '../../../util/clock.ts';
import { isCodedError } from '../../../util/coded-error.ts';
import type { ContainerInspection } from '../../engines/podman/answers.ts';
import type { PodmanClient } from '../../engines/podman/podman-client.ts';
import type { PodRecord } from '../../pod/pod-record.ts';
import type { PodTransition } from '../../pod/transition.ts';
import type { WriteBehind } from '../../pod/write-behind.ts';
import { applyLives, type LifeContext, settlePod } from './apply-lives.ts';
import { isCrashLooping } from './crash-loop.ts';
import { describeContainer } from './described-container.ts';
import { addressOf, flagged, foundLife, locate, unseenContainer } from './found.ts';
import { healthResults, isHealthy } from './health.ts';
import { judgeLives } from './lives.ts';
import {
  type ContainerMemory,
  dropContainer,
  newPodmanPod,
  type PodmanPod,
  putContainer,
} from './podman-pod.ts';
import { type PositionKeeper, positionKey } from './position.ts';
import type { RecentEvents } from './recent-events.ts';
import type { PodmanSocket } from './sockets.ts';

export interface PodKeeperOptions {
  readonly socket: PodmanSocket;
  readonly namespace: string;
  readonly node: string;
  /** Keys the hash of settings, so that values cannot be guessed from it. */
  readonly salt: string;
  readonly clock: Clock;
  readonly writer: WriteBehind;
  /** What an earlier agent knew. */
  readonly known: readonly PodmanPod[];
  readonly client: Pick<PodmanClient, 'pod' | 'pods' | 'container'>;
  readonly events: RecentEvents;
  readonly position: PositionKeeper;
  readonly oomKills: LifeContext['oomKills'];
  /** Nobody has sent the first process of this life a signal; false where that cannot be told. */
  readonly isUntouched: (lifeId: string) => boolean;
  readonly emit: (transition: PodTransition) => void;
  readonly onChange: (record: PodRecord) => void;
  readonly onGone: (record: PodRecord) => Promise<void>;
}

/** The pods of one Podman as they were last looked at. */
export interface PodKeeper {
  /** By uid: the pod's id, of a pod of one the container's. */
  readonly pods: ReadonlyMap<string, PodmanPod>;
  memoryOf(containerId: string): ContainerMemory | undefined;
  /**
   * Brings what is known of a container to an inspection that is not older than its events; undefined: it is gone.
   * `foundRunning`: it ran before anybody looked. Resolves with how long to wait before the next look, where one is
   * needed.
   */
  takeIn(
    containerId: string,
    found: ContainerInspection | undefined,
    foundRunning: boolean,
  ): Promise<number | undefined>;
  /** Drops pods without containers that Podman has no more. */
  forgetEmptyPods(): Promise<void>;
}

export const podKey = (socket: string, uid: string) => `${positionKey(socket)}/pods/${uid}`;

/** What is accounted for is durable in the same turn as it is told. */
export function createPodKeeper(options: PodKeeperOptions): PodKeeper {
  const { socket, clock, writer, client, events, position, emit } = options;
  const pods = new Map<string, PodmanPod>(options.known.map((pod) => [pod.record.ref.uid, pod]));
  const infraIds = new Map<string, string>();

  const podOf = (containerId: string) =>
    [...pods.values()].find((pod) => Object.hasOwn(pod.containers, containerId));
  const save = (pod: PodmanPod) =>
    void writer.write(podKey(socket.path, pod.record.ref.uid), () => pod).catch(() => {});

  async function takeIn(
    id: string,
    found: ContainerInspection | undefined,
    foundRunning: boolean,
  ): Promise<number | undefined> {
    const pod = podOf(id) ?? (await adopt(id, found, foundRunning));
    if (!pod) return undefined;
    const described = found ? describeContainer(found, options.salt) : unseenContainer(id, events.of(id));
    const known = pod.containers[id];
    if (!known && !described) return undefined;
    const { memory } = described && (found || !known) ? putContainer(pod, id, described) : { memory: known! };
    const located = found ? locate(found) : { container: {}, pod: {} };
    const context: LifeContext = {
      pid: found?.State.Pid ?? 0,
      cgroup: located.container,
      imageId: found?.Image ?? '',
      restartCount: found?.RestartCount ?? 0,
      oomKills: (life) => options.oomKills(life) ?? flagged(found),
    };
    const container = () => pod.record.containers.find(({ name }) => name === memory.name);
    const judged = judgeLives(memory.lives, {
      events: events.of(id),
      podEvents: pod.podId === '' ? [] : events.of(pod.podId),
      found: found && foundLife(found),
      autoRemove: memory.autoRemove,
      oomKilled() {
        const life = container()?.life;
        return life !== undefined && !life.end && (context.oomKills(life) ?? 0) > 0;
      },
      untouched() {
        const life = container()?.life;
        return life !== undefined && !life.end && options.isUntouched(life.id);
      },
      nowMs: clock.now(),
    });
    memory.lives = judged.memory;
    const news = applyLives(pod, id, judged.facts, context);
    if (found) await refresh(pod, memory, found, located.pod);
    // In one turn: what is told, and that it was.
    for (const transition of [
      ...news,
      ...(found ? probes(pod, memory, found) : []),
      ...settlePod(pod, clock.now()),
    ])
      emit(transition);
    save(pod);
    options.onChange(pod.record);
    if (judged.lookAgainMs !== undefined) return judged.lookAgainMs;
    for (const settled of [id, pod.podId]) events.settle(settled);
    if (!found) await removeContainer(pod, id);
    return undefined;
  }

  async function adopt(
    id: string,
    found: ContainerInspection | undefined,
    foundRunning: boolean,
  ): Promise<PodmanPod | undefined> {
    if (position.isGone(id)) return undefined;
    const own = events.of(id);
    const started = own.some(({ action }) => action === 'start');
    if (found ? foundLife(found).startedMs === undefined && !started : !started) return undefined;
    const podId = found?.Pod ?? own.at(-1)?.podId ?? '';
    const uid = podId === '' ? id : podId;
    const known = pods.get(uid);
    if (known) return known;
    const described = podId === '' ? undefined : await client.pod(podId).catch(() => undefined);
    const name = described?.Name ?? found?.Name ?? own[0]?.name ?? id.slice(0, 12);
    const createdMs =
      described?.Created ?? found?.Created ?? Math.floor((own[0]?.nano ?? clock.now() * 1e6) / 1e6);
    const pod = newPodmanPod({
      uid,
      podId,
      name,
      namespace: options.namespace,
      labels: described?.Labels ?? found?.Config.Labels ?? {},
      user: socket.user,
      node: options.node,
      createdMs,
      foundRunning,
    });
    pods.set(uid, pod);
    if (!foundRunning) {
      const base = { at: createdMs, pod: pod.record.ref };
      for (const kind of ['pod-created', 'pod-scheduled', 'sandbox-ready'] as const) emit({ ...base, kind });
    }
    return pod;
  }

  /** What an inspection says of now: readiness, network, limits. */
  async function refresh(
    pod: PodmanPod,
    memory: ContainerMemory,
    found: ContainerInspection,
    podCgroup: Readonly<Record<string, string>>,
  ): Promise<void> {
    const { record } = pod;
    const container = record.containers.find(({ name }) => name === memory.name)!;
    const running = memory.lives.alive && found.State.Pid > 0;
    const { life } = container;
    if (life && !life.end && running && life.pid !== found.State.Pid)
      container.life = { ...life, pid: found.State.Pid, cgroup: locate(found).container };
    const back = !isCrashLooping(memory, clock.now()) || clock.now() - (life?.startedAt ?? 0) >= 10_000;
    container.ready = running && found.State.Status === 'running' && isHealthy(found) && back;
    container.started = running;
    if (!running) return;
    const infra = pod.podId === '' ? undefined : await infraOf(pod);
    const pid = infra?.State.Pid || found.State.Pid;
    const ip = addressOf(infra ?? found);
    record.sandbox = { podUid: record.ref.uid, pid, cgroup: podCgroup, ...(ip === '' ? {} : { ip }) };
    record.podIp = ip === '' ? undefined : ip;
    const hostNetwork = (infra ?? found).HostConfig.NetworkMode === 'host';
    if (hostNetwork) record.spec = { ...record.spec, hostNetwork };
  }

  async function infraOf({ podId }: PodmanPod): Promise<ContainerInspection | undefined> {
    try {
      const id = infraIds.get(podId) ?? (await client.pod(podId)).InfraContainerID;
      infraIds.set(podId, id);
      return id === '' ? undefined : await client.container(id);
    } catch {
      return undefined;
    }
  }

  function probes(
    pod: PodmanPod,
    memory: ContainerMemory,
    found: ContainerInspection,
  ): readonly PodTransition[] {
    const results = healthResults(found, memory.healthMs);
    const container = pod.record.containers.find(({ name }) => name === memory.name)!;
    if (results.length === 0 || !container.life) return [];
    memory.healthMs = results.at(-1)!.at;
    const counts = container.probes.readiness ?? { succeeded: 0, failed: 0 };
    container.probes.readiness = counts;
    const inARow = found.State.Health?.FailingStreak ?? 0;
    return results.map((result) => {
      counts[result.ok ? 'succeeded' : 'failed'] += 1;
      return {
        kind: 'probe',
        at: result.at,
        pod: pod.record.ref,
        container: memory.name,
        init: false,
        attempt: container.life!.attempt,
        result,
        inARow: result.ok ? 1 : Math.max(1, inARow),
        threshold: found.Config.Healthcheck?.Retries || 3,
      };
    });
  }

  async function removeContainer(pod: PodmanPod, id: string): Promise<void> {
    events.forget(id);
    position.forget(id);
    if (pod.podId === '') return removePod(pod);
    const last = Object.keys(pod.containers).length === 1;
    if (last && (await client.pod(pod.podId).then(() => false, isNotFound))) return removePod(pod);
    dropContainer(pod, id);
    for (const transition of settlePod(pod, clock.now())) emit(transition);
    save(pod);
    options.onChange(pod.record);
  }

  async function removePod(pod: PodmanPod): Promise<void> {
    const { record } = pod;
    const at = clock.now();
    const request = { by: 'delete', message: 'Removed by podman rm', at } as const;
    emit({ kind: 'pod-deleting', at, pod: record.ref, request, graceMs: 0 });
    pods.delete(record.ref.uid);
    events.forget(pod.podId);
    infraIds.delete(pod.podId);
    emit({ kind: 'pod-deleted', at, pod: record.ref });
    await options.onGone(record);
    await writer.remove(podKey(socket.path, record.ref.uid));
  }

  async function forgetEmptyPods(): Promise<void> {
    const empty = [...pods.values()].filter(
      ({ podId, containers }) => podId !== '' && Object.keys(containers).length === 0,
    );
    if (empty.length === 0) return;
    const there = new Set((await client.pods()).map(({ Id }) => Id));
    for (const pod of empty) if (!there.has(pod.podId)) await removePod(pod);
  }

  return {
    pods,
    memoryOf: (containerId) => podOf(containerId)?.containers[containerId],
    takeIn,
    forgetEmptyPods,
  };
}

const isNotFound = (error: unknown) => isCodedError(error) && error.code === 'PODMAN_NOT_FOUND';
