import type { ReplicaSet, WorkloadCondition } from '../../../model/kubernetes-workload.ts';
import { apiTime, type PodRecord } from '../pod-record.ts';
import { isTerminal } from '../status/phase.ts';
import { isActive, isAvailable } from './availability.ts';

/** How many pods that are over stay to be looked at; the oldest go first. */
export const MOST_ENDED_PODS = 10;

export interface ReplicaDecision {
  /** Pods are over as soon as they are made: the next may be made then. */
  readonly wakeAt?: number | undefined;
  readonly create: number;
  readonly delete: readonly { readonly pod: PodRecord; readonly why: 'scale' | 'ended' }[];
}

const LONGEST_HOLD_MS = 60_000;

/** When a pod that is over ended. */
export const endedAt = (pod: PodRecord) =>
  pod.failure?.at ?? Math.max(pod.startup.createdAt, ...pod.containers.map(({ life }) => life?.endedAt ?? 0));

/** The first pod that ends is replaced at once, further ones after 2 s, 4 s, and so on up to a minute. */
function heldUntil(ended: readonly PodRecord[]): number | undefined {
  if (ended.length < 2) return undefined;
  return Math.max(...ended.map(endedAt)) + Math.min(1000 * 2 ** (ended.length - 1), LONGEST_HOLD_MS);
}

/** What a ReplicaSet needs: as many active pods as it wants. Source: pkg/controller/replicaset, manageReplicas */
export function decideReplicas(replicas: number, pods: readonly PodRecord[], now: number): ReplicaDecision {
  const active = pods.filter(isActive);
  const ended = pods
    .filter((pod) => isTerminal(pod.phase) && !pod.deletion)
    .sort((a, b) => a.startup.createdAt - b.startup.createdAt);
  const excess = [...active].sort(firstToGo).slice(0, Math.max(0, active.length - replicas));
  const missing = Math.max(0, replicas - active.length);
  const held = missing > 0 ? heldUntil(ended) : undefined;
  const isHeld = held !== undefined && held > now;
  return {
    create: isHeld ? 0 : missing,
    ...(isHeld ? { wakeAt: held } : {}),
    delete: [
      ...ended
        .slice(0, Math.max(0, ended.length - MOST_ENDED_PODS))
        .map((pod) => ({ pod, why: 'ended' as const })),
      ...excess.map((pod) => ({ pod, why: 'scale' as const })),
    ],
  };
}

const PHASES = ['Pending', 'Unknown', 'Running'];

/** Pending before running, not ready before ready, then the youngest. Source: pkg/controller, ActivePods.Less */
function firstToGo(a: PodRecord, b: PodRecord): number {
  return (
    PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase) ||
    Number(a.ready) - Number(b.ready) ||
    b.startup.createdAt - a.startup.createdAt
  );
}

export function replicaSetStatus(
  { metadata, spec, status }: Pick<ReplicaSet, 'metadata' | 'spec' | 'status'>,
  pods: readonly PodRecord[],
  now: number,
  /** Why no more pods could be made. */
  failure?: string,
): ReplicaSet['status'] {
  const active = pods.filter(isActive);
  return {
    observedGeneration: metadata.generation ?? 1,
    replicas: active.length,
    fullyLabeledReplicas: active.length,
    readyReplicas: active.filter((pod) => pod.ready).length,
    availableReplicas: active.filter((pod) => isAvailable(pod, spec.minReadySeconds, now)).length,
    ...(failure === undefined ? {} : { conditions: [replicaFailure(status, failure, now)] }),
  };
}

/** One that is there already stays as it is. Source: kubernetes/pkg/controller/replicaset/replica_set_utils.go */
function replicaFailure(before: ReplicaSet['status'], message: string, now: number): WorkloadCondition {
  const known = before.conditions?.find(({ type }) => type === 'ReplicaFailure');
  return (
    known ?? {
      type: 'ReplicaFailure',
      status: 'True',
      reason: 'FailedCreate',
      message,
      lastTransitionTime: apiTime(now),
    }
  );
}
