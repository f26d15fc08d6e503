import type { PodRecord } from '../pod-record.ts';
import { isTerminal } from '../status/phase.ts';

/** A pod that counts: neither on its way out nor over. Source: kubernetes/pkg/controller, IsPodActive */
export const isActive = (pod: PodRecord) => !pod.deletion && !isTerminal(pod.phase);

/**
 * When a pod becomes available: ready for so long without a break; undefined while it is not ready.
 * Source: kubernetes/pkg/api/v1/pod/util.go, IsPodAvailable
 */
export function availableAt(pod: PodRecord, minReadySeconds: number | undefined): number | undefined {
  const ready = pod.conditions.find(({ type }) => type === 'Ready');
  if (ready?.status !== 'True') return undefined;
  return Date.parse(ready.lastTransitionTime) + (minReadySeconds ?? 0) * 1000;
}

export function isAvailable(pod: PodRecord, minReadySeconds: number | undefined, now: number): boolean {
  const at = availableAt(pod, minReadySeconds);
  return at !== undefined && at <= now;
}

/** When the next ready pod becomes available; undefined when none is about to. */
export function nextAvailableAt(
  pods: readonly PodRecord[],
  minReadySeconds: number | undefined,
  now: number,
): number | undefined {
  const due = pods
    .filter(isActive)
    .map((pod) => availableAt(pod, minReadySeconds))
    .filter((at) => at !== undefined && at > now) as readonly number[];
  return due.length === 0 ? undefined : Math.min(...due);
}

export function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((at) => at !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
