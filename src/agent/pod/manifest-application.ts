import type { Clock } from '../../util/clock.ts';
import type { ManifestObject } from './manifest/manifest-object.ts';
import { newPod } from './new-pod.ts';
import { asAdmitted, type PriorityLevel, withPriority } from './node/priority.ts';
import {
  type ApplyAction,
  applyKept,
  checkKeptUpdate,
  checkPriorities,
  type KeptManifest,
} from './object-application.ts';
import type { ObjectStore } from './object-store.ts';
import { apiTime, type PodRecord } from './pod-record.ts';
import type { PodSet } from './pod-set.ts';
import { checkPodUpdate } from './pod-update.ts';
import { canonicalJson } from './workload/pod-names.ts';
import type { Workloads } from './workload/workloads.ts';

export interface AppliedObject {
  readonly kind: ManifestObject['kind'];
  readonly namespace: string;
  readonly name: string;
  readonly action: ApplyAction;
}

/** Makes what manifests say the objects and pods there are. */
export interface ManifestApplication {
  /** All or, when one is refused, nothing. Not durable yet. @throws CodedError as `PodManager.apply`. */
  apply(asked: readonly ManifestObject[], folder: string | undefined): readonly AppliedObject[];
  priorityLevels(): readonly PriorityLevel[];
}

export function createManifestApplication(options: {
  readonly clock: Clock;
  readonly node: string;
  readonly uid: () => string;
  readonly objects: ObjectStore;
  readonly pods: PodSet;
  readonly workloads: Pick<Workloads, 'ensure'>;
  readonly onObject: (object: KeptManifest, namespace: string, name: string) => void;
}): ManifestApplication {
  const { clock, node, uid, objects, pods, workloads } = options;

  const priorityLevels = () =>
    objects.list('PriorityClass').map(({ metadata: { name }, ...level }) => ({ name, ...level }));

  function check(object: ManifestObject, folder: string | undefined): void {
    if (object.kind !== 'Pod') {
      checkKeptUpdate(objects, object);
      return;
    }
    const pod = pods.find(object.metadata.namespace, object.metadata.name);
    if (pod) checkPodUpdate(pod, { ...object, spec: asAdmitted(object.spec, pod.spec) }, folder);
  }

  function applyOne(object: ManifestObject, folder: string | undefined): ApplyAction {
    const { namespace, name } = object.metadata;
    if (object.kind !== 'Pod') {
      const action = applyKept(objects, object, { folder, uid, now: apiTime(clock.now()) });
      options.onObject(object, namespace, name);
      return action;
    }
    const existing = pods.find(namespace, name);
    if (existing) return relabel(existing, object);
    workloads.ensure(namespace, name, 'barepod', clock.now());
    const { metadata } = object;
    const spec = withPriority(object.spec, priorityLevels());
    const asked = { metadata, spec, folder, workload: name, workloadType: 'barepod' } as const;
    pods.add(newPod(asked, node, uid(), clock.now())).start();
    return 'created';
  }

  function relabel(pod: PodRecord, { metadata: { labels, annotations } }: ManifestObject): ApplyAction {
    const same =
      canonicalJson([pod.labels ?? {}, pod.annotations ?? {}]) ===
      canonicalJson([labels ?? {}, annotations ?? {}]);
    if (same) return 'unchanged';
    pod.labels = labels;
    pod.annotations = annotations;
    pods.worker(pod.ref.uid)!.changed();
    return 'configured';
  }

  return {
    apply(asked, folder) {
      for (const object of asked) check(object, folder);
      checkPriorities(asked, priorityLevels());
      // Classes first: pods that name them are made with their priority.
      const order = (object: ManifestObject) => Number(object.kind !== 'PriorityClass');
      const applied = [...asked]
        .sort((a, b) => order(a) - order(b))
        .map((object) => {
          const { namespace, name } = object.metadata;
          return { kind: object.kind, namespace, name, action: applyOne(object, folder) };
        });
      // Pods that waited for a ConfigMap or Secret need not wait for their next try.
      for (const worker of pods.workers()) {
        if (asked.some((object) => object.metadata.namespace === worker.pod.ref.namespace)) worker.retry();
      }
      return applied;
    },
    priorityLevels,
  };
}
