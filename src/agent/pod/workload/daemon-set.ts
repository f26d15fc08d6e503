import type { PodSpec, Toleration } from '../../../model/kubernetes.ts';
import type { DaemonSet } from '../../../model/kubernetes-workload.ts';
import type { PodRecord } from '../pod-record.ts';
import { isTerminal } from '../status/phase.ts';
import { isActive, isAvailable } from './availability.ts';
import { scaled } from './int-or-percent.ts';
import { endedAt } from './replica-set.ts';
import { REVISION_LABEL } from './revisions.ts';

export interface DaemonDecision {
  readonly create: boolean;
  readonly delete: readonly { readonly pod: PodRecord; readonly why: 'rollout' | 'ended' }[];
  readonly wakeAt?: number;
}

// A pod that the node ended stays for this long, so that one that is ended at once is not made again without end.
const ENDED_STAYS_MS = 10_000;

/**
 * What a DaemonSet needs on its one node: one pod, of the present template. With maxSurge the new one comes before the
 * old one goes. Source: kubernetes/pkg/controller/daemon: daemon_controller.go, update.go
 */
export function decideDaemonSet(
  { spec }: Pick<DaemonSet, 'spec'>,
  hash: string,
  pods: readonly PodRecord[],
  now: number,
): DaemonDecision {
  const ended = pods.filter((pod) => isTerminal(pod.phase) && !pod.deletion);
  const due = ended.filter((pod) => endedAt(pod) + ENDED_STAYS_MS <= now);
  const gone = due.map((pod) => ({ pod, why: 'ended' as const }));
  const active = pods.filter(isActive);
  const isNew = (pod: PodRecord) => pod.labels?.[REVISION_LABEL] === hash;
  const fresh = active.filter(isNew);
  const old = active.filter((pod) => !isNew(pod));
  const waiting = ended.filter((pod) => !due.includes(pod)).map((pod) => endedAt(pod) + ENDED_STAYS_MS);
  if (waiting.length > 0) return { create: false, delete: gone, wakeAt: Math.min(...waiting) };
  if (old.length === 0) {
    // One that is on its way out makes room first.
    return { create: pods.length - gone.length === 0 && fresh.length === 0, delete: gone };
  }
  if (spec.updateStrategy?.type === 'OnDelete') return { create: false, delete: gone };
  const surge = scaled(spec.updateStrategy?.rollingUpdate?.maxSurge ?? 0, 1, 'up');
  const isGood = (pod: PodRecord) => isAvailable(pod, spec.minReadySeconds, now);
  const replaced = old.filter((pod) => surge === 0 || !isGood(pod) || fresh.some(isGood));
  return {
    create: surge > 0 && fresh.length === 0,
    delete: [...gone, ...replaced.map((pod) => ({ pod, why: 'rollout' as const }))],
  };
}

const DAEMON_TOLERATIONS: readonly Toleration[] = [
  ...['not-ready', 'unreachable'].map((key) => ({ key, effect: 'NoExecute' }) as const),
  ...['disk-pressure', 'memory-pressure', 'pid-pressure', 'unschedulable'].map(
    (key) => ({ key, effect: 'NoSchedule' }) as const,
  ),
].map(({ key, effect }) => ({ key: `node.kubernetes.io/${key}`, operator: 'Exists', effect }));

/**
 * The spec of a pod of a DaemonSet, which bears what the node goes through.
 * Source: kubernetes/pkg/controller/daemon/util/daemonset_util.go, AddOrUpdateDaemonPodTolerations
 */
export function daemonPodSpec(spec: PodSpec): PodSpec {
  const own = spec.tolerations ?? [];
  const added = [
    ...DAEMON_TOLERATIONS,
    ...(spec.hostNetwork
      ? [
          {
            key: 'node.kubernetes.io/network-unavailable',
            operator: 'Exists',
            effect: 'NoSchedule',
          } as const,
        ]
      : []),
  ];
  return { ...spec, tolerations: [...own, ...added] };
}

export function daemonSetStatus(
  { metadata, spec }: Pick<DaemonSet, 'metadata' | 'spec'>,
  hash: string,
  pods: readonly PodRecord[],
  now: number,
): DaemonSet['status'] {
  const active = pods.filter(isActive);
  const any = (is: (pod: PodRecord) => boolean) => Number(active.some(is));
  const available = any((pod) => isAvailable(pod, spec.minReadySeconds, now));
  return {
    observedGeneration: metadata.generation ?? 1,
    desiredNumberScheduled: 1,
    currentNumberScheduled: Number(active.length > 0),
    numberReady: any((pod) => pod.ready),
    numberAvailable: available,
    numberUnavailable: 1 - available,
    numberMisscheduled: 0,
    updatedNumberScheduled: any((pod) => pod.labels?.[REVISION_LABEL] === hash),
  };
}
