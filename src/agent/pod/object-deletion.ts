import type { KillRequest } from '../../model/life.ts';
import type { Clock } from '../../util/clock.ts';
import type { ObjectStore, Stored } from './object-store.ts';
import type { PodRecord } from './pod-record.ts';
import type { PodSet } from './pod-set.ts';
import { graceMsOf } from './worker/decision.ts';
import { controllerOf } from './workload/owner.ts';

const FORCED_GRACE_MS = 2000;
// Also of a pod whose own grace is 0. Source: kubernetes/pkg/kubelet/pod_workers.go, calculateEffectiveGracePeriod:
// "no matter what, we always supply a grace period of 1"
const LEAST_GRACE_MS = 1000;

export interface Ending {
  /** Left out: the pod's own; at least 1. */
  readonly gracePeriodSeconds?: number;
  /** The object is gone at once, its containers are given 2 s. */
  readonly force?: boolean;
  readonly request: Pick<KillRequest, 'by' | 'message'>;
}

export interface Deletion {
  /** Begins to end a pod; resolves when nothing is left of it. */
  pod(pod: PodRecord, ending: Ending): Promise<void>;
  /** Deletes an object, then all it owns; resolves when nothing is left. */
  object(object: Stored, ending: Ending): Promise<void>;
  /** Deletes what an owner left behind that was deleted just before the earlier agent died. */
  orphans(): void;
}

export function createDeletion(options: {
  readonly clock: Clock;
  readonly pods: PodSet;
  readonly objects: ObjectStore;
  /** The pod is nobody's business any more, though its containers may still run. */
  readonly onHidden: (pod: PodRecord) => void;
  /** It is about to be removed. */
  readonly onObjectGoing: (object: Stored, ending: Ending) => void;
  readonly onObjectGone: (object: Stored) => void;
  readonly onError: (error: unknown) => void;
}): Deletion {
  const { clock, pods, objects } = options;

  function deletePod(pod: PodRecord, { gracePeriodSeconds, force, request }: Ending): Promise<void> {
    const worker = pods.worker(pod.ref.uid)!;
    const asked = gracePeriodSeconds === undefined ? graceMsOf(pod) : gracePeriodSeconds * 1000;
    worker.delete(force ? FORCED_GRACE_MS : Math.max(LEAST_GRACE_MS, asked), { ...request, at: clock.now() });
    if (!force) return worker.removed;
    pods.hide(pod.ref.uid);
    options.onHidden(pod);
    return Promise.resolve();
  }

  // Owners first, so that their controllers do not make anew what goes.
  async function deleteObject(object: Stored, ending: Ending): Promise<void> {
    const { kind, metadata } = object;
    const owned = (['ReplicaSet', 'ControllerRevision', 'Job'] as const).flatMap(
      (childKind): readonly Stored[] => objects.ownedBy(childKind, metadata.uid),
    );
    options.onObjectGoing(object, ending);
    const removed = objects.remove(kind, metadata.namespace, metadata.name);
    options.onObjectGone(object);
    await Promise.all([
      removed,
      ...owned.map((child) => deleteObject(child, ending)),
      ...pods
        .ownedBy(metadata.uid)
        .filter(({ ref }) => !pods.isHidden(ref.uid))
        .map((pod) => deletePod(pod, ending)),
    ]);
  }

  return {
    pod: deletePod,
    object: deleteObject,
    orphans() {
      const orphaned = ({ metadata }: Pick<PodRecord, 'metadata'>) => {
        const owner = controllerOf(metadata);
        if (!owner || objects.hasUid(owner.uid)) return undefined;
        return { request: { by: 'delete', message: `${owner.kind} ${owner.name} was deleted` } } as const;
      };
      for (const object of objects.all()) {
        const ending = orphaned(object);
        if (ending) void deleteObject(object, ending).catch(options.onError);
      }
      for (const pod of pods.all()) {
        const ending = orphaned(pod);
        if (ending) void deletePod(pod, ending);
      }
    },
  };
}
