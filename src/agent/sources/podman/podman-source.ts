import { randomUUID } from 'node:crypto';
import type { CancelTimer, Clock } from '../../../util/clock.ts';
import { CodedError } from '../../../util/coded-error.ts';
import type { KeyValue } from '../../pod/key-value.ts';
import type { PodTransition } from '../../pod/transition.ts';
import { createWorkloads } from '../../pod/workload/workloads.ts';
import { createWriteBehind } from '../../pod/write-behind.ts';
import type { PodSource } from '../pod-source.ts';
import type { LifeContext } from './apply-lives.ts';
import type { PodmanPod } from './podman-pod.ts';
import { type Position, positionKey } from './position.ts';
import type { PodmanSocket } from './sockets.ts';
import { type OnePodman, watchPodman } from './watched-podman.ts';

export interface PodmanSourceOptions {
  readonly clock: Clock;
  /** Keys below `podman/` and `pod/workloads/`: not to be shared with the agent's own pods. */
  readonly keyValue: KeyValue;
  readonly node: { readonly name: string; readonly ip: string };
  /** OOM kills in a life that is over; undefined: could not be read. */
  readonly oomKills: LifeContext['oomKills'];
  /** Nobody has sent the first process of this life a signal; false where that cannot be told. */
  readonly isUntouched: (lifeId: string) => boolean;
  /** The sockets there are now. */
  readonly sockets: () => readonly PodmanSocket[];
  /** Something a person should know, once each time it begins. */
  readonly onTrouble: (message: string, error: unknown) => void;
  readonly onRecovered: (message: string) => void;
  readonly onError: (error: unknown) => void;
}

const LOOK_FOR_SOCKETS_MS = 10_000;
const SALT_KEY = 'podman/salt';
/** Pods of root's Podman, and of the agent's own user, are where Kubernetes puts what has no namespace. */
const NAMESPACE = 'default';

/** The pods of every Podman of this host, each user's own. */
export function createPodmanSource(options: PodmanSourceOptions): PodSource {
  const { clock, keyValue, node, sockets, onError } = options;
  const writer = createWriteBehind(keyValue, clock, onError);
  const watched = new Map<string, OnePodman>();
  const listeners = new Set<(transition: PodTransition) => void>();
  let cancel: CancelTimer = () => {};
  let closed = false;

  const podsThere = () => [...watched.values()].flatMap(({ pods }) => [...pods.values()]);
  const workloads = createWorkloads({
    keyValue,
    writer,
    objects: { get: () => undefined, list: () => [], ownedBy: () => [] },
    pods: () => podsThere().map(({ record }) => record),
    node: node.name,
  });
  const owner = (podUid: string) => [...watched.values()].find(({ pods }) => pods.has(podUid));
  const ownerOrThrow = (podUid: string) => {
    const one = owner(podUid);
    if (one) return one;
    throw new CodedError('NOT_FOUND', `no Podman has the pod ${podUid} any more`, { status: 404 });
  };

  const salt = () => {
    const kept = keyValue.get(SALT_KEY);
    if (typeof kept === 'string') return kept;
    const made = randomUUID();
    void writer.write(SALT_KEY, () => made);
    return made;
  };
  const emit = (transition: PodTransition) => {
    for (const listener of [...listeners]) {
      try {
        listener(transition);
      } catch (error) {
        onError(error);
      }
    }
  };

  const watch = (socket: PodmanSocket, secret: string) => {
    const key = positionKey(socket.path);
    const kept = keyValue.get(key) as Position | undefined;
    const one = watchPodman({
      socket,
      namespace: socket.user === 'root' || socket.named ? NAMESPACE : namespaceOf(socket.user),
      node: node.name,
      nodeIp: node.ip,
      salt: secret,
      clock,
      writer,
      known: {
        pods: keyValue.entries(`${key}/pods/`).map(([, pod]) => pod as PodmanPod),
        ...kept,
      },
      oomKills: options.oomKills,
      isUntouched: options.isUntouched,
      emit,
      onChange: (record) => workloads.update(record, clock.now()),
      onGone: (record) => workloads.podGone(record, clock.now()),
      onTrouble: (path, error) =>
        options.onTrouble(`pods of ${socket.user}'s Podman at ${path} are not seen`, error),
      onRecovered: () =>
        options.onRecovered(`pods of ${socket.user}'s Podman at ${socket.path} are seen again`),
    });
    watched.set(socket.path, one);
  };
  const lookForSockets = () => {
    if (closed) return;
    try {
      const secret = salt();
      for (const socket of sockets()) if (!watched.has(socket.path)) watch(socket, secret);
    } catch (error) {
      onError(error);
    }
    cancel = clock.setTimer(LOOK_FOR_SOCKETS_MS, lookForSockets, { unref: true });
  };

  return {
    async start() {
      lookForSockets();
    },
    views: () => ({
      pods: podsThere().flatMap(({ record }) => owner(record.ref.uid)?.view(record.ref.uid) ?? []),
      workloads: workloads.views(clock.now()),
    }),
    view: (podUid) => owner(podUid)?.view(podUid),
    ownerOf(containerId) {
      for (const { record } of podsThere())
        for (const { name, life } of record.containers)
          if (life?.id === containerId && !life.end)
            return { pod: record.ref, container: name, attempt: life.attempt };
      return undefined;
    },
    onTransition(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    logs: async (podUid, container, attempt, asked) =>
      (await owner(podUid)?.logs(podUid, container, attempt, asked)) ?? [],
    followLogs: async (podUid, container, _attempt, onLine, signal) =>
      owner(podUid)?.followLogs(podUid, container, onLine, signal),
    control: async (podUid, verb) => ownerOrThrow(podUid).control(podUid, verb),
    remove: async (podUid, graceSeconds) => ownerOrThrow(podUid).remove(podUid, graceSeconds),
    exec: async (podUid, container, command, asked) =>
      ownerOrThrow(podUid).exec(podUid, container, command, asked),
    dial: async (podUid, port) => ownerOrThrow(podUid).dial(podUid, port),
    async close() {
      closed = true;
      cancel();
      await Promise.all([...watched.values()].map((one) => one.close()));
      workloads.settle(clock.now());
      await writer.flush();
    },
  };
}

/** A user's name as a namespace may be called. */
export const namespaceOf = (user: string) =>
  user
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '') || 'user';
