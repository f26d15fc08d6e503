import type { PodSpec } from '../../../model/kubernetes.ts';
import type { KillRequest } from '../../../model/life.ts';
import type { Clock } from '../../../util/clock.ts';
import type { NewMeta, ObjectStore, Stored, StoredKind } from '../object-store.ts';
import type { PodRecord } from '../pod-record.ts';
import type { WorkloadWords } from './workload-event.ts';

export type ControlledKind = 'Deployment' | 'ReplicaSet' | 'StatefulSet' | 'DaemonSet' | 'Job' | 'CronJob';

/** A pod that a controller wants. */
export interface NewPodRequest {
  readonly owner: Stored;
  readonly metadata: NewMeta;
  readonly spec: PodSpec;
}

/** Why an object's last pod was refused, and when the next is tried. */
export interface CreateFailure {
  readonly message: string;
  readonly retryAt: number;
}

/** What controllers are given: the objects and pods there are, and the ways to change them. */
export interface ControllerContext {
  readonly clock: Clock;
  /** 0 to 1, 1 excluded. */
  readonly random: () => number;
  readonly objects: ObjectStore;
  /** Pods whose controller has this uid, those on their way out included. */
  podsOf(ownerUid: string): readonly PodRecord[];
  /** False when it is refused, or one of the owner's was a moment ago; that was told. */
  createPod(pod: NewPodRequest): boolean;
  /** Why the owner's last pod was refused; undefined when it was not. */
  createFailure(ownerUid: string): CreateFailure | undefined;
  /** Begins to end a pod; nothing when that has begun. */
  deletePod(pod: PodRecord, request: Pick<KillRequest, 'by' | 'message'>): void;
  /** Says what was done or seen, of the object it was done for. */
  tell(object: Stored, words: WorkloadWords): void;
  /** Deletes an object with all it owns. */
  deleteObject(object: Stored, request: Pick<KillRequest, 'by' | 'message'>): void;
  /** The data of these claims go when no pod uses them any more. */
  condemnClaims(owner: Stored, claims: readonly string[]): void;
  /** Looks at the object, and what owns it, once what is going on now is over. */
  soon(kind: StoredKind, namespace: string, name: string): void;
}
