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
