import type { Deployment, ObjectMeta, PodSpec } from '../../../model/kubernetes.ts';
import type { PodRecord } from '../pod-record.ts';
import { isTerminal } from '../status/phase.ts';
import type { ReplicaPod } from './deployment-decision.ts';
import { canonicalJson, derivedUid, podName, templateHash } from './pod-names.ts';

/** A Deployment as applied; durable JSON. */
export interface DeploymentRecord {
  readonly metadata: ObjectMeta;
  readonly spec: Deployment['spec'];
  readonly folder?: string;
}

/** The name of the ReplicaSet that the pods of the present template belong to. */
export function replicaSetOf(deployment: DeploymentRecord): { readonly name: string; readonly hash: string } {
  // The manifest's folder decides what a relative command runs: moving it is a change of the template.
  const hash = templateHash([deployment.spec.template, deployment.folder ?? null]);
  return { name: `${deployment.metadata.name}-${hash}`, hash };
}

/** What a new pod of the Deployment is made of. */
export function replicaPod(
  deployment: DeploymentRecord,
  random: () => number,
): {
  readonly metadata: Omit<ObjectMeta, 'uid' | 'creationTimestamp'>;
  readonly spec: PodSpec;
  readonly replicaSet: string;
} {
  const { name, hash } = replicaSetOf(deployment);
  const { metadata, spec } = deployment.spec.template;
  return {
    spec,
    replicaSet: name,
    metadata: {
      name: podName(name, random),
      namespace: deployment.metadata.namespace,
      labels: { ...metadata?.labels, 'pod-template-hash': hash },
      ...(metadata?.annotations === undefined ? {} : { annotations: metadata.annotations }),
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name,
          uid: derivedUid(`${deployment.metadata.uid}/${name}`),
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
  };
}

export function asReplica(deployment: DeploymentRecord, pod: PodRecord): ReplicaPod {
  return {
    uid: pod.ref.uid,
    current: pod.replicaSet === replicaSetOf(deployment).name,
    ready: pod.ready,
    deleting: pod.deletion !== undefined,
    ended: isTerminal(pod.phase),
    createdAt: pod.startup.createdAt,
  };
}

/** Whether applying `next` changes nothing. */
export function isSameDeployment(a: DeploymentRecord, b: DeploymentRecord): boolean {
  const face = ({ metadata, spec, folder }: DeploymentRecord) =>
    canonicalJson([metadata.labels ?? {}, metadata.annotations ?? {}, spec, folder ?? null]);
  return face(a) === face(b);
}

export function deploymentObject(deployment: DeploymentRecord, pods: readonly PodRecord[]): Deployment {
  const live = pods.filter((pod) => !pod.deletion && !isTerminal(pod.phase));
  const ready = live.filter((pod) => pod.ready).length;
  const { name } = replicaSetOf(deployment);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: deployment.metadata,
    spec: deployment.spec,
    status: {
      observedGeneration: deployment.metadata.generation ?? 1,
      replicas: live.length,
      updatedReplicas: live.filter((pod) => pod.replicaSet === name).length,
      readyReplicas: ready,
      availableReplicas: ready,
      unavailableReplicas: Math.max(0, deployment.spec.replicas - ready),
    },
  };
}
