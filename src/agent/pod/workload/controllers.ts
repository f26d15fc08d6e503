import type { ObjectStore, StoredKind } from '../object-store.ts';
import { createControlLoop, type Reconcile } from './control-loop.ts';
import type { ControlledKind, ControllerContext } from './controller.ts';
import { createCronJobController } from './cron-job-controller.ts';
import { createDaemonSetController } from './daemon-set-controller.ts';
import { createDeploymentController } from './deployment-controller.ts';
import { createJobController } from './job-controller.ts';
import { controllerOf } from './owner.ts';
import { createReplicaSetController } from './replica-set-controller.ts';
import { createStatefulSetController } from './stateful-set-controller.ts';
import { podCreated, podDeleted } from './workload-event.ts';

/** Looks after every object that makes pods or other objects. */
export interface Controllers {
  /** Looks at the object, and what owns it, once what is going on now is over. */
  soon(kind: StoredKind, namespace: string, name: string): void;
  /** Looks at everything now: owners first. */
  all(): void;
  close(): void;
}

const TOP_DOWN = ['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'CronJob', 'Job'] as const;

export function createControllers(
  context: Omit<ControllerContext, 'soon'>,
  options: {
    /** The object was looked at. */
    readonly onLooked: (kind: ControlledKind, namespace: string, name: string) => void;
    readonly onError: (error: unknown) => void;
  },
): Controllers {
  const { objects } = context;
  const full: ControllerContext = {
    ...context,
    soon,
    createPod(asked) {
      context.createPod(asked);
      context.tell(asked.owner, podCreated(asked.owner, asked.metadata.name));
    },
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

  return {
    soon,
    all() {
      for (const kind of TOP_DOWN)
        for (const { metadata } of objects.list(kind)) loop.now(kind, metadata.namespace, metadata.name);
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
