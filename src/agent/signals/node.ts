import { agentSignals, kubeletSignals } from '../../wire/catalogue/agent.ts';
import { cpuSignals, memorySignals } from '../../wire/catalogue/container.ts';
import type { Point } from '../../wire/catalogue/signal.ts';
import {
  namespaceSignals,
  nodeAllocatable,
  nodeCapacity,
  replicaSetSignals,
} from '../../wire/catalogue/workload-object.ts';
import type { PodView, WorkloadView } from '../pod/view.ts';
import type { NodeUsage } from '../stats/usage.ts';
import { oneHot, point } from './point.ts';

/** What the agent knows of itself and its node. */
export interface AgentFacts {
  readonly node: string;
  readonly version: string;
  /** What the host lets the runtime enforce, in words. */
  readonly level: string;
  readonly startedAt: number;
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  /** How much was dropped because a limit was reached, by what it was. */
  readonly dropped: Readonly<Record<string, number>>;
}

export function agentPoints(agent: AgentFacts): readonly Point[] {
  const own = [agent.node];
  return [
    point(agentSignals.info, [...own, agent.version, agent.level], 1),
    point(agentSignals.cpuSeconds, own, agent.cpuSeconds, agent.startedAt),
    point(agentSignals.memoryBytes, own, agent.memoryBytes),
    ...Object.entries(agent.dropped).map(([what, count]) =>
      point(agentSignals.dropped, [...own, what], count, agent.startedAt),
    ),
  ];
}

// Time in these modes is idle, or already counted in another (guest time is part of user time).
const NOT_USED = new Set(['idle', 'iowait', 'steal', 'guest', 'guest_nice']);

/** The node as kube-state-metrics and cAdvisor (the root cgroup) show it. */
export function nodePoints(node: string, usage: NodeUsage): readonly Point[] {
  const cpuSeconds = Object.entries(usage.cpuSecondsByMode)
    .filter(([mode]) => !NOT_USED.has(mode))
    .reduce((sum, [, seconds]) => sum + seconds, 0);
  const { totalBytes, availableBytes } = usage.memory;
  return [
    point(nodeCapacity.cpu, [node], usage.cores),
    point(nodeCapacity.memory, [node], totalBytes),
    // Nothing is set aside for the system: pods may use what there is.
    point(nodeAllocatable.cpu, [node], usage.cores),
    point(nodeAllocatable.memory, [node], totalBytes),
    point(cpuSignals.ofNode, [], cpuSeconds),
    point(memorySignals.workingSetOfNode, [], Math.max(0, totalBytes - availableBytes)),
  ];
}

/** The kubelet's counts of what runs. */
export function kubeletPoints(node: string, pods: readonly PodView[]): readonly Point[] {
  const containers = pods.flatMap((pod) => pod.containers);
  const running = containers.filter((container) => container.running).length;
  const exited = pods
    .flatMap(({ object: { status } }) => [
      ...(status.containerStatuses ?? []),
      ...(status.initContainerStatuses ?? []),
    ])
    .filter((status) => status.state.terminated).length;
  return [
    point(kubeletSignals.nodeName, [node], 1),
    point(
      kubeletSignals.runningPods,
      [],
      pods.filter((pod) => pod.containers.some((it) => it.running)).length,
    ),
    point(kubeletSignals.runningContainers, ['running'], running),
    point(kubeletSignals.runningContainers, ['exited'], exited),
  ];
}

/** Objects that exist only through others: the namespaces in use, and the ReplicaSets that own pods. */
export function impliedObjectPoints(
  pods: readonly PodView[],
  workloads: readonly WorkloadView[],
): readonly Point[] {
  const namespaces = new Set([
    ...pods.map((pod) => pod.ref.namespace),
    ...workloads.map((it) => it.namespace),
  ]);
  return [
    ...[...namespaces].flatMap((namespace) =>
      oneHot(namespaceSignals.phase, [namespace], ['Active', 'Terminating'], 'Active'),
    ),
    ...replicaSetOwners(pods),
  ];
}

function replicaSetOwners(pods: readonly PodView[]): readonly Point[] {
  const byName = new Map<string, Point>();
  for (const { ref, object } of pods) {
    for (const owner of object.metadata.ownerReferences ?? []) {
      if (owner.kind !== 'ReplicaSet') continue;
      const above = ref.workloadType === 'deployment' ? ['Deployment', ref.workload, 'true'] : ['', '', ''];
      const labels = [ref.namespace, owner.name, ...above];
      byName.set(`${ref.namespace}/${owner.name}`, point(replicaSetSignals.owner, labels, 1));
    }
  }
  return [...byName.values()];
}
