/** The mixin's lower-case words; a pod with no controller is a `barepod` and its own workload. */
export type WorkloadType =
  | 'deployment'
  | 'statefulset'
  | 'daemonset'
  | 'job'
  | 'cronjob'
  | 'replicaset'
  | 'staticpod'
  | 'barepod';

/** Which pod a record is about, and what it belongs to. */
export interface PodRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly node: string;
  readonly workload: string;
  readonly workloadType: WorkloadType;
}
