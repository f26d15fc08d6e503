import type { KubernetesObject } from '../../../model/kubernetes-object.ts';
import type { WorkloadType } from '../../../model/pod-ref.ts';

/** Something a controller did or saw, in the words of Kubernetes' own controllers. */
export interface WorkloadEvent {
  /** Integer milliseconds. */
  readonly at: number;
  readonly kind: KubernetesObject['kind'];
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** What stands at the top of the object's owners. */
  readonly workload: string;
  readonly workloadType: WorkloadType;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export type WorkloadWords = Pick<WorkloadEvent, 'type' | 'reason' | 'message'>;

export const normal = (reason: string, message: string): WorkloadWords => ({
  type: 'Normal',
  reason,
  message,
});
export const warning = (reason: string, message: string): WorkloadWords => ({
  type: 'Warning',
  reason,
  message,
});

interface Owner {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

/** Source: kubernetes/pkg/controller/controller_utils.go, createPods; statefulset/stateful_pod_control.go */
export const podCreated = ({ kind, metadata }: Owner, pod: string): WorkloadWords =>
  normal(
    'SuccessfulCreate',
    kind === 'StatefulSet'
      ? `create Pod ${pod} in StatefulSet ${metadata.name} successful`
      : `Created pod: ${pod}`,
  );

/** Source: kubernetes/pkg/controller/statefulset/stateful_pod_control.go, recordClaimEvent */
export const claimDeleted = ({ kind, metadata }: Owner, claim: string): WorkloadWords =>
  normal('SuccessfulDelete', `delete Claim ${claim} in ${kind} ${metadata.name} successful`);

/** Source: kubernetes/pkg/controller/controller_utils.go, createPods; statefulset/stateful_pod_control.go, recordPodEvent */
export const podCreateFailed = ({ kind, metadata }: Owner, pod: string, error: string): WorkloadWords =>
  warning(
    'FailedCreate',
    kind === 'StatefulSet'
      ? `create Pod ${pod} in StatefulSet ${metadata.name} failed error: ${error}`
      : `Error creating: ${error}`,
  );

export const podDeleted = ({ kind, metadata }: Owner, pod: string): WorkloadWords =>
  normal(
    'SuccessfulDelete',
    kind === 'StatefulSet'
      ? `delete Pod ${pod} in StatefulSet ${metadata.name} successful`
      : `Deleted pod: ${pod}`,
  );

/** Source: kubernetes/pkg/controller/deployment/sync.go, scaleReplicaSet; undefined where nothing changes. */
export const replicaSetScaled = (name: string, before: number, after: number): WorkloadWords | undefined =>
  before === after
    ? undefined
    : normal(
        'ScalingReplicaSet',
        `Scaled ${after > before ? 'up' : 'down'} replica set ${name} from ${before} to ${after}`,
      );

/** What came of a Deployment's `rollout undo`. Source: kubernetes/pkg/controller/deployment/rollback.go */
export function rolledBack(
  name: string,
  asked: number,
  target: { readonly revision: number; readonly current: boolean } | undefined,
): WorkloadWords {
  if (target === undefined)
    return warning(
      'DeploymentRollbackRevisionNotFound',
      asked === 0 ? 'Unable to find last revision.' : 'Unable to find the revision to rollback to.',
    );
  return target.current
    ? warning(
        'DeploymentRollbackTemplateUnchanged',
        `The rollback revision contains the same template as current deployment "${name}"`,
      )
    : normal('DeploymentRollback', `Rolled back deployment "${name}" to revision ${target.revision}`);
}
