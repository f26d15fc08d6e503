import type { KubernetesObject } from '../model/kubernetes-object.ts';
import type { DaemonSet, Deployment, StatefulSet } from '../model/kubernetes-workload.ts';

/** How far a rollout is, in kubectl's words; `failed` when it will get no further by itself. */
export interface RolloutProgress {
  readonly message: string;
  readonly done: boolean;
  readonly failed?: boolean;
}

const going = (message: string): RolloutProgress => ({ message, done: false });
const done = (message: string): RolloutProgress => ({ message, done: true });

/** Undefined for a kind that has no rollout. Source: kubectl/pkg/polymorphichelpers/rollout_status.go */
export function rolloutProgress(object: KubernetesObject): RolloutProgress | undefined {
  if (object.kind === 'Deployment') return ofDeployment(object);
  if (object.kind === 'StatefulSet') return ofStatefulSet(object);
  return object.kind === 'DaemonSet' ? ofDaemonSet(object) : undefined;
}

const isObserved = ({ metadata, status }: Deployment | StatefulSet | DaemonSet) =>
  (metadata.generation ?? 1) <= status.observedGeneration;

function ofDeployment(deployment: Deployment): RolloutProgress {
  const { metadata, spec, status } = deployment;
  const waiting = `Waiting for deployment "${metadata.name}" rollout to finish`;
  if (!isObserved(deployment)) return going('Waiting for deployment spec update to be observed...');
  const late = status.conditions?.some(({ reason }) => reason === 'ProgressDeadlineExceeded');
  if (late)
    return {
      message: `deployment "${metadata.name}" exceeded its progress deadline`,
      done: false,
      failed: true,
    };
  if (status.updatedReplicas < spec.replicas)
    return going(
      `${waiting}: ${status.updatedReplicas} out of ${spec.replicas} new replicas have been updated...`,
    );
  if (status.replicas > status.updatedReplicas)
    return going(
      `${waiting}: ${status.replicas - status.updatedReplicas} old replicas are pending termination...`,
    );
  if (status.availableReplicas < status.updatedReplicas)
    return going(
      `${waiting}: ${status.availableReplicas} of ${status.updatedReplicas} updated replicas are available...`,
    );
  return done(`deployment "${metadata.name}" successfully rolled out`);
}

function ofStatefulSet(set: StatefulSet): RolloutProgress {
  const { spec, status } = set;
  if (spec.updateStrategy?.type === 'OnDelete')
    return {
      message: 'rollout status is only available for RollingUpdate strategy type',
      done: false,
      failed: true,
    };
  if (!isObserved(set)) return going('Waiting for statefulset spec update to be observed...');
  if (status.readyReplicas < spec.replicas)
    return going(`Waiting for ${spec.replicas - status.readyReplicas} pods to be ready...`);
  const { partition = 0 } = spec.updateStrategy?.rollingUpdate ?? {};
  if (partition > 0) {
    const wanted = Math.max(0, spec.replicas - partition);
    return status.updatedReplicas < wanted
      ? going(
          `Waiting for partitioned roll out to finish: ${status.updatedReplicas} out of ${wanted} new pods have been updated...`,
        )
      : done(`partitioned roll out complete: ${status.updatedReplicas} new pods have been updated...`);
  }
  if (status.updateRevision !== status.currentRevision)
    return going(
      `waiting for statefulset rolling update to complete ${status.updatedReplicas} pods at revision ${status.updateRevision}...`,
    );
  return done(
    `statefulset rolling update complete ${status.currentReplicas} pods at revision ${status.currentRevision}...`,
  );
}

function ofDaemonSet(set: DaemonSet): RolloutProgress {
  const { metadata, spec, status } = set;
  const waiting = `Waiting for daemon set "${metadata.name}" rollout to finish`;
  if (spec.updateStrategy?.type === 'OnDelete')
    return {
      message: 'rollout status is only available for RollingUpdate strategy type',
      done: false,
      failed: true,
    };
  if (!isObserved(set)) return going('Waiting for daemon set spec update to be observed...');
  if (status.updatedNumberScheduled < status.desiredNumberScheduled)
    return going(
      `${waiting}: ${status.updatedNumberScheduled} out of ${status.desiredNumberScheduled} new pods have been updated...`,
    );
  if (status.numberAvailable < status.desiredNumberScheduled)
    return going(
      `${waiting}: ${status.numberAvailable} of ${status.desiredNumberScheduled} updated pods are available...`,
    );
  return done(`daemon set "${metadata.name}" successfully rolled out`);
}
