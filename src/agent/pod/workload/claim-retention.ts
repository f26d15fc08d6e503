import type { StatefulSet } from '../../../model/kubernetes-workload.ts';
import type { PodRecord } from '../pod-record.ts';
import { parseIndexes, printIndexes } from './job-index.ts';
import { ordinalOf } from './stateful-set.ts';

type Claimant = Pick<StatefulSet, 'metadata' | 'spec'>;

/** The claims of the pod of one ordinal. Source: stateful_set_utils.go, getPersistentVolumeClaimName */
export const claimsOf = ({ metadata, spec }: Claimant, ordinal: number): readonly string[] =>
  (spec.volumeClaimTemplates ?? []).map(({ metadata: { name } }) => `${name}-${metadata.name}-${ordinal}`);

/** Whether the claims of a pod of this ordinal go with the pod: the set is scaled below it, and says so. */
export function goesWithPod({ spec }: Claimant, ordinal: number): boolean {
  const first = spec.ordinals?.start ?? 0;
  const isWanted = ordinal >= first && ordinal < first + spec.replicas;
  return !isWanted && spec.persistentVolumeClaimRetentionPolicy?.whenScaled === 'Delete';
}

/**
 * Ordinals whose claims go with the set, as `0-2,5`: those of pods that were there under the policy, but those that
 * go with their pod. Undefined: none. Source: stateful_set_utils.go, updateClaimOwnerRefForSetAndPod
 */
export function ordinalsOfSet(
  set: Claimant,
  before: string | undefined,
  pods: readonly PodRecord[],
): string | undefined {
  const owned = new Set(parseIndexes(before));
  const mayGo = set.spec.persistentVolumeClaimRetentionPolicy?.whenDeleted === 'Delete';
  for (const { ref } of pods) {
    const ordinal = ordinalOf(set.metadata.name, ref.name);
    if (mayGo && ordinal >= 0 && !goesWithPod(set, ordinal)) owned.add(ordinal);
    else owned.delete(ordinal);
  }
  return owned.size === 0 ? undefined : printIndexes(owned);
}
