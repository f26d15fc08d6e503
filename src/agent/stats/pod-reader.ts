import type { DeviceName } from '../host/block-device.ts';
import { sharesNetwork } from '../host/procfs-process.ts';
import type { CgroupPaths } from '../pod/runtime/runtime.ts';
import { createCadence } from './cadence.ts';
import { type ContainerReader, createContainerReader } from './container-reader.ts';
import { type CpuReader, createCpuReader } from './cpu-reader.ts';
import type { Descriptors } from './descriptors.ts';
import { createMemoryReader, type MemoryReader } from './memory-reader.ts';
import { createNetworkReader, type NetworkReader } from './network-reader.ts';
import { present } from './numbers.ts';
import type { Ration } from './ration.ts';
import type { PodUsage } from './usage.ts';

/** A pod whose cgroups and network are to be read. */
export interface TrackedPod {
  readonly uid: string;
  /** A process in the pod's network namespace; without one, a container's is taken. */
  readonly sandboxPid?: number;
  readonly hostNetwork: boolean;
  readonly cgroup: CgroupPaths;
  /** Those that run. */
  readonly containers: readonly TrackedContainer[];
}

export interface TrackedContainer {
  readonly name: string;
  readonly id: string;
  readonly pid: number;
  readonly cgroup: CgroupPaths;
}

export interface PodReader {
  readonly uid: string;
  /** Its containers that run, by id. */
  readonly containers: ReadonlyMap<string, ContainerReader>;
  /** Takes note of the containers that run now; returns the ids of those that are gone. */
  update(pod: TrackedPod): readonly string[];
  /** Reads the pod's own cgroup and network when they are due, not its containers. */
  read(at: number, all: boolean): PodUsage;
  release(): void;
}

interface OwnCgroup {
  readonly paths: CgroupPaths;
  readonly cpu: CpuReader;
  readonly memory: MemoryReader;
}

export function createPodReader(
  descriptors: Descriptors,
  deviceName: DeviceName,
  socketTables: Ration,
  first: TrackedPod,
  phase: number,
): PodReader {
  const containers = new Map<string, ContainerReader>();
  let own: OwnCgroup | undefined;
  const dueNow = createCadence(phase);
  let network: NetworkReader | undefined;
  let networkPid: number | undefined;
  let isNew = false;
  let usage: Omit<PodUsage, 'at'> = {};

  const followNetwork = (pod: TrackedPod) => {
    const pid = pod.hostNetwork ? undefined : (pod.sandboxPid ?? pod.containers[0]?.pid);
    if (pid === networkPid) return;
    network?.release();
    networkPid = pid;
    // A pod without a namespace of its own would show the host's traffic as its own.
    const separate = pid !== undefined && sharesNetwork(pid) === false;
    network = separate ? createNetworkReader(descriptors, pid, socketTables) : undefined;
    isNew = true;
  };
  // A pod is there before its sandbox, and a sandbox may be made again.
  const followCgroup = ({ cgroup }: TrackedPod) => {
    if (own && samePaths(own.paths, cgroup)) return;
    own?.cpu.release();
    own?.memory.release();
    own = {
      paths: cgroup,
      cpu: createCpuReader(descriptors, cgroup),
      memory: createMemoryReader(descriptors, cgroup),
    };
    isNew = true;
  };
  const followContainers = (pod: TrackedPod) => {
    const running = new Set(pod.containers.map((container) => container.id));
    const gone = [...containers.keys()].filter((id) => !running.has(id));
    for (const id of gone) {
      containers.get(id)!.release();
      containers.delete(id);
    }
    for (const { id, cgroup } of pod.containers) {
      if (!containers.has(id))
        containers.set(id, createContainerReader(descriptors, deviceName, cgroup, phase));
    }
    return gone;
  };
  const update = (pod: TrackedPod) => {
    followNetwork(pod);
    followCgroup(pod);
    return followContainers(pod);
  };
  update(first);

  return {
    uid: first.uid,
    containers,
    update,
    read(at, all) {
      const due = dueNow(all || isNew);
      isNew = false;
      if (!due.slow) return { ...usage, at };
      const ran = own?.cpu.read(due) ?? true;
      if (!ran && !due.rare) return { ...usage, at };
      own?.memory.read(due);
      const charged = own?.memory.usage().memory;
      usage = {
        ...present('cpuUsageSeconds', own?.cpu.usage().cpu?.usageSeconds),
        ...present('memoryUsageBytes', charged?.usageBytes),
        ...present('memoryWorkingSetBytes', charged?.workingSetBytes),
        ...network?.read(at, due),
      };
      return { ...usage, at };
    },
    release() {
      for (const reader of [own?.cpu, own?.memory, network, ...containers.values()]) reader?.release();
      containers.clear();
    },
  };
}

function samePaths(some: CgroupPaths, others: CgroupPaths): boolean {
  if (some === others) return true;
  const names = Object.keys(some) as (keyof CgroupPaths)[];
  return names.length === Object.keys(others).length && names.every((name) => some[name] === others[name]);
}
