import type { PodSpec } from '../../../model/kubernetes.ts';
import type { StatefulSet } from '../../../model/kubernetes-workload.ts';
import type { PodRecord } from '../pod-record.ts';
import { isTerminal } from '../status/phase.ts';
import { availableAt, isAvailable } from './availability.ts';
import { REVISION_LABEL } from './revisions.ts';

export interface StatefulDecision {
  readonly create: readonly { readonly ordinal: number; readonly revision: string }[];
  readonly delete: readonly { readonly pod: PodRecord; readonly why: 'scale' | 'rollout' | 'ended' }[];
  /** When a pod that is waited for becomes available. */
  readonly wakeAt?: number | undefined;
}

/** The place of a pod in its StatefulSet; -1 for a name that is none of its. */
export function ordinalOf(set: string, pod: string): number {
  const digits = pod.startsWith(`${set}-`) ? pod.slice(set.length + 1) : '';
  return /^\d{1,6}$/.test(digits) ? Number(digits) : -1;
}

/**
 * The spec of a pod of the set: its name, and a claim of its own for each template, in place of a volume of that name.
 * Source: kubernetes/pkg/controller/statefulset/stateful_set_utils.go, updateStorage and getPersistentVolumeClaimName
 */
export function memberSpec(
  { metadata, spec }: Pick<StatefulSet, 'metadata' | 'spec'>,
  template: PodSpec,
  ordinal: number,
): PodSpec {
  const name = `${metadata.name}-${ordinal}`;
  const claims = (spec.volumeClaimTemplates ?? []).map(({ metadata: { name: claim } }) => ({
    name: claim,
    persistentVolumeClaim: { claimName: `${claim}-${name}` },
  }));
  const others = (template.volumes ?? []).filter(
    (volume) => !claims.some((claim) => claim.name === volume.name),
  );
  return {
    ...template,
    ...(claims.length === 0 ? {} : { volumes: [...others, ...claims] }),
    hostname: name,
    ...(spec.serviceName === undefined ? {} : { subdomain: spec.serviceName }),
  };
}

/**
 * What a StatefulSet needs: its pods in order, each when the one before is there and available, unless it manages them
 * in parallel; those beyond its replicas go from the last; then those of an older template, from the last, down to the
 * partition. Source: kubernetes/pkg/controller/statefulset/stateful_set_control.go, updateStatefulSet
 */
export function decideStatefulSet(
  { metadata, spec }: Pick<StatefulSet, 'metadata' | 'spec'>,
  revisions: { readonly current: string; readonly update: string },
  pods: readonly PodRecord[],
  now: number,
): StatefulDecision {
  const inTurn = spec.podManagementPolicy !== 'Parallel';
  const first = spec.ordinals?.start ?? 0;
  const end = first + spec.replicas;
  const rolls = spec.updateStrategy?.type !== 'OnDelete';
  const partition = rolls ? (spec.updateStrategy?.rollingUpdate?.partition ?? 0) : 0;
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(metadata.name, pod.ref.name), pod]));
  const available = (pod: PodRecord) => !pod.deletion && isAvailable(pod, spec.minReadySeconds, now);
  const create: { ordinal: number; revision: string }[] = [];
  const gone: StatefulDecision['delete'][number][] = [];
  const answer = (wakeAt?: number) => ({ create, delete: gone, wakeAt });

  for (let ordinal = first; ordinal < end; ordinal += 1) {
    const pod = byOrdinal.get(ordinal);
    if (!pod) {
      create.push({ ordinal, revision: ordinal < first + partition ? revisions.current : revisions.update });
      if (inTurn) return answer();
      continue;
    }
    if (isTerminal(pod.phase) && !pod.deletion) gone.push({ pod, why: 'ended' });
    if (inTurn && !available(pod))
      return answer(pod.deletion ? undefined : availableAt(pod, spec.minReadySeconds));
  }

  const condemned = [...byOrdinal]
    .filter(([ordinal]) => ordinal < first || ordinal >= end)
    .sort(([a], [b]) => b - a)
    .map(([, pod]) => pod);
  for (const pod of condemned) {
    if (!pod.deletion) gone.push({ pod, why: 'scale' });
    if (inTurn) return answer();
  }
  if (!rolls) return answer();

  for (let ordinal = end - 1; ordinal >= first + partition; ordinal -= 1) {
    const pod = byOrdinal.get(ordinal);
    if (!pod) return answer();
    if (pod.labels?.[REVISION_LABEL] !== revisions.update) {
      if (!pod.deletion) gone.push({ pod, why: 'rollout' });
      return answer();
    }
    if (!available(pod)) return answer(availableAt(pod, spec.minReadySeconds));
  }
  return answer();
}

/** Source: stateful_set_control.go, updateStatus and completeRollingUpdate */
export function statefulSetStatus(
  { metadata, spec, status }: StatefulSet,
  update: string,
  pods: readonly PodRecord[],
  now: number,
): StatefulSet['status'] {
  const there = pods.filter(({ phase }) => !isTerminal(phase));
  const staying = there.filter(({ deletion }) => !deletion);
  const at = (revision: string) =>
    staying.filter(({ labels }) => labels?.[REVISION_LABEL] === revision).length;
  const before = status.currentRevision || update;
  const ready = staying.filter(({ ready: isReady }) => isReady).length;
  const rolls = spec.updateStrategy?.type !== 'OnDelete';
  const complete =
    rolls && at(update) === spec.replicas && ready === spec.replicas && there.length === spec.replicas;
  const current = complete ? update : before;
  return {
    observedGeneration: metadata.generation ?? 1,
    replicas: there.length,
    readyReplicas: ready,
    availableReplicas: staying.filter((pod) => isAvailable(pod, spec.minReadySeconds, now)).length,
    currentReplicas: at(current),
    updatedReplicas: at(update),
    currentRevision: current,
    updateRevision: update,
  };
}
