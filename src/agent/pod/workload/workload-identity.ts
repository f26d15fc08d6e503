import type { WorkloadObject } from '../../../model/kubernetes-object.ts';
import type { WorkloadType } from '../../../model/pod-ref.ts';
import type { ObjectStore, Stored, StoredKind } from '../object-store.ts';
import { isFinished } from './job.ts';
import { controllerOf } from './owner.ts';

const KINDS: Partial<Record<WorkloadType, WorkloadObject['kind']>> = {
  deployment: 'Deployment',
  statefulset: 'StatefulSet',
  daemonset: 'DaemonSet',
  job: 'Job',
  cronjob: 'CronJob',
};

/** Whether workloads of this type have an object of ours. */
export const hasWorkload = (type: WorkloadType) => KINDS[type] !== undefined;

/** The workload that pods of an object count for: what stands at the top of its owners. */
export function workloadOf(owner: Stored): {
  readonly workload: string;
  readonly workloadType: WorkloadType;
} {
  const top = controllerOf(owner.metadata) ?? { kind: owner.kind, name: owner.metadata.name };
  return { workload: top.name, workloadType: top.kind.toLowerCase() as WorkloadType };
}

/** The object of a workload; undefined for a bare pod, and when it is deleted. */
export function workloadObject(
  objects: Pick<ObjectStore, 'get'>,
  type: WorkloadType,
  namespace: string,
  name: string,
): Stored<WorkloadObject['kind']> | undefined {
  const kind = KINDS[type];
  return kind && objects.get(kind as StoredKind & WorkloadObject['kind'], namespace, name);
}

/** How many pods a workload should have now. A Job wants none once it is finished. */
export function desiredPods(
  objects: Pick<ObjectStore, 'ownedBy'>,
  object: Stored<WorkloadObject['kind']>,
): number {
  switch (object.kind) {
    case 'Deployment':
    case 'StatefulSet':
      return object.spec.replicas;
    case 'DaemonSet':
      return 1;
    case 'Job':
      return wantedOfJob(object);
    case 'CronJob':
      return objects.ownedBy('Job', object.metadata.uid).reduce((sum, job) => sum + wantedOfJob(job), 0);
  }
}

function wantedOfJob({ spec, status }: Stored<'Job'>): number {
  if (spec.suspend || isFinished(status)) return 0;
  const { parallelism = 1, completions } = spec;
  const left = completions === undefined ? parallelism : completions - status.succeeded;
  return Math.max(0, Math.min(parallelism, left));
}
