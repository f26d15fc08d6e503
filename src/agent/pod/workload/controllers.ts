import type { ObjectStore, StoredKind } from '../object-store.ts';
import { createControlLoop, type Reconcile } from './control-loop.ts';
import type { ControlledKind, ControllerContext, NewPodRequest } from './controller.ts';
import { createCronJobController } from './cron-job-controller.ts';
import { createDaemonSetController } from './daemon-set-controller.ts';
import { createDeploymentController } from './deployment-controller.ts';
import { createJobController } from './job-controller.ts';
import { controllerOf } from './owner.ts';
import { createPodCreation } from './pod-creation.ts';
import { createReplicaSetController } from './replica-set-controller.ts';
import { createStatefulSetController } from './stateful-set-controller.ts';
import { podDeleted } from './workload-event.ts';

/** Looks after every object that makes pods or other objects. */
export interface Controllers {
  /** Looks at the object, and what owns it, once what is going on now is over. */
  soon(kind: StoredKind, namespace: string, name: string): void;
  /** Looks at everything now: owners first. */
  all(): void;
  /** What pods were refused for may be mended: tries again those that wait. */
  retryPods(): void;
  close(): void;
}

const TOP_DOWN = ['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'CronJob', 'Job'] as const;

export function createControllers(
  context: Omit<ControllerContext, 'soon' | 'createPod' | 'createFailure'> & {
    /** @throws CodedError the refusal, in the words of the API server. */
    readonly createPod: (asked: NewPodRequest) => void;
  },
  options: {
    /** The object was looked at. */
    readonly onLooked: (kind: ControlledKind, namespace: string, name: string) => void;
    readonly onError: (error: unknown) => void;
  },
): Controllers {
  const { objects } = context;
  const creation = createPodCreation(context);
  const full: ControllerContext = {
    ...context,
    soon,
    createPod: creation.create,
    createFailure: creation.failureOf,
    deletePod(pod, request) {
      if (pod.deletion) return;
      context.deletePod(pod, request);
      const { kind, name } = controllerOf(pod.metadata) ?? {};
      const owner = kind && name && objects.get(kind as StoredKind, pod.ref.namespace, name);
      if (owner) context.tell(owner, podDeleted(owner, pod.ref.name));
    },
  };
  const told =
    (kind: ControlledKind, reconcile: Reconcile): Reconcile =>
    (namespace, name) => {
      const wakeAt = reconcile(namespace, name);
      options.onLooked(kind, namespace, name);
      return wakeAt;
    };
  const loop = createControlLoop<ControlledKind>({
    clock: context.clock,
    controllers: {
      Deployment: told('Deployment', createDeploymentController(full)),
      ReplicaSet: told('ReplicaSet', createReplicaSetController(full)),
      StatefulSet: told('StatefulSet', createStatefulSetController(full)),
      DaemonSet: told('DaemonSet', createDaemonSetController(full)),
      CronJob: told('CronJob', createCronJobController(full)),
      Job: told('Job', createJobController(full)),
    },
    onError: options.onError,
  });

  function soon(kind: StoredKind, namespace: string, name: string): void {
    if (isControlled(kind)) loop.soon(kind, namespace, name);
    const owner = ownerOf(objects, kind, namespace, name);
    if (owner) soon(owner.kind as StoredKind, namespace, owner.name);
  }

  function all(): void {
    for (const kind of TOP_DOWN)
      for (const { metadata } of objects.list(kind)) loop.now(kind, metadata.namespace, metadata.name);
  }

  return {
    soon,
    all,
    retryPods() {
      creation.retry();
      all();
    },
    close: () => loop.close(),
  };
}

const isControlled = (kind: StoredKind): kind is ControlledKind =>
  (TOP_DOWN as readonly StoredKind[]).includes(kind);

function ownerOf(objects: ObjectStore, kind: StoredKind, namespace: string, name: string) {
  const object = objects.get(kind, namespace, name);
  return object && controllerOf(object.metadata);
}
