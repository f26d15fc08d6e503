import type { PodSpec, Taint } from '../../../model/kubernetes.ts';
import { qosClass } from '../spec/qos-class.ts';
import { choosesNode, type NodeTraits } from './node-affinity.ts';
import { affinityObstacle } from './pod-affinity.ts';
import { priorityOf } from './priority.ts';
import { type Amounts, amount, podRequests, RESOURCES, sum } from './resources.ts';
import type { Obstacle, PlacedPod, SchedulablePod } from './schedulable-pod.ts';
import { untolerated } from './taint.ts';
import { spreadObstacle } from './topology-spread.ts';

/** The node as the scheduler sees it. */
export interface SchedulableNode extends NodeTraits {
  readonly allocatable: Amounts & { readonly pods: number };
  readonly unschedulable: boolean;
  readonly taints: readonly Taint[];
}

export type Placement =
  | { readonly fits: true }
  /** Would fit once these, all of lower priority, are gone. */
  | { readonly fits: false; readonly message: string; readonly preempt: readonly PlacedPod[] };

/**
 * Whether a pod may run on this one node beside those already placed. The first check that fails is told, in the
 * scheduler's order and words, followed by the arithmetic or the pod that it is a matter of.
 * Source: kubernetes/pkg/scheduler/framework/plugins
 */
export function place(pod: SchedulablePod, node: SchedulableNode, placed: readonly PlacedPod[]): Placement {
  const reasons = obstacles(pod, node, placed);
  if (reasons.length === 0) return { fits: true };
  const preempt = reasons.every(({ movable }) => movable) ? victims(pod, node, placed) : [];
  const counted = reasons.map(({ reason }) => `1 ${reason}`).join(', ');
  const helpless = reasons.some(({ movable }) => !movable)
    ? '1 Preemption is not helpful for scheduling.'
    : '1 No preemption victims found for incoming pod.';
  const preemption = preempt.length > 0 ? '' : ` preemption: 0/1 nodes are available: ${helpless}`;
  const details = reasons.flatMap(({ detail }) => (detail === undefined ? [] : [` ${detail}.`])).join('');
  return { fits: false, message: `0/1 nodes are available: ${counted}.${preemption}${details}`, preempt };
}

/** Who asks for something is not the first to be evicted. Source: kubernetes/plugin/pkg/admission/podtolerationrestriction */
const BEARS_SHORT_MEMORY = [{ key: 'node.kubernetes.io/memory-pressure', operator: 'Exists' }] as const;

function obstacles(
  pod: SchedulablePod,
  node: SchedulableNode,
  placed: readonly PlacedPod[],
): readonly Obstacle[] {
  const { spec } = pod;
  const tolerations = [
    ...(spec.tolerations ?? []),
    ...(qosClass(spec) === 'BestEffort' ? [] : BEARS_SHORT_MEMORY),
  ];
  const cordon: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
  if (node.unschedulable && untolerated([cordon], tolerations)) {
    return [{ reason: 'node(s) were unschedulable' }];
  }
  const taint = untolerated(node.taints, tolerations);
  if (taint) {
    const pair = taint.value ? `${taint.key}: ${taint.value}` : `${taint.key}: `;
    return [{ reason: `node(s) had untolerated taint {${pair}}` }];
  }
  if (!choosesNode(spec, node)) return [{ reason: "node(s) didn't match Pod's node affinity/selector" }];
  if (portConflict(spec, placed)) {
    return [{ reason: "node(s) didn't have free ports for the requested pod ports", movable: true }];
  }
  const short = shortages(spec, node, placed);
  if (short.length > 0) return short;
  const others = spreadObstacle(pod, node, placed) ?? affinityObstacle(pod, node, placed);
  return others ? [others] : [];
}

function shortages(spec: PodSpec, node: SchedulableNode, placed: readonly PlacedPod[]): readonly Obstacle[] {
  const wanted = podRequests(spec);
  const taken = sum(placed.map((pod) => podRequests(pod.spec)));
  const found: Obstacle[] = [];
  if (placed.length + 1 > node.allocatable.pods) found.push({ reason: 'Too many pods', movable: true });
  for (const resource of RESOURCES) {
    const [want, all] = [wanted[resource], node.allocatable[resource]];
    const free = all - taken[resource];
    if (want === 0 || want <= free) continue;
    found.push({
      reason: `Insufficient ${resource}`,
      // What the whole empty node does not have, nobody can make room for.
      movable: want <= all,
      detail: `The pod requests ${amount(resource, want)} of ${resource}; ${amount(resource, Math.max(0, free))} of the node's ${amount(resource, all)} is not requested yet`,
    });
  }
  return found;
}

/** Two host ports clash on the same address or where either binds all. Source: scheduler framework HostPortInfo */
function portConflict(spec: PodSpec, placed: readonly PlacedPod[]): boolean {
  const taken = placed.flatMap((pod) => hostPorts(pod.spec));
  return hostPorts(spec).some((own) =>
    taken.some(
      (other) =>
        own.port === other.port &&
        own.protocol === other.protocol &&
        (own.ip === other.ip || own.ip === '0.0.0.0' || other.ip === '0.0.0.0'),
    ),
  );
}

const hostPorts = (spec: PodSpec) =>
  [...spec.containers, ...(spec.initContainers ?? []).filter((it) => it.restartPolicy === 'Always')]
    .flatMap((container) => container.ports ?? [])
    .flatMap(({ hostPort, protocol = 'TCP', hostIP = '0.0.0.0' }) =>
      hostPort === undefined || hostPort === 0 ? [] : [{ port: hostPort, protocol, ip: hostIP || '0.0.0.0' }],
    );

/** The fewest, least important and youngest pods of lower priority whose going makes room; none when it would not. */
function victims(
  pod: SchedulablePod,
  node: SchedulableNode,
  placed: readonly PlacedPod[],
): readonly PlacedPod[] {
  const { spec } = pod;
  if (spec.preemptionPolicy === 'Never') return [];
  const priority = priorityOf(spec);
  const lower = placed
    .filter((one) => priorityOf(one.spec) < priority)
    .sort((a, b) => priorityOf(b.spec) - priorityOf(a.spec) || a.createdAt - b.createdAt);
  let kept = placed.filter((one) => !lower.includes(one));
  if (obstacles(pod, node, kept).length > 0) return [];
  // Everybody of lower priority is let back in, the most important first, as long as the pod still fits.
  const gone: PlacedPod[] = [];
  for (const one of lower) {
    if (obstacles(pod, node, [...kept, one]).length === 0) kept = [...kept, one];
    else gone.push(one);
  }
  return gone;
}
