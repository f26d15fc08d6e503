import type { PodSpec } from '../../../model/kubernetes.ts';
import type { KillRequest } from '../../../model/life.ts';
import type { Clock } from '../../../util/clock.ts';
import type { NewMeta, ObjectStore, Stored, StoredKind } from '../object-store.ts';
import type { PodRecord } from '../pod-record.ts';
import type { WorkloadWords } from './workload-event.ts';

export type ControlledKind = 'Deployment' | 'ReplicaSet' | 'StatefulSet' | 'DaemonSet' | 'Job' | 'CronJob';

/** What controllers are given: the objects and pods there are, and the ways to change them. */
export interface ControllerContext {
  readonly clock: Clock;
  /** 0 to 1, 1 excluded. */
  readonly random: () => number;
  readonly objects: ObjectStore;
  /** Pods whose controller has this uid, those on their way out included. */
  podsOf(ownerUid: string): readonly PodRecord[];
  podNamed(namespace: string, name: string): PodRecord | undefined;
  createPod(pod: { readonly owner: Stored; readonly metadata: NewMeta; readonly spec: PodSpec }): void;
  /** Begins to end a pod; nothing when that has begun. */
  deletePod(pod: PodRecord, request: Pick<KillRequest, 'by' | 'message'>): void;
  /** Says what was done or seen, of the object it was done for. */
  tell(object: Stored, words: WorkloadWords): void;
  /** Deletes an object with all it owns. */
  deleteObject(object: Stored, request: Pick<KillRequest, 'by' | 'message'>): void;
  /** Looks at the object, and what owns it, once what is going on now is over. */
  soon(kind: StoredKind, namespace: string, name: string): void;
}
