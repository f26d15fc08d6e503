import type { OwnerReference } from '../../model/kubernetes.ts';
import type { KubernetesObject } from '../../model/kubernetes-object.ts';
import type { Endpoints, Service } from '../../model/kubernetes-service.ts';
import type {
  CronJob,
  DaemonSet,
  Deployment,
  Job,
  ReplicaSet,
  StatefulSet,
  WorkloadCondition,
} from '../../model/kubernetes-workload.ts';
import {
  cronJobSignals,
  daemonSetSignals,
  jobSignals,
  replicaSetSignals,
  statefulSetSignals,
} from '../../wire/catalogue/controller-object.ts';
import { endpointSignals, serviceSignals } from '../../wire/catalogue/service-object.ts';
import type { Point, Signal } from '../../wire/catalogue/signal.ts';
import { deploymentSignals } from '../../wire/catalogue/workload-object.ts';
import { createCronSchedule } from '../pod/workload/cron-schedule.ts';
import { measured, oneHot, point, unixSeconds } from './point.ts';

const STATUSES = ['true', 'false', 'unknown'];

/** What kube-state-metrics says about an object that is no pod. */
export function objectPoints(object: KubernetesObject): readonly Point[] {
  const own = [object.metadata.namespace, object.metadata.name];
  const created = unixSeconds(object.metadata.creationTimestamp);
  switch (object.kind) {
    case 'Deployment':
      return [...measured(deploymentSignals.created, own, created), ...deployment(own, object)];
    case 'ReplicaSet':
      return [...measured(replicaSetSignals.created, own, created), ...replicaSet(own, object)];
    case 'StatefulSet':
      return [...measured(statefulSetSignals.created, own, created), ...statefulSet(own, object)];
    case 'DaemonSet':
      return [...measured(daemonSetSignals.created, own, created), ...daemonSet(own, object)];
    case 'Job':
      return [...measured(jobSignals.created, own, created), ...job(own, object)];
    case 'CronJob':
      return [...measured(cronJobSignals.created, own, created), ...cronJob(own, object)];
    case 'Service':
      return service([...own, object.metadata.uid], object, created);
    case 'Endpoints':
      return endpoints(own, object);
    default:
      return [];
  }
}

function deployment(own: readonly string[], { metadata, spec, status }: Deployment): readonly Point[] {
  return [
    point(deploymentSignals.specReplicas, own, spec.replicas),
    point(deploymentSignals.paused, own, Number(spec.paused ?? false)),
    point(deploymentSignals.replicas, own, status.replicas),
    point(deploymentSignals.ready, own, status.readyReplicas),
    point(deploymentSignals.available, own, status.availableReplicas),
    point(deploymentSignals.unavailable, own, status.unavailableReplicas),
    point(deploymentSignals.updated, own, status.updatedReplicas),
    point(deploymentSignals.observedGeneration, own, status.observedGeneration),
    ...measured(deploymentSignals.generation, own, metadata.generation),
    ...(status.conditions ?? []).flatMap(({ type, status: value, reason = '' }) =>
      oneHot(deploymentSignals.condition, [...own, reason, type], STATUSES, value.toLowerCase()),
    ),
  ];
}

function replicaSet(own: readonly string[], { metadata, spec, status }: ReplicaSet): readonly Point[] {
  return [
    ...owners(replicaSetSignals.owner, own, metadata.ownerReferences),
    point(replicaSetSignals.specReplicas, own, spec.replicas),
    point(replicaSetSignals.replicas, own, status.replicas),
    point(replicaSetSignals.fullyLabeled, own, status.fullyLabeledReplicas),
    point(replicaSetSignals.ready, own, status.readyReplicas),
    point(replicaSetSignals.observedGeneration, own, status.observedGeneration),
    ...measured(replicaSetSignals.generation, own, metadata.generation),
  ];
}

function statefulSet(own: readonly string[], { metadata, spec, status }: StatefulSet): readonly Point[] {
  const { whenDeleted = 'Retain', whenScaled = 'Retain' } = spec.persistentVolumeClaimRetentionPolicy ?? {};
  return [
    point(statefulSetSignals.specReplicas, own, spec.replicas),
    point(statefulSetSignals.replicas, own, status.replicas),
    point(statefulSetSignals.current, own, status.currentReplicas),
    point(statefulSetSignals.ready, own, status.readyReplicas),
    point(statefulSetSignals.available, own, status.availableReplicas),
    point(statefulSetSignals.updated, own, status.updatedReplicas),
    point(statefulSetSignals.observedGeneration, own, status.observedGeneration),
    ...measured(statefulSetSignals.generation, own, metadata.generation),
    point(statefulSetSignals.currentRevision, [...own, status.currentRevision], 1),
    point(statefulSetSignals.updateRevision, [...own, status.updateRevision], 1),
    point(statefulSetSignals.claimRetention, [...own, whenDeleted, whenScaled], 1),
  ];
}

function daemonSet(own: readonly string[], { metadata, status }: DaemonSet): readonly Point[] {
  return [
    point(daemonSetSignals.desired, own, status.desiredNumberScheduled),
    point(daemonSetSignals.current, own, status.currentNumberScheduled),
    point(daemonSetSignals.ready, own, status.numberReady),
    point(daemonSetSignals.available, own, status.numberAvailable),
    point(daemonSetSignals.unavailable, own, status.numberUnavailable),
    point(daemonSetSignals.misscheduled, own, status.numberMisscheduled),
    point(daemonSetSignals.updated, own, status.updatedNumberScheduled),
    point(daemonSetSignals.observedGeneration, own, status.observedGeneration),
    ...measured(daemonSetSignals.generation, own, metadata.generation),
  ];
}

const FAILURE_REASONS = ['BackoffLimitExceeded', 'DeadlineExceeded', 'Evicted'];

function job(own: readonly string[], { metadata, spec, status }: Job): readonly Point[] {
  const condition = (type: string) => status.conditions?.find((one) => one.type === type);
  const suspended = condition('Suspended');
  return [
    point(jobSignals.info, own, 1),
    ...owners(jobSignals.owner, own, metadata.ownerReferences),
    ...measured(jobSignals.parallelism, own, spec.parallelism),
    ...measured(jobSignals.completions, own, spec.completions),
    ...measured(jobSignals.activeDeadline, own, spec.activeDeadlineSeconds),
    point(jobSignals.active, own, status.active),
    point(jobSignals.ready, own, status.ready),
    point(jobSignals.succeeded, own, status.succeeded),
    ...failures(own, status.failed, condition('Failed')),
    ...measured(jobSignals.startTime, own, unixSeconds(status.startTime)),
    ...measured(jobSignals.completionTime, own, unixSeconds(status.completionTime)),
    ...conditionPoints(jobSignals.complete, own, condition('Complete')),
    ...conditionPoints(jobSignals.hasFailed, own, condition('Failed')),
    ...measured(jobSignals.suspended, own, suspended && Number(suspended.status === 'True')),
  ];
}

/** As internal/store/job.go has it: how many failed, or, once the Job has, 1 for its reason. */
function failures(
  own: readonly string[],
  failed: number,
  condition: WorkloadCondition | undefined,
): readonly Point[] {
  const reason = condition?.reason ?? '';
  const hot = condition ? oneHot(jobSignals.failed, own, FAILURE_REASONS, reason) : [];
  if (failed === 0) return [point(jobSignals.failed, [...own, ''], 0)];
  return FAILURE_REASONS.includes(reason) ? hot : [...hot, point(jobSignals.failed, [...own, ''], failed)];
}

const conditionPoints = (signal: Signal, own: readonly string[], condition: WorkloadCondition | undefined) =>
  condition ? oneHot(signal, own, STATUSES, condition.status.toLowerCase()) : [];

function cronJob(own: readonly string[], { metadata, spec, status }: CronJob): readonly Point[] {
  const since = Date.parse(status.lastScheduleTime ?? metadata.creationTimestamp);
  const next = spec.suspend ? undefined : createCronSchedule(spec.schedule, spec.timeZone).next(since);
  return [
    ...measured(cronJobSignals.nextSchedule, own, next === undefined ? undefined : next / 1000),
    point(
      cronJobSignals.info,
      [...own, spec.schedule, spec.concurrencyPolicy ?? 'Allow', spec.timeZone ?? 'local'],
      1,
    ),
    point(cronJobSignals.active, own, status.active?.length ?? 0),
    point(cronJobSignals.suspend, own, Number(spec.suspend ?? false)),
    ...measured(cronJobSignals.startingDeadline, own, spec.startingDeadlineSeconds),
    ...measured(cronJobSignals.successfulHistory, own, spec.successfulJobsHistoryLimit),
    ...measured(cronJobSignals.failedHistory, own, spec.failedJobsHistoryLimit),
    ...measured(cronJobSignals.lastSchedule, own, unixSeconds(status.lastScheduleTime)),
    ...measured(cronJobSignals.lastSuccessful, own, unixSeconds(status.lastSuccessfulTime)),
  ];
}

function service(own: readonly string[], { spec }: Service, created: number | undefined): readonly Point[] {
  return [
    point(serviceSignals.info, [...own, spec.clusterIP ?? 'None', spec.externalName ?? '', '', ''], 1),
    ...measured(serviceSignals.created, own, created),
    point(serviceSignals.type, [...own, spec.type ?? 'ClusterIP'], 1),
  ];
}

function endpoints(own: readonly string[], { subsets }: Endpoints): readonly Point[] {
  return [
    point(endpointSignals.info, own, 1),
    ...subsets.flatMap(({ addresses = [], notReadyAddresses = [] }) => [
      ...addresses.map(({ ip }) => point(endpointSignals.address, [...own, ip, 'true'], 1)),
      ...notReadyAddresses.map(({ ip }) => point(endpointSignals.address, [...own, ip, 'false'], 1)),
    ]),
  ];
}

function owners(
  signal: Signal,
  own: readonly string[],
  references: readonly OwnerReference[] = [],
): readonly Point[] {
  const rows =
    references.length === 0
      ? [['', '', '']]
      : references.map((owner) => [owner.kind, owner.name, String(owner.controller === true)]);
  return rows.map((row) => point(signal, [...own, ...row], 1));
}
