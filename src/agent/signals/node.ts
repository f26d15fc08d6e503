import type { Node } from '../../model/kubernetes.ts';
import type { KubernetesObject } from '../../model/kubernetes-object.ts';
import { agentSignals, clockSignals, kubeletSignals } from '../../wire/catalogue/agent.ts';
import { cpuSignals, memorySignals } from '../../wire/catalogue/container.ts';
import type { Point } from '../../wire/catalogue/signal.ts';
import {
  namespaceSignals,
  nodeAllocatable,
  nodeCapacity,
  nodeSignals,
} from '../../wire/catalogue/workload-object.ts';
import { EVICTION_SIGNALS } from '../pod/node/pressure.ts';
import { parseQuantity } from '../pod/spec/quantity.ts';
import type { PodView } from '../pod/view.ts';
import type { NodeUsage } from '../stats/usage.ts';
import { measured, oneHot, point } from './point.ts';

/** What the agent knows of itself and its node. */
export interface AgentFacts {
  readonly node: string;
  readonly version: string;
  /** What the host lets the runtime enforce, in words. */
  readonly level: string;
  readonly startedAt: number;
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  /** How far the node's clock is ahead; absent: nobody measures it here. */
  readonly clockOffsetSeconds?: number;
  /** How much was dropped because a limit was reached, by what it was. */
  readonly dropped: Readonly<Record<string, number>>;
}

export function agentPoints(agent: AgentFacts): readonly Point[] {
  const own = [agent.node];
  return [
    point(agentSignals.info, [...own, agent.version, agent.level], 1),
    point(agentSignals.cpuSeconds, own, agent.cpuSeconds, agent.startedAt),
    point(agentSignals.memoryBytes, own, agent.memoryBytes),
    ...measured(clockSignals.offset, own, agent.clockOffsetSeconds),
    ...Object.entries(agent.dropped).map(([what, count]) =>
      point(agentSignals.dropped, [...own, what], count, agent.startedAt),
    ),
  ];
}

// Time in these modes is idle, or already counted in another (guest time is part of user time).
const NOT_USED = new Set(['idle', 'iowait', 'steal', 'guest', 'guest_nice']);

/** The node as kube-state-metrics and cAdvisor (the root cgroup) show it. */
export function nodePoints(node: string, usage: NodeUsage, object: Node): readonly Point[] {
  const cpuSeconds = Object.entries(usage.cpuSecondsByMode)
    .filter(([mode]) => !NOT_USED.has(mode))
    .reduce((sum, [, seconds]) => sum + seconds, 0);
  const { totalBytes, availableBytes } = usage.memory;
  const { cpu, memory } = object.status.allocatable;
  return [
    point(nodeCapacity.cpu, [node], usage.cores),
    point(nodeCapacity.memory, [node], totalBytes),
    ...measured(nodeAllocatable.cpu, [node], parseQuantity(cpu ?? '')),
    ...measured(nodeAllocatable.memory, [node], parseQuantity(memory ?? '')),
    point(cpuSignals.ofNode, [], cpuSeconds),
    point(memorySignals.workingSetOfNode, [], Math.max(0, totalBytes - availableBytes)),
  ];
}

/** The node's conditions, cordon and taints as kube-state-metrics shows them. */
export function nodeStatePoints({ metadata: { name }, spec, status }: Node): readonly Point[] {
  return [
    ...status.conditions.flatMap(({ type, status: state }) =>
      oneHot(nodeSignals.condition, [name, type], ['true', 'false', 'unknown'], state.toLowerCase()),
    ),
    point(nodeSignals.unschedulable, [name], spec.unschedulable ? 1 : 0),
    ...(spec.taints ?? []).map(({ key, value = '', effect }) =>
      point(nodeSignals.taint, [name, key, value, effect], 1),
    ),
  ];
}

/** The kubelet's counts of what runs. */
export function kubeletPoints(
  node: string,
  pods: readonly PodView[],
  evictions: Readonly<Record<string, number>>,
): readonly Point[] {
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
    ...EVICTION_SIGNALS.map((signal) => point(kubeletSignals.evictions, [signal], evictions[signal] ?? 0)),
  ];
}

/** The namespaces in use: they exist only through what is in them. */
export function namespacePoints(
  pods: readonly PodView[],
  objects: readonly KubernetesObject[],
): readonly Point[] {
  const namespaces = new Set([
    ...pods.map((pod) => pod.ref.namespace),
    ...objects.map(({ metadata }) => metadata.namespace),
  ]);
  return [...namespaces].flatMap((namespace) =>
    oneHot(namespaceSignals.phase, [namespace], ['Active', 'Terminating'], 'Active'),
  );
}
