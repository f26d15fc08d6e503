import type { LogLine } from '../../../model/life.ts';
import { type Clock, sleep } from '../../../util/clock.ts';
import { CodedError } from '../../../util/coded-error.ts';
import { createPodmanClient } from '../../engines/podman/podman-client.ts';
import { createNamespaceDialer } from '../../host/namespace-dial.ts';
import { findTools } from '../../host/tool.ts';
import type { PodRecord } from '../../pod/pod-record.ts';
import { openExecSession } from '../../pod/runtime/podman/exec-session.ts';
import { podView } from '../../pod/status/pod-view.ts';
import type { PodTransition } from '../../pod/transition.ts';
import type { PodView } from '../../pod/view.ts';
import type { WriteBehind } from '../../pod/write-behind.ts';
import type { PodSource } from '../pod-source.ts';
import type { LifeContext } from './apply-lives.ts';
import { withCrashLoops } from './crash-loop.ts';
import { logOfLife } from './log-of-life.ts';
import { observePodman } from './observer.ts';
import { controlPod, removePod } from './pod-control.ts';
import { createPodKeeper } from './pod-keeper.ts';
import type { PodmanPod } from './podman-pod.ts';
import { createPosition, type Position } from './position.ts';
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
  /** Nobody has sent the first process of this life a signal; false where that cannot be told. */
  readonly isUntouched: (lifeId: string) => boolean;
  readonly emit: (transition: PodTransition) => void;
  readonly onChange: (record: PodRecord) => void;
  readonly onGone: (record: PodRecord) => Promise<void>;
  readonly onTrouble: (message: string, error: unknown) => void;
  readonly onRecovered: () => void;
}

/** One Podman that is watched. */
export interface OnePodman extends Pick<PodSource, 'control' | 'remove' | 'exec' | 'dial'> {
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

/** What Podman has removed is seen to be gone soon after; a death among it waits for its cause. */
const MOST_REMOVAL_MS = 10_000;
const LOOK_MS = 50;

/** Watches one Podman: what it runs is kept, and told as it changes. */
export function watchPodman(options: OnePodmanOptions): OnePodman {
  const { socket, clock, writer } = options;
  const client = createPodmanClient(socket.path);
  const events = createRecentEvents();
  const position = createPosition(writer, socket.path, options.known);
  const keeper = createPodKeeper({ ...options, known: options.known.pods, client, events, position });
  const observer = observePodman({
    client,
    clock,
    events,
    position,
    keeper,
    onTrouble: (error) => options.onTrouble(socket.path, error),
    onRecovered: options.onRecovered,
  });
  const dialer = createNamespaceDialer(findTools().nsenter);
  const { pods } = keeper;
  const known = (uid: string) => {
    const pod = pods.get(uid);
    if (pod) return pod;
    throw new CodedError('NOT_FOUND', `the pod ${uid} is gone`, { status: 404 });
  };
  const containerOf = (uid: string, name: string) =>
    Object.entries(pods.get(uid)?.containers ?? {}).find(([, memory]) => memory.name === name) ?? [];

  return {
    pods,
    view(uid) {
      const pod = pods.get(uid);
      if (!pod || pod.record.containers.length === 0) return undefined;
      const now = clock.now();
      return withCrashLoops(podView(pod.record, options.nodeIp, now), pod, now);
    },
    async logs(uid, container, attempt, asked) {
      const [id, memory] = containerOf(uid, container);
      return id === undefined || memory === undefined
        ? []
        : logOfLife({ client, socket: socket.path }, id, memory.spans, attempt, asked);
    },
    async followLogs(uid, container, onLine, signal) {
      const [id] = containerOf(uid, container);
      if (id !== undefined) await client.logs(id, { follow: true, tail: 0, signal }, onLine);
    },
    control: async (uid, verb) => controlPod(client, known(uid), verb),
    async remove(uid, graceSeconds) {
      await removePod(client, known(uid), graceSeconds);
      for (let waited = 0; pods.has(uid) && waited < MOST_REMOVAL_MS; waited += LOOK_MS)
        await sleep(clock, LOOK_MS);
    },
    async exec(uid, container, command, asked) {
      const [id] = containerOf(uid, container);
      if (id === undefined || !pods.get(uid)!.containers[id]!.lives.alive)
        throw new CodedError('CONTAINER_NOT_RUNNING', `container ${container} is not running`, {
          status: 409,
        });
      return openExecSession(client, id, command, asked);
    },
    dial: async (uid, port) => dialer.dial(known(uid).record.sandbox?.pid, port),
    async close() {
      await observer.close();
      dialer.close();
      client.close();
    },
  };
}
