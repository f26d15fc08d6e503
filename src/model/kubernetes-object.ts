import type { ConfigMap, Pod, Secret } from './kubernetes.ts';
import type { Endpoints, Service } from './kubernetes-service.ts';
import type {
  ControllerRevision,
  CronJob,
  DaemonSet,
  Deployment,
  Job,
  PodDisruptionBudget,
  PriorityClass,
  ReplicaSet,
  StatefulSet,
} from './kubernetes-workload.ts';

/** Any object that is kept and shown. */
export type KubernetesObject =
  | Pod
  | Deployment
  | ReplicaSet
  | StatefulSet
  | DaemonSet
  | ControllerRevision
  | Job
  | CronJob
  | Service
  | Endpoints
  | PodDisruptionBudget
  | PriorityClass
  | ConfigMap
  | Secret;

/** What may own pods, over their lives. */
export type WorkloadObject = Deployment | StatefulSet | DaemonSet | Job | CronJob;
