import type { PodRecord } from './pod-record.ts';
import { createPodWorker, type PodWorker } from './worker/pod-worker.ts';
import type { WorkerContext } from './worker/worker-context.ts';
import { controllerOf } from './workload/owner.ts';

/** All pods there are, each with its worker. */
export interface PodSet {
  add(pod: PodRecord): PodWorker;
  worker(uid: string): PodWorker | undefined;
  workers(): readonly PodWorker[];
  /** Those deleted by force, which nobody sees any more, included. */
  all(): readonly PodRecord[];
  visible(): readonly PodRecord[];
  find(namespace: string, name: string): PodRecord | undefined;
  /** Pods whose controller has this uid; those deleted by force included. */
  ownedBy(uid: string): readonly PodRecord[];
  hide(uid: string): void;
  isHidden(uid: string): boolean;
  forget(uid: string): void;
}

export function createPodSet(context: () => WorkerContext): PodSet {
  const workers = new Map<string, PodWorker>();
  const hidden = new Set<string>();
  const all = () => [...workers.values()].map(({ pod }) => pod);
  const visible = () => all().filter(({ ref }) => !hidden.has(ref.uid));
  return {
    add(pod) {
      const worker = createPodWorker(pod, context());
      workers.set(pod.ref.uid, worker);
      return worker;
    },
    worker: (uid) => workers.get(uid),
    workers: () => [...workers.values()],
    all,
    visible,
    find: (namespace, name) => visible().find(({ ref }) => ref.namespace === namespace && ref.name === name),
    ownedBy: (uid) => all().filter(({ metadata }) => controllerOf(metadata)?.uid === uid),
    hide: (uid) => void hidden.add(uid),
    isHidden: (uid) => hidden.has(uid),
    forget(uid) {
      workers.delete(uid);
      hidden.delete(uid);
    },
  };
}
