import type { WorkloadObject } from '../../../model/kubernetes-object.ts';
import type { WorkloadType } from '../../../model/pod-ref.ts';
import type { KeyValue } from '../key-value.ts';
import { type ObjectStore, shown } from '../object-store.ts';
import type { PodRecord } from '../pod-record.ts';
import { serviceOf } from '../service/service-names.ts';
import type { WorkloadView } from '../view.ts';
import type { WriteBehind } from '../write-behind.ts';
import {
  foldPod,
  integrated,
  newWorkload,
  STARTUP_BOUNDS,
  setLevels,
  totals,
  type WorkloadRecord,
} from './workload-counters.ts';
import { desiredPods, workloadObject } from './workload-identity.ts';

/** Counts of every workload, over the lives of its pods. */
export interface Workloads {
  ensure(namespace: string, name: string, type: WorkloadType, now: number): void;
  /** Something of the pod may have changed, as of `at`. */
  update(pod: PodRecord, at: number): void;
  /** The pod is gone; its counts stay with its workload, for as long as that has an object or pods. */
  podGone(pod: PodRecord, now: number): Promise<void>;
  /** What the workload wants may have changed; a workload without object and pods is forgotten. */
  objectChanged(namespace: string, name: string, type: WorkloadType, now: number): void;
  /** Whether the pod's counts were kept already, and only its record was left behind. */
  hasFolded(pod: PodRecord): boolean;
  views(now: number): readonly WorkloadView[];
  /** Those that have an object of their own. */
  viewsOfObjects(now: number): readonly WorkloadView[];
  /** Brings the durable counts to `now`. */
  settle(now: number): void;
}

const PREFIX = 'pod/workloads/';
/** Labels of pods that workloads carry on. */
const PROMOTED = ['team', 'tier', 'app.kubernetes.io/part-of'];

const keyOf = (namespace: string, type: WorkloadType, name: string) => `${namespace}/${type}/${name}`;

export function createWorkloads(options: {
  readonly keyValue: KeyValue;
  readonly writer: WriteBehind;
  readonly objects: Pick<ObjectStore, 'get' | 'list' | 'ownedBy'>;
  /** All pods that are there, but those deleted by force. */
  readonly pods: () => readonly PodRecord[];
  readonly node: string;
}): Workloads {
  const { writer, objects } = options;
  const records = new Map<string, WorkloadRecord>();
  for (const [key, value] of options.keyValue.entries(PREFIX)) {
    records.set(key.slice(PREFIX.length), value as WorkloadRecord);
  }
  const membersOf = ({ namespace, name, type }: Pick<WorkloadRecord, 'namespace' | 'name' | 'type'>) =>
    options
      .pods()
      .filter(({ ref }) => ref.namespace === namespace && ref.workload === name && ref.workloadType === type);
  const objectOf = ({ namespace, name, type }: WorkloadRecord) =>
    workloadObject(objects, type, namespace, name);

  function ensure(namespace: string, name: string, type: WorkloadType, now: number): WorkloadRecord {
    const key = keyOf(namespace, type, name);
    const record = records.get(key) ?? newWorkload(namespace, name, type, now);
    records.set(key, record);
    level(record, now);
    return record;
  }

  function level(record: WorkloadRecord, at: number): void {
    const members = membersOf(record);
    const ready = members.filter((pod) => pod.ready && !pod.deletion).length;
    record.podLabels = members.length > 0 ? promoted(members[0]!) : record.podLabels;
    const changed = setLevels(record, at, {
      desired: desiredOf(record, members),
      ready,
      pods: members.length,
    });
    if (changed) writer.mark(PREFIX + keyOf(record.namespace, record.type, record.name), () => record);
  }

  /** A bare pod is wanted until it is deleted or has done its work. */
  function desiredOf(record: WorkloadRecord, members: readonly PodRecord[]): number {
    if (record.type !== 'barepod') {
      const object = objectOf(record);
      return object ? desiredPods(objects, object) : 0;
    }
    return members
      .filter((pod) => !pod.deletion && pod.phase !== 'Succeeded')
      .reduce((sum, pod) => sum + (pod.desired ?? 1), 0);
  }

  async function forgetIfEmpty(record: WorkloadRecord): Promise<void> {
    if (objectOf(record) || membersOf(record).length > 0) return;
    const key = keyOf(record.namespace, record.type, record.name);
    records.delete(key);
    await writer.remove(PREFIX + key);
  }

  return {
    ensure,
    update({ ref }, at) {
      ensure(ref.namespace, ref.workload, ref.workloadType, at);
    },
    async podGone(pod, now) {
      const { namespace, workload, workloadType } = pod.ref;
      const record = ensure(namespace, workload, workloadType, now);
      foldPod(record, pod);
      await writer.write(PREFIX + keyOf(namespace, workloadType, workload), () => record);
      await forgetIfEmpty(record);
    },
    objectChanged(namespace, name, type, now) {
      void forgetIfEmpty(ensure(namespace, name, type, now));
    },
    hasFolded({ ref }) {
      const record = records.get(keyOf(ref.namespace, ref.workloadType, ref.workload));
      return record?.foldedUids.includes(ref.uid) ?? false;
    },
    views: (now) => viewsOf([...records.values()], now),
    viewsOfObjects: (now) =>
      viewsOf(
        [...records.values()].filter((record) => objectOf(record) !== undefined),
        now,
      ),
    settle(now) {
      for (const [key, record] of records) {
        Object.assign(record, integrated(record, now), { at: Math.max(now, record.at) });
        writer.mark(PREFIX + key, () => record);
      }
    },
  };

  function serviceNameOf(
    { namespace, name, podLabels }: WorkloadRecord,
    members: readonly PodRecord[],
    object: WorkloadObject | undefined,
  ): string {
    const labels = members[0]?.labels ?? templateLabels(object);
    const service = serviceOf(objects.list('Service'), namespace, labels);
    return service ?? podLabels['app.kubernetes.io/part-of'] ?? name;
  }

  function viewsOf(wanted: readonly WorkloadRecord[], now: number): readonly WorkloadView[] {
    const members = Map.groupBy(options.pods(), ({ ref }) =>
      keyOf(ref.namespace, ref.workloadType, ref.workload),
    );
    return wanted.map((record) =>
      view(record, members.get(keyOf(record.namespace, record.type, record.name)) ?? [], now),
    );
  }

  function view(record: WorkloadRecord, members: readonly PodRecord[], now: number): WorkloadView {
    const { desiredMs, readyMs, podMs } = integrated(record, now);
    const sum = totals(record, members);
    const object = objectOf(record);
    return {
      namespace: record.namespace,
      name: record.name,
      type: record.type,
      node: options.node,
      desired: record.desired,
      ready: record.ready,
      desiredPodSeconds: desiredMs / 1000,
      readyPodSeconds: readyMs / 1000,
      podSeconds: podMs / 1000,
      restarts: sum.restarts,
      initRestarts: sum.initRestarts,
      crashLoops: sum.crashLoops,
      startup: {
        bounds: STARTUP_BOUNDS,
        counts: sum.startupCounts,
        sum: sum.startupSum,
        count: sum.startupCounts.reduce((so, count) => so + count, 0),
      },
      starts: { judged: sum.judged, slow: sum.slow },
      ...(object === undefined ? {} : { object: shown(object) as WorkloadObject }),
      service: serviceNameOf(record, members, object),
      podLabels: record.podLabels,
    };
  }
}

function templateLabels(object: WorkloadObject | undefined): Readonly<Record<string, string>> | undefined {
  if (!object) return undefined;
  const { template } = object.kind === 'CronJob' ? object.spec.jobTemplate.spec : object.spec;
  return template.metadata?.labels;
}

function promoted(pod: PodRecord): Readonly<Record<string, string>> {
  const labels = pod.labels ?? {};
  return Object.fromEntries(
    PROMOTED.filter((name) => Object.hasOwn(labels, name)).map((name) => [name, labels[name]!]),
  );
}
