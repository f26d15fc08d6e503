import type { Clock } from '../../util/clock.ts';
import { nextTurn } from '../../util/turns.ts';
import { createDeviceNames } from '../host/block-device.ts';
import { createDescriptors, descriptorLimit } from './descriptors.ts';
import { createNodeReader } from './node-reader.ts';
import { createPodReader, type PodReader, type TrackedPod } from './pod-reader.ts';
import { createRation } from './ration.ts';
import type { ContainerUsage, NodeUsage, PodUsage } from './usage.ts';

/** The newest readings; who is missing was not read yet or cannot be read. */
export interface Usages {
  readonly containers: ReadonlyMap<string, ContainerUsage>;
  readonly pods: ReadonlyMap<string, PodUsage>;
}

export interface StatsReader {
  /** Begins to read a pod, or takes note of its present containers. Cheap when nothing changed. */
  track(pod: TrackedPod): void;
  untrack(uid: string): void;
  /**
   * Reads all that is tracked: cheap files now, dear ones when their turn comes. At most 50 containers a turn of the
   * event loop. A call while the one before is under way gets that one's result.
   */
  tick(): Promise<Usages>;
  /** Reads one pod now, dear files included: for the moment something happened to it. */
  readPod(uid: string): Usages;
  /** What the last tick or `readPod` found. */
  latest(): Usages;
  node(): NodeUsage | undefined;
  /** Kernel files kept open. */
  readonly openFiles: number;
  close(): void;
}

export interface StatsReaderOptions {
  readonly clock: Clock;
  /** Most kernel files to keep open; by default what the process's limit allows. */
  readonly maxOpenFiles?: number;
}

const CONTAINERS_A_TURN = 50;
/** What reading tables of sockets may take of a core. */
const SOCKET_TABLES_SHARE = 0.005;

export function createStatsReader({ clock, maxOpenFiles }: StatsReaderOptions): StatsReader {
  const descriptors = createDescriptors(maxOpenFiles ?? descriptorLimit());
  const deviceName = createDeviceNames(clock);
  const readNode = createNodeReader(clock, descriptors);
  const socketTables = createRation(clock, SOCKET_TABLES_SHARE);
  const pods = new Map<string, PodReader>();
  const containerUsages = new Map<string, ContainerUsage>();
  const podUsages = new Map<string, PodUsage>();
  const usages: Usages = { containers: containerUsages, pods: podUsages };
  let underWay: Promise<Usages> | undefined;
  let made = 0;

  const readInto = (pod: PodReader, all: boolean) => {
    podUsages.set(pod.uid, pod.read(clock.now(), all));
    for (const [id, container] of pod.containers) containerUsages.set(id, container.read(clock.now(), all));
  };
  const forget = (pod: PodReader) => {
    podUsages.delete(pod.uid);
    for (const id of pod.containers.keys()) containerUsages.delete(id);
    pod.release();
    pods.delete(pod.uid);
  };
  const readAll = async () => {
    descriptors.nextRound();
    let read = 0;
    for (const pod of [...pods.values()]) {
      const size = pod.containers.size + 1;
      if (read > 0 && read + size > CONTAINERS_A_TURN) {
        await nextTurn();
        read = 0;
      }
      if (pods.get(pod.uid) !== pod) continue;
      readInto(pod, false);
      read += size;
    }
    return usages;
  };

  return {
    track(pod) {
      const known = pods.get(pod.uid);
      for (const id of known?.update(pod) ?? []) containerUsages.delete(id);
      if (!known) pods.set(pod.uid, createPodReader(descriptors, deviceName, socketTables, pod, made++));
    },
    untrack(uid) {
      const pod = pods.get(uid);
      if (pod) forget(pod);
    },
    tick() {
      underWay ??= readAll().finally(() => {
        underWay = undefined;
      });
      return underWay;
    },
    readPod(uid) {
      const pod = pods.get(uid);
      if (pod) readInto(pod, true);
      return usages;
    },
    latest: () => usages,
    node: readNode,
    get openFiles() {
      return descriptors.open;
    },
    close() {
      for (const pod of [...pods.values()]) forget(pod);
      descriptors.close();
    },
  };
}
