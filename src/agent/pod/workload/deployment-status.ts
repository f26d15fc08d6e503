import type { Deployment, ReplicaSet, WorkloadCondition } from '../../../model/kubernetes-workload.ts';
import { apiTime } from '../pod-record.ts';
import { rolloutBounds } from './deployment-rollout.ts';

const NEW_AVAILABLE = 'NewReplicaSetAvailable';
const TIMED_OUT = 'ProgressDeadlineExceeded';
// kubectl and the API take this for "no deadline".
const NO_DEADLINE = 2 ** 31 - 1;

const deadlineOf = ({ spec }: Deployment) => spec.progressDeadlineSeconds ?? 600;
const hasDeadline = (deployment: Deployment) => deadlineOf(deployment) !== NO_DEADLINE;
const conditionOf = ({ status }: Deployment, type: string) =>
  status.conditions?.find((condition) => condition.type === type);

/**
 * What a Deployment shows of its ReplicaSets, and how its rollout gets on.
 * `made` names the ReplicaSet of the present template when it was just made or found again.
 * Source: kubernetes/pkg/controller/deployment: sync.go (calculateStatus), progress.go (syncRolloutStatus)
 */
export function deploymentStatus(
  deployment: Deployment,
  sets: {
    readonly current: { readonly name: string; readonly status: ReplicaSet['status'] } | undefined;
    readonly all: readonly { readonly wanted: number; readonly status: ReplicaSet['status'] }[];
    readonly made?: 'created' | 'found';
  },
  now: number,
): Deployment['status'] {
  const total = (pick: (set: (typeof sets.all)[number]) => number) =>
    sets.all.reduce((so, set) => so + pick(set), 0);
  const available = total(({ status }) => status.availableReplicas);
  const counts = {
    observedGeneration: deployment.metadata.generation ?? 1,
    replicas: total(({ status }) => status.replicas),
    updatedReplicas: sets.current?.status.replicas ?? 0,
    readyReplicas: total(({ status }) => status.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, total(({ wanted }) => wanted) - available),
  };
  const progressing = progressOf(deployment, counts, sets, now);
  // Source: deployment/progress.go, getReplicaFailures: that of the present template first
  const failure = [sets.current, ...sets.all]
    .flatMap((set) => set?.status.conditions ?? [])
    .find(({ type }) => type === 'ReplicaFailure');
  const conditions = [
    availability(deployment, available, now),
    ...(progressing ? [progressing] : []),
    ...(failure ? [{ ...failure, lastUpdateTime: failure.lastTransitionTime }] : []),
  ];
  return { ...counts, conditions };
}

/** When the progress deadline ends; undefined where there is none, or nothing to wait for. */
export function progressDeadlineAt(deployment: Deployment): number | undefined {
  const progressing = conditionOf(deployment, 'Progressing');
  if (!hasDeadline(deployment) || deployment.spec.paused || !progressing?.lastUpdateTime) return undefined;
  if (progressing.reason === NEW_AVAILABLE || progressing.reason === TIMED_OUT) return undefined;
  return Date.parse(progressing.lastUpdateTime) + deadlineOf(deployment) * 1000;
}

export function isComplete({ spec, metadata }: Deployment, counts: Deployment['status']): boolean {
  return (
    counts.updatedReplicas === spec.replicas &&
    counts.replicas === spec.replicas &&
    counts.availableReplicas === spec.replicas &&
    counts.observedGeneration >= (metadata.generation ?? 1)
  );
}

function availability(deployment: Deployment, available: number, now: number): WorkloadCondition {
  const { replicas } = deployment.spec;
  return available >= replicas - rolloutBounds(deployment.spec).unavailable
    ? condition(deployment, now, {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      })
    : condition(deployment, now, {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      });
}

function progressOf(
  deployment: Deployment,
  counts: Deployment['status'],
  sets: Parameters<typeof deploymentStatus>[1],
  now: number,
): WorkloadCondition | undefined {
  if (!hasDeadline(deployment)) return undefined;
  const before = conditionOf(deployment, 'Progressing');
  const say = (status: 'True' | 'False' | 'Unknown', reason: string, message: string) =>
    condition(deployment, now, { type: 'Progressing', status, reason, message });
  const set = `ReplicaSet "${sets.current?.name ?? ''}"`;
  const { paused = false } = deployment.spec;
  if (before?.reason !== TIMED_OUT) {
    if (paused && before?.reason !== 'DeploymentPaused')
      return say('Unknown', 'DeploymentPaused', 'Deployment is paused');
    if (!paused && before?.reason === 'DeploymentPaused')
      return say('Unknown', 'DeploymentResumed', 'Deployment is resumed');
  }
  if (paused) return before;
  if (sets.made === 'created')
    return say('True', 'NewReplicaSetCreated', `Created new replica set "${sets.current?.name}"`);
  if (sets.made === 'found' && before === undefined)
    return say('True', 'FoundNewReplicaSet', `Found new replica set "${sets.current?.name}"`);
  const settled = counts.replicas === counts.updatedReplicas && before?.reason === NEW_AVAILABLE;
  if (settled) return before;
  if (isComplete(deployment, counts))
    return say('True', NEW_AVAILABLE, `${set} has successfully progressed.`);
  if (hasProgressed(deployment.status, counts)) {
    const next = say('True', 'ReplicaSetUpdated', `${set} is progressing.`);
    return { ...next, lastUpdateTime: apiTime(now) };
  }
  const deadline = progressDeadlineAt(deployment);
  if (deadline !== undefined && now >= deadline)
    return say('False', TIMED_OUT, `${set} has timed out progressing.`);
  return before;
}

/** Source: deployment_util.go, DeploymentProgressing */
function hasProgressed(before: Deployment['status'], after: Deployment['status']): boolean {
  return (
    after.updatedReplicas > before.updatedReplicas ||
    after.replicas - after.updatedReplicas < before.replicas - before.updatedReplicas ||
    after.readyReplicas > before.readyReplicas ||
    after.availableReplicas > before.availableReplicas
  );
}

/** Times change only with what they tell of. Source: deployment_util.go, SetDeploymentCondition */
function condition(
  deployment: Deployment,
  now: number,
  next: Required<Pick<WorkloadCondition, 'type' | 'status' | 'reason' | 'message'>>,
): WorkloadCondition {
  const before = conditionOf(deployment, next.type);
  if (before?.status === next.status && before.reason === next.reason) return before;
  const at = apiTime(now);
  return {
    ...next,
    lastUpdateTime: at,
    lastTransitionTime: before?.status === next.status ? before.lastTransitionTime : at,
  };
}
