import type { PodSpec } from '../../../model/kubernetes.ts';
import type { PressureType, Shortage } from './pressure.ts';
import { priorityOf } from './priority.ts';
import { amount, podRequests, requestsOf } from './resources.ts';

/** A pod that could be evicted, with what it uses; what could not be read is absent. */
export interface EvictionCandidate {
  readonly uid: string;
  readonly spec: PodSpec;
  readonly usage: {
    /** Working sets. */
    readonly memoryBytes?: number;
    /** Volumes, logs and writable layers on the node's disk. */
    readonly diskBytes?: number;
    readonly processes?: number;
  };
  readonly containers: readonly { readonly name: string; readonly memoryBytes?: number }[];
}

// Ending a pod that keeps nothing on the disk frees nothing there.
const LEAST_DISK_BYTES = 2 ** 20;

/**
 * Whom to evict first for a shortage: those who use more than they requested, then the least important, then those
 * who use most beyond their request. Pods whose going would free nothing are left out.
 * Source: kubernetes/pkg/kubelet/eviction/helpers.go, rankMemoryPressure, rankDiskPressureFunc, rankPIDPressure
 */
export function evictionOrder(
  pressure: PressureType,
  candidates: readonly EvictionCandidate[],
): readonly EvictionCandidate[] {
  const excess = (pod: EvictionCandidate): number => {
    const requests = podRequests(pod.spec);
    if (pressure === 'MemoryPressure') return (pod.usage.memoryBytes ?? 0) - requests.memory;
    if (pressure === 'DiskPressure') return (pod.usage.diskBytes ?? 0) - requests['ephemeral-storage'];
    return pod.usage.processes ?? 0;
  };
  const frees = (pod: EvictionCandidate) => {
    if (pressure === 'MemoryPressure') return (pod.usage.memoryBytes ?? 0) > 0;
    if (pressure === 'DiskPressure') return (pod.usage.diskBytes ?? 0) >= LEAST_DISK_BYTES;
    return (pod.usage.processes ?? 0) > 0;
  };
  const exceeds = (pod: EvictionCandidate) => (pressure === 'PIDPressure' ? 0 : Number(excess(pod) > 0));
  return candidates
    .filter((pod) => !isCritical(pod.spec) && frees(pod))
    .sort(
      (a, b) => exceeds(b) - exceeds(a) || priorityOf(a.spec) - priorityOf(b.spec) || excess(b) - excess(a),
    );
}

/** Never evicted by the node. Source: kubernetes/pkg/kubelet/types/pod_update.go, IsCriticalPod */
const isCritical = (spec: PodSpec) => priorityOf(spec) >= 2_000_000_000;

const RESOURCE_OF = {
  'memory.available': 'memory',
  'nodefs.available': 'ephemeral-storage',
  'nodefs.inodesFree': 'inodes',
  'pid.available': 'pids',
} as const;

/** The kubelet's words. Source: kubernetes/pkg/kubelet/eviction/helpers.go, evictionMessage */
export function evictionMessage(shortage: Shortage, pod: EvictionCandidate): string {
  const resource = RESOURCE_OF[shortage.signal];
  const counted = shortage.signal === 'pid.available' || shortage.signal === 'nodefs.inodesFree';
  const quantity = (value: number) => (counted ? String(Math.round(value)) : amount('memory', value));
  const words = [
    `The node was low on resource: ${resource}. Threshold quantity: ${quantity(shortage.threshold)}, available: ${quantity(shortage.available)}.`,
  ];
  if (shortage.signal !== 'memory.available') return words[0]!;
  for (const { name, memoryBytes } of pod.containers) {
    const container = pod.spec.containers.find((candidate) => candidate.name === name);
    if (!container || memoryBytes === undefined) continue;
    const request = requestsOf(container).memory;
    if (memoryBytes <= request) continue;
    words.push(
      `Container ${name} was using ${quantity(memoryBytes)}, request is ${quantity(request)}, has larger consumption of memory.`,
    );
  }
  return words.join(' ');
}
