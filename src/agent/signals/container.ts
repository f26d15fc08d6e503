import {
  cpuPressure,
  cpuSignals,
  diskReads,
  diskWrites,
  ioPressure,
  memoryPressure,
  memorySignals,
  processSignals,
  specSignals,
} from '../../wire/catalogue/container.ts';
import type { NumberPoint, Point, Signal } from '../../wire/catalogue/signal.ts';
import { parseQuantity } from '../pod/spec/quantity.ts';
import type { ContainerView, PodView } from '../pod/view.ts';
import { cgroupPath } from '../stats/cgroup-path.ts';
import type { ContainerUsage, PodUsage } from '../stats/usage.ts';
import { measured, point } from './point.ts';

const CPU_PERIOD_US = 100_000;
const SHARES_PER_CORE = 1024;
const LEAST_SHARES = 2;
/** Container series without an image are left out by every dashboard; pods on the host's own files have this one. */
const HOST_IMAGE = 'host';

type Value = (usage: ContainerUsage) => number | undefined;

const COUNTERS: readonly (readonly [Signal, Value])[] = [
  [cpuSignals.usage, (usage) => usage.cpu?.usageSeconds],
  [cpuSignals.user, (usage) => usage.cpu?.userSeconds],
  [cpuSignals.system, (usage) => usage.cpu?.systemSeconds],
  [cpuSignals.periods, (usage) => usage.throttling?.periods],
  [cpuSignals.throttledPeriods, (usage) => usage.throttling?.throttledPeriods],
  [cpuSignals.throttledTime, (usage) => usage.throttling?.throttledSeconds],
  [memorySignals.failcnt, (usage) => usage.memory?.failures],
  [memorySignals.oomEvents, (usage) => usage.oomKills],
  [cpuPressure.waiting, (usage) => usage.pressure?.cpu?.someSeconds],
  [cpuPressure.stalled, (usage) => usage.pressure?.cpu?.fullSeconds],
  [memoryPressure.waiting, (usage) => usage.pressure?.memory?.someSeconds],
  [memoryPressure.stalled, (usage) => usage.pressure?.memory?.fullSeconds],
  [ioPressure.waiting, (usage) => usage.pressure?.io?.someSeconds],
  [ioPressure.stalled, (usage) => usage.pressure?.io?.fullSeconds],
];

const GAUGES: readonly (readonly [Signal, Value])[] = [
  [memorySignals.usage, (usage) => usage.memory?.usageBytes],
  [memorySignals.workingSet, (usage) => usage.memory?.workingSetBytes],
  [memorySignals.rss, (usage) => usage.memory?.rssBytes],
  [memorySignals.cache, (usage) => usage.memory?.cacheBytes],
  [memorySignals.mappedFile, (usage) => usage.memory?.mappedFileBytes],
  [memorySignals.kernel, (usage) => usage.memory?.kernelBytes],
  [memorySignals.swap, (usage) => usage.memory?.swapBytes],
  [memorySignals.maxUsage, (usage) => usage.memory?.maxUsageBytes],
  [processSignals.processes, (usage) => usage.processes],
  [processSignals.threads, (usage) => usage.threads],
  [processSignals.threadsMax, (usage) => usage.pidsLimit],
  [processSignals.descriptors, (usage) => usage.openDescriptors],
  [processSignals.sockets, (usage) => usage.openSockets],
  [specSignals.lastSeen, (usage) => Math.floor(usage.at / 1000)],
];

/** What cAdvisor says about a container while it runs. What could not be read has no series. */
export function containerPoints(
  view: PodView,
  container: ContainerView,
  usage: ContainerUsage | undefined,
): readonly Point[] {
  if (!container.running) return [];
  const own = containerLabels(view, container, container.running);
  const since = container.running.startedAt;
  return spec(view, container, own, since).concat(usage ? used(own, usage, since) : []);
}

function containerLabels(
  view: PodView,
  container: ContainerView,
  running: NonNullable<ContainerView['running']>,
): readonly string[] {
  return [
    view.ref.namespace,
    view.ref.name,
    container.name,
    cgroupPath(running.cgroup) ?? '',
    running.id,
    container.config.image || HOST_IMAGE,
  ];
}

function used(own: readonly string[], usage: ContainerUsage, since: number): readonly NumberPoint[] {
  const faults = usage.memory;
  const points: NumberPoint[] = [];
  for (const [signal, read] of COUNTERS) {
    const value = read(usage);
    if (value !== undefined) points.push(point(signal, own, value, since));
  }
  for (const [signal, read] of GAUGES) {
    const value = read(usage);
    if (value !== undefined) points.push(point(signal, own, value));
  }
  return points.concat(
    measured(memorySignals.pageFaults, own.concat('pgfault'), faults?.pageFaults, since),
    measured(memorySignals.pageFaults, own.concat('pgmajfault'), faults?.majorPageFaults, since),
    (usage.devices ?? []).flatMap((entry) => [
      point(diskReads.bytes, own.concat(entry.device), entry.readBytes, since),
      point(diskReads.operations, own.concat(entry.device), entry.reads, since),
      point(diskWrites.bytes, own.concat(entry.device), entry.writeBytes, since),
      point(diskWrites.operations, own.concat(entry.device), entry.writes, since),
    ]),
  );
}

function spec(
  view: PodView,
  { name, init, config }: ContainerView,
  own: readonly string[],
  startedAt: number,
): readonly NumberPoint[] {
  const { spec: manifest } = view.object;
  const resources = (init ? (manifest.initContainers ?? []) : manifest.containers).find(
    (container) => container.name === name,
  )?.resources;
  const cores = parseQuantity(resources?.requests?.cpu ?? resources?.limits?.cpu ?? '0') ?? 0;
  const limit = config.cpuLimitCores;
  return [
    point(specSignals.startTime, own, startedAt / 1000),
    point(specSignals.cpuShares, own, Math.max(LEAST_SHARES, Math.floor(cores * SHARES_PER_CORE))),
    point(specSignals.cpuPeriod, own, CPU_PERIOD_US),
    ...measured(
      specSignals.cpuQuota,
      own,
      limit === undefined ? undefined : Math.round(limit * CPU_PERIOD_US),
    ),
    point(specSignals.memoryLimit, own, config.memoryLimitBytes ?? 0),
  ];
}

/** What cAdvisor says about a pod's own cgroup: no container, no image, so that sums count nothing twice. */
export function podCgroupPoints(view: PodView, usage: PodUsage | undefined): readonly Point[] {
  const id = view.sandbox && cgroupPath(view.sandbox.cgroup);
  if (!id || !usage) return [];
  const own = [view.ref.namespace, view.ref.name, id];
  return [
    ...measured(cpuSignals.ofPod, own, usage.cpuUsageSeconds, view.startup.createdAt),
    ...measured(memorySignals.usageOfPod, own, usage.memoryUsageBytes),
    ...measured(memorySignals.workingSetOfPod, own, usage.memoryWorkingSetBytes),
  ];
}
