import type { ReplicaSet } from '../../../model/kubernetes-workload.ts';
import type { PodRecord } from '../pod-record.ts';
import { isTerminal } from '../status/phase.ts';
import { isActive, isAvailable } from './availability.ts';

/** How many pods that are over stay to be looked at; the oldest go first. */
export const MOST_ENDED_PODS = 10;

export interface ReplicaDecision {
  readonly create: number;
  readonly delete: readonly { readonly pod: PodRecord; readonly why: 'scale' | 'ended' }[];
}

/** What a ReplicaSet needs: as many active pods as it wants. Source: pkg/controller/replicaset, manageReplicas */
export function decideReplicas(replicas: number, pods: readonly PodRecord[]): ReplicaDecision {
  const active = pods.filter(isActive);
  const ended = pods
    .filter((pod) => isTerminal(pod.phase) && !pod.deletion)
    .sort((a, b) => a.startup.createdAt - b.startup.createdAt);
  const excess = [...active].sort(firstToGo).slice(0, Math.max(0, active.length - replicas));
  return {
    create: Math.max(0, replicas - active.length),
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
  { metadata, spec }: Pick<ReplicaSet, 'metadata' | 'spec'>,
  pods: readonly PodRecord[],
  now: number,
): ReplicaSet['status'] {
  const active = pods.filter(isActive);
  return {
    observedGeneration: metadata.generation ?? 1,
    replicas: active.length,
    fullyLabeledReplicas: active.length,
    readyReplicas: active.filter((pod) => pod.ready).length,
    availableReplicas: active.filter((pod) => isAvailable(pod, spec.minReadySeconds, now)).length,
  };
}
