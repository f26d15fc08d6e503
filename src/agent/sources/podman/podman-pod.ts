import type { PodSpec } from '../../../model/kubernetes.ts';
import { SOURCE_ANNOTATION } from '../../../model/source-command.ts';
import { apiTime, type ContainerRecord, type PodRecord } from '../../pod/pod-record.ts';
import type { DescribedContainer } from './described-container.ts';
import type { LifeMemory } from './lives.ts';

/** A pod of Podman's, or a container outside any pod as a pod of one; durable JSON. Times are milliseconds. */
export interface PodmanPod {
  readonly record: PodRecord;
  /** Empty for a pod of one. */
  readonly podId: string;
  /** By Podman's id. */
  readonly containers: Record<string, ContainerMemory>;
}

/** What is known of a container beyond its record. */
export interface ContainerMemory {
  readonly name: string;
  lives: LifeMemory;
  /** The newest lives, oldest first: where each one's log lies in the container's. */
  spans: readonly LifeSpan[];
  /** Deaths nobody asked for, within the last half hour. */
  deathsMs: readonly number[];
  /** Up to which health checks were told. */
  healthMs: number;
  restartPolicy: DescribedContainer['restartPolicy'];
  mostRestarts: number;
  autoRemove: boolean;
  volumes: PodSpec['volumes'];
}

export interface LifeSpan {
  readonly attempt: number;
  readonly startedMs: number;
  readonly endedMs?: number;
}

export interface NewPodmanPod {
  readonly uid: string;
  readonly podId: string;
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly user: string;
  readonly node: string;
  readonly createdMs: number;
  /** It ran before anybody looked: when it became ready is not known. */
  readonly foundRunning: boolean;
}

const PROJECT = ['io.podman.compose.project', 'com.docker.compose.project'];
const SERVICE = ['io.podman.compose.service', 'com.docker.compose.service'];
/** How many pods of it are wanted: 0 for one that may be down. */
const DESIRED = 'podvitals.io/desired';

const labelOf = (labels: Readonly<Record<string, string>>, names: readonly string[]) =>
  names.map((name) => labels[name]).find((value) => value !== undefined && value !== '');

/** Compose names what belongs together; anything else is its own workload. */
export function workloadOf(name: string, labels: Readonly<Record<string, string>>): string {
  const service = labelOf(labels, SERVICE);
  if (service === undefined) return name;
  const project = labelOf(labels, PROJECT);
  return project === undefined ? service : `${project}-${service}`;
}

export function newPodmanPod(asked: NewPodmanPod): PodmanPod {
  const { uid, podId, name, namespace, labels, user, node, createdMs } = asked;
  const desired = Number.parseInt(labels[DESIRED] ?? '', 10);
  return {
    podId,
    containers: {},
    record: {
      ref: { namespace, name, uid, node, workload: workloadOf(name, labels), workloadType: 'barepod' },
      metadata: {
        name,
        namespace,
        uid,
        creationTimestamp: apiTime(createdMs),
        annotations: { [SOURCE_ANNOTATION]: 'podman' },
      },
      spec: { containers: [], nodeName: node, restartPolicy: 'Never' },
      labels: { ...labels, user },
      containers: [],
      startup: { createdAt: createdMs, scheduledAt: createdMs },
      phase: 'Pending',
      conditions: [],
      ready: false,
      ...(asked.foundRunning ? { foundRunning: true } : {}),
      ...(Number.isInteger(desired) && desired >= 0 ? { desired } : {}),
    },
  };
}

/** Takes note of a container, new or changed. */
export function putContainer(
  pod: PodmanPod,
  id: string,
  described: DescribedContainer,
): { readonly memory: ContainerMemory; readonly container: ContainerRecord } {
  const { record } = pod;
  const { name } = described.container;
  const { restartPolicy, mostRestarts, autoRemove, volumes, config } = described;
  pod.containers[id] ??= {
    name,
    lives: { alive: false, seenNano: 0 },
    spans: [],
    deathsMs: [],
    healthMs: 0,
    restartPolicy,
    mostRestarts,
    autoRemove,
    volumes,
  };
  const memory = Object.assign(pod.containers[id], { restartPolicy, mostRestarts, autoRemove, volumes });
  let container = record.containers.find((known) => known.name === name);
  if (!container) {
    container = {
      name,
      init: false,
      ready: false,
      started: false,
      image: {},
      config,
      backOffMs: 0,
      deaths: { Completed: 0, Error: 0, OOMKilled: 0, StartError: 0 },
      requestedDeaths: {},
      crashLoops: 0,
      oomKills: 0,
      probes: {},
    };
    record.containers.push(container);
  }
  container.config = config;
  const others = record.spec.containers.filter((known) => known.name !== name);
  respecify(pod, [...others, described.container]);
  return { memory, container };
}

/** A container of a pod that goes on is gone. */
export function dropContainer(pod: PodmanPod, id: string): void {
  const { record } = pod;
  const { name } = pod.containers[id]!;
  delete pod.containers[id];
  // Another may have taken its name.
  if (Object.values(pod.containers).some((memory) => memory.name === name)) return;
  const index = record.containers.findIndex((container) => container.name === name);
  if (index !== -1) record.containers.splice(index, 1);
  respecify(
    pod,
    record.spec.containers.filter((container) => container.name !== name),
  );
}

/** A pod has one restart policy, Podman's containers have one each: the strongest counts. */
function respecify(pod: PodmanPod, containers: PodSpec['containers']): void {
  const memories = Object.values(pod.containers);
  const policies = memories.map(({ restartPolicy }) => restartPolicy);
  const volumes = memories.flatMap((memory) => memory.volumes ?? []);
  const named = new Map(volumes.map((volume) => [volume.name, volume]));
  pod.record.spec = {
    ...pod.record.spec,
    containers: [...containers].sort((a, b) => (a.name < b.name ? -1 : 1)),
    restartPolicy: policies.includes('Always')
      ? 'Always'
      : policies.includes('OnFailure')
        ? 'OnFailure'
        : 'Never',
    ...(named.size === 0 ? {} : { volumes: [...named.values()] }),
  };
}
