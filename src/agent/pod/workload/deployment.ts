import type { ReplicaSet } from '../../../model/kubernetes-workload.ts';
import type { Stored } from '../object-store.ts';
import { apiTime } from '../pod-record.ts';
import { DESIRED, MAX, REVISION, rolloutBounds } from './deployment-rollout.ts';
import { ownerReference } from './owner.ts';
import { derivedUid, templateHash } from './pod-names.ts';

export const HASH_LABEL = 'pod-template-hash';

/** The name of the ReplicaSet that the pods of the present template belong to. */
export function replicaSetName({ metadata, spec, folder }: Stored<'Deployment'>): {
  readonly name: string;
  readonly hash: string;
} {
  // The manifest's folder decides what a relative command runs: moving it is a change of the template.
  const hash = templateHash([spec.template, folder ?? null]);
  return { name: `${metadata.name}-${hash}`, hash };
}

/** The ReplicaSet of the present template, to be made. Its uid is the same whenever it is made again. */
export function newReplicaSet(
  deployment: Stored<'Deployment'>,
  replicas: number,
  revision: number,
  now: number,
): Stored<'ReplicaSet'> {
  const { metadata, spec, folder } = deployment;
  const { name, hash } = replicaSetName(deployment);
  const labels = { ...spec.template.metadata?.labels, [HASH_LABEL]: hash };
  const { minReadySeconds } = spec;
  const made: Stored<'ReplicaSet'> = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name,
      namespace: metadata.namespace,
      uid: derivedUid(`${metadata.uid}/${name}`),
      labels,
      creationTimestamp: apiTime(now),
      generation: 1,
      ownerReferences: [ownerReference(deployment)],
    },
    spec: {
      replicas,
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: {
        ...spec.selector,
        matchLabels: { ...spec.selector.matchLabels, [HASH_LABEL]: hash },
      },
      template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
    },
    status: {
      observedGeneration: 1,
      replicas: 0,
      fullyLabeledReplicas: 0,
      readyReplicas: 0,
      availableReplicas: 0,
    },
    ...(folder === undefined ? {} : { folder }),
  };
  return annotated(made, deployment, revision);
}

/** With another number of pods, and what its Deployment wants noted on it. */
export function resized(
  replicaSet: Stored<'ReplicaSet'>,
  replicas: number,
  deployment: Stored<'Deployment'>,
): Stored<'ReplicaSet'> {
  const { metadata, spec } = replicaSet;
  const changed = spec.replicas !== replicas;
  const next = {
    ...replicaSet,
    metadata: { ...metadata, generation: (metadata.generation ?? 1) + Number(changed) },
    spec: { ...spec, replicas },
  };
  return annotated(next, deployment, revisionOf(next));
}

export function annotated(
  replicaSet: Stored<'ReplicaSet'>,
  deployment: Stored<'Deployment'>,
  revision: number,
): Stored<'ReplicaSet'> {
  const { replicas } = deployment.spec;
  const cause = deployment.metadata.annotations?.['kubernetes.io/change-cause'];
  return {
    ...replicaSet,
    metadata: {
      ...replicaSet.metadata,
      annotations: {
        ...replicaSet.metadata.annotations,
        [REVISION]: String(revision),
        [DESIRED]: String(replicas),
        [MAX]: String(replicas + rolloutBounds(deployment.spec).surge),
        ...(cause === undefined || revision === revisionOf(replicaSet)
          ? {}
          : { 'kubernetes.io/change-cause': cause }),
      },
    },
  };
}

export const revisionOf = ({ metadata }: Pick<ReplicaSet, 'metadata'>) =>
  Number(metadata.annotations?.[REVISION] ?? 0);

/** Finished old ReplicaSets beyond the history, oldest first. Source: deployment/sync.go, cleanupDeployment */
export function beyondHistory(
  old: readonly Stored<'ReplicaSet'>[],
  running: (replicaSet: Stored<'ReplicaSet'>) => number,
  limit: number,
): readonly Stored<'ReplicaSet'>[] {
  return [...old]
    .sort((a, b) => revisionOf(a) - revisionOf(b))
    .slice(0, Math.max(0, old.length - limit))
    .filter((replicaSet) => replicaSet.spec.replicas === 0 && running(replicaSet) === 0);
}
