import { readFileSync } from 'node:fs';
import type { LogLine } from '../../../model/life.ts';
import { backOffDelay } from '../../../util/back-off.ts';
import { type CancelTimer, type Clock, sleep } from '../../../util/clock.ts';
import { isCodedError } from '../../../util/coded-error.ts';
import type { ContainerInspection } from '../../engines/podman/answers.ts';
import type { PodmanEvent } from '../../engines/podman/event-stream.ts';
import { createPodmanClient } from '../../engines/podman/podman-client.ts';
import { readCgroupMounts } from '../../host/cgroup-hierarchy.ts';
import type { PodRecord } from '../../pod/pod-record.ts';
import { AGENT_LABEL } from '../../pod/runtime/podman/labels.ts';
import { podView } from '../../pod/status/pod-view.ts';
import type { PodTransition } from '../../pod/transition.ts';
import type { PodView } from '../../pod/view.ts';
import type { WriteBehind } from '../../pod/write-behind.ts';
import { applyLives, type LifeContext, settlePod } from './apply-lives.ts';
import { guessCgroups, locateCgroups } from './cgroup-location.ts';
import { isCrashLooping, withCrashLoops } from './crash-loop.ts';
import { type DescribedContainer, describeContainer } from './described-container.ts';
import { healthResults, isHealthy } from './health.ts';
import { type FoundLife, judgeLives } from './lives.ts';
import { logOfLife } from './log-of-life.ts';
import {
  type ContainerMemory,
  dropContainer,
  newPodmanPod,
  type PodmanPod,
  putContainer,
} from './podman-pod.ts';
import { createRecentEvents } from './recent-events.ts';
import type { PodmanSocket } from './sockets.ts';

export interface OnePodmanOptions {
  readonly socket: PodmanSocket;
  readonly namespace: string;
  readonly node: string;
  readonly nodeIp: string;
  /** Keys the hash of settings, so that values cannot be guessed from it. */
  readonly salt: string;
  readonly clock: Clock;
  readonly writer: WriteBehind;
  /** What an earlier agent knew of this Podman. */
  readonly known: { readonly pods: readonly PodmanPod[] } & Partial<Position>;
  readonly oomKills: LifeContext['oomKills'];
  readonly emit: (transition: PodTransition) => void;
  readonly onChange: (record: PodRecord) => void;
  readonly onGone: (record: PodRecord) => Promise<void>;
  readonly onTrouble: (message: string, error: unknown) => void;
  readonly onRecovered: () => void;
}

/** How far the events are accounted for, nanoseconds, and which containers that are in them are gone; durable. */
export interface Position {
  readonly position: number;
  readonly gone: readonly string[];
}

/** One Podman that is watched. */
export interface OnePodman {
  readonly pods: ReadonlyMap<string, PodmanPod>;
  view(uid: string): PodView | undefined;
  logs(
    uid: string,
    container: string,
    attempt: number,
    options: { readonly tail?: number; readonly sinceMs?: number },
  ): Promise<readonly LogLine[]>;
  followLogs(
    uid: string,
    container: string,
    onLine: (line: LogLine) => void,
    signal: AbortSignal,
  ): Promise<void>;
  close(): Promise<void>;
}

export const podKey = (socket: string, uid: string) => `${positionKey(socket)}/pods/${uid}`;
export const positionKey = (socket: string) => `podman/${encodeURIComponent(socket)}`;

const LIST_EVERY_MS = 10_000;
const COLLECT_MS = 20;
const BACK_OFF = { baseMs: 1000, capMs: 30_000 };
const ALIVE_STATES = ['running', 'paused', 'stopping'];
const INSPECTED_AT_ONCE = 4;
const MOST_GONE = 256;
const MOST_UNCLEAR = 10;
const UNCLEAR_MS = 200;
/** Processes write events beside each other: some may come up after a later one. */
const OVERLAP_NS = 10e9;

/**
 * Watches one Podman. Its list and its inspections are the truth, its events say when to look and how a life ended;
 * what was accounted for is durable in the same turn as it is told.
 */
export function watchPodman(options: OnePodmanOptions): OnePodman {
  const { socket, clock, writer, emit } = options;
  const client = createPodmanClient(socket.path);
  const pods = new Map<string, PodmanPod>(options.known.pods.map((pod) => [pod.record.ref.uid, pod]));
  const events = createRecentEvents();
  const dirty = new Set<string>();
  const passedOver = new Set<string>();
  const end = new AbortController();
  const gone = new Set<string>(options.known.gone);
  let position = options.known.position;
  let received = 0;
  let podRemoved = false;
  const unclear = new Map<string, number>();
  let firstList = position === undefined;
  let looking: Promise<void> | undefined;
  let cancelLook: CancelTimer | undefined;
  let cancelList: CancelTimer | undefined;
  let trouble: string | undefined;

  const podOf = (containerId: string) =>
    [...pods.values()].find((pod) => Object.hasOwn(pod.containers, containerId));

  // The same trouble is told once, until it is over.
  const onTrouble = (error: unknown) => {
    const code = isCodedError(error) ? error.code : String(error);
    if (trouble === code) return;
    trouble = code;
    options.onTrouble(socket.path, error);
  };
  const onWell = () => {
    if (trouble !== undefined) options.onRecovered();
    trouble = undefined;
  };

  const save = (pod: PodmanPod) =>
    void writer.write(podKey(socket.path, pod.record.ref.uid), () => pod).catch(() => {});

  const lookSoon = (ms: number) => {
    if (end.signal.aborted) return;
    cancelLook?.();
    cancelLook = clock.setTimer(
      ms,
      () => {
        cancelLook = undefined;
        looking = (looking ?? Promise.resolve()).then(look);
      },
      { unref: true },
    );
  };

  const markPosition = () =>
    writer.mark(positionKey(socket.path), () => ({ position, gone: [...gone] }) as Position);

  const onEvent = (event: PodmanEvent) => {
    if (event.type !== 'container' && event.type !== 'pod') return;
    if (passedOver.has(event.id) || event.attributes[AGENT_LABEL] !== undefined || isInfra(event)) return;
    events.add(event);
    received = Math.max(received, event.nano);
    if (event.type === 'container') dirty.add(event.id);
    if (event.type === 'pod')
      for (const id of Object.keys(pods.get(event.id)?.containers ?? {})) dirty.add(id);
    podRemoved ||= event.type === 'pod' && event.action === 'remove';
    lookSoon(COLLECT_MS);
  };

  /** All there is, held against what is known: whatever differs is looked at. */
  const list = async () => {
    const listed = await client.containers();
    const ids = new Set(listed.map(({ Id }) => Id));
    for (const { Id, State, StartedAt, Labels, IsInfra, Status } of listed) {
      if (IsInfra || Labels[AGENT_LABEL] !== undefined) {
        passedOver.add(Id);
        continue;
      }
      const memory = podOf(Id)?.containers[Id];
      const alive = ALIVE_STATES.includes(State);
      // Whatever ended before anybody looked for the first time is no news.
      if (memory === undefined && !alive && (firstList || StartedAt <= 0 || events.of(Id).length === 0))
        continue;
      const isSame =
        memory !== undefined &&
        memory.lives.alive === alive &&
        StartedAt * 1000 <= (memory.lives.startedMs ?? 0) + 1000 &&
        Status === '' &&
        !isCrashLooping(memory, clock.now());
      if (!isSame) dirty.add(Id);
    }
    for (const pod of pods.values())
      for (const id of Object.keys(pod.containers)) if (!ids.has(id)) dirty.add(id);
    for (const id of passedOver) if (!ids.has(id)) passedOver.delete(id);
    if (firstList) {
      position = Math.max(position ?? 0, clock.now() * 1e6 - 5e9);
      markPosition();
    }
    await forgetEmptyPods();
    looking = (looking ?? Promise.resolve()).then(look);
    await looking;
    firstList = false;
  };
  const listAgain = () => {
    cancelList?.();
    cancelList = clock.setTimer(
      LIST_EVERY_MS,
      () =>
        void list()
          .then(onWell, onTrouble)
          .finally(() => !end.signal.aborted && listAgain()),
      { unref: true },
    );
  };

  const forgetEmptyPods = async () => {
    const empty = [...pods.values()].filter(
      ({ podId, containers }) => podId !== '' && Object.keys(containers).length === 0,
    );
    if (empty.length === 0) return;
    const there = new Set((await client.pods()).map(({ Id }) => Id));
    for (const pod of empty) if (!there.has(pod.podId)) await removePod(pod);
  };

  async function look(): Promise<void> {
    const upTo = received;
    const ids = [...dirty];
    dirty.clear();
    for (let from = 0; from < ids.length && !end.signal.aborted; from += INSPECTED_AT_ONCE) {
      const some = ids.slice(from, from + INSPECTED_AT_ONCE);
      try {
        const found = await Promise.all(some.map(inspect));
        for (const [index, id] of some.entries())
          if (found[index] !== 'unclear') await takeIn(id, found[index]);
      } catch (error) {
        // Podman is away: its next list looks again at whatever differs.
        for (const id of ids.slice(from)) dirty.add(id);
        onTrouble(error);
        return;
      }
    }
    // Nothing is open: an agent that starts again need not hear of it.
    if (dirty.size === 0 && upTo > (position ?? 0)) {
      position = upTo;
      markPosition();
    }
    if (!podRemoved) return;
    podRemoved = false;
    await forgetEmptyPods().catch(onTrouble);
  }

  /** Undefined: it is gone. `unclear`: it is being removed, or Podman stumbles over it; it is looked at again. */
  async function inspect(id: string): Promise<ContainerInspection | 'unclear' | undefined> {
    try {
      const found = await client.container(id);
      unclear.delete(id);
      return found;
    } catch (error) {
      if (isNotFound(error)) {
        unclear.delete(id);
        return undefined;
      }
      if (!isCodedError(error) || !['PODMAN_FAILED', 'PODMAN_BAD_ANSWER'].includes(error.code)) throw error;
      const times = (unclear.get(id) ?? 0) + 1;
      unclear.set(id, times);
      // Beyond that the next list asks again.
      if (times === MOST_UNCLEAR) onTrouble(error);
      if (times < MOST_UNCLEAR) {
        dirty.add(id);
        lookSoon(UNCLEAR_MS);
      }
      return 'unclear';
    }
  }

  async function takeIn(id: string, found: ContainerInspection | undefined): Promise<void> {
    if (found?.IsInfra || found?.Config.Labels[AGENT_LABEL] !== undefined) {
      passedOver.add(id);
      return;
    }
    const pod = podOf(id) ?? (await adopt(id, found));
    if (!pod) return;
    const described = found ? describeContainer(found, options.salt) : undefinedContainer(id, events.of(id));
    const known = pod.containers[id];
    if (!known && !described) return;
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
    if (judged.lookAgainMs !== undefined) {
      dirty.add(id);
      lookSoon(judged.lookAgainMs);
      return;
    }
    for (const settled of [id, pod.podId]) events.settle(settled);
    if (!found) await removeContainer(pod, id);
  }

  async function adopt(id: string, found: ContainerInspection | undefined): Promise<PodmanPod | undefined> {
    if (gone.has(id)) return undefined;
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
      foundRunning: firstList,
    });
    pods.set(uid, pod);
    if (!firstList) {
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

  const infraIds = new Map<string, string>();
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
    gone.add(id);
    if (gone.size > MOST_GONE) gone.delete(gone.values().next().value!);
    markPosition();
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

  async function run(): Promise<void> {
    for (let failures = 0; !end.signal.aborted; failures += 1) {
      try {
        await client.check();
        break;
      } catch (error) {
        onTrouble(error);
        await sleep(clock, backOffDelay(BACK_OFF, failures), end.signal).catch(() => {});
      }
    }
    if (end.signal.aborted) return;
    const since = position;
    await client.followEvents({
      clock,
      ...(since === undefined ? {} : { since: since - OVERLAP_NS }),
      onEvent,
      onConnected: () => void list().then(onWell, onTrouble).finally(listAgain),
      onTrouble,
      onBadEvent: onTrouble,
      signal: end.signal,
      backOff: BACK_OFF,
    });
  }
  const running = run();

  return {
    pods,
    view(uid) {
      const pod = pods.get(uid);
      if (!pod || pod.record.containers.length === 0) return undefined;
      const now = clock.now();
      return withCrashLoops(podView(pod.record, options.nodeIp, now), pod, now);
    },
    async logs(uid, container, attempt, asked) {
      const [id, memory] =
        Object.entries(pods.get(uid)?.containers ?? {}).find(([, { name }]) => name === container) ?? [];
      return id === undefined || memory === undefined
        ? []
        : logOfLife(client, id, memory.spans, attempt, asked);
    },
    async followLogs(uid, container, onLine, signal) {
      const [id] =
        Object.entries(pods.get(uid)?.containers ?? {}).find(([, { name }]) => name === container) ?? [];
      if (id !== undefined) await client.logs(id, { follow: true, tail: 0, signal }, onLine);
    },
    async close() {
      end.abort();
      cancelLook?.();
      cancelList?.();
      await running;
      await looking;
      client.close();
    },
  };
}

const isNotFound = (error: unknown) => isCodedError(error) && error.code === 'PODMAN_NOT_FOUND';

function foundLife({ State }: ContainerInspection): FoundLife {
  return {
    alive: ALIVE_STATES.includes(State.Status),
    ...(State.StartedAt === undefined ? {} : { startedMs: State.StartedAt }),
    ...(State.FinishedAt === undefined ? {} : { finishedMs: State.FinishedAt }),
    exitCode: State.ExitCode,
  };
}

function locate(found: ContainerInspection) {
  const mounts = readCgroupMounts();
  try {
    if (found.State.Pid > 0) {
      const own = readFileSync(`/proc/${found.State.Pid}/cgroup`, 'utf8');
      return locateCgroups(own, mounts, found.Id, found.Pod);
    }
  } catch {
    // It has ended meanwhile.
  }
  return { container: guessCgroups(found, mounts), pod: {} };
}

/** Where nothing of the kernel could be read, Podman's flag is all there is; older ones never set it. */
const flagged = (found: ContainerInspection | undefined) => (found?.State.OOMKilled ? 1 : undefined);

function addressOf({ NetworkSettings }: ContainerInspection): string {
  const own = NetworkSettings?.IPAddress ?? '';
  if (own !== '') return own;
  const networks = Object.values(NetworkSettings?.Networks ?? {});
  return networks.find(({ IPAddress }) => IPAddress !== '')?.IPAddress ?? '';
}

/** Podman names it by its pod; one that is gone already can be told by nothing else. */
const isInfra = ({ name }: PodmanEvent) => /^[0-9a-f]{12}-infra$/.test(name);

/** A container that came and went between two looks, as far as its events tell. */
function undefinedContainer(id: string, own: readonly PodmanEvent[]): DescribedContainer | undefined {
  const event = own.findLast(({ action }) => action === 'start');
  if (!event) return undefined;
  const image = event.attributes.image ?? '';
  const name = event.name || id.slice(0, 12);
  return {
    container: { name, image },
    volumes: [],
    config: { image, command: [], envNames: [], configHash: '' },
    restartPolicy: 'Never',
    mostRestarts: 0,
    autoRemove: true,
  };
}
