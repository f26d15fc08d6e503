import type { ConfigMap, ObjectMeta, Secret } from '../../model/kubernetes.ts';
import type { KubernetesObject } from '../../model/kubernetes-object.ts';
import type { KeyValue } from './key-value.ts';
import type { References } from './spec/references.ts';
import { controllerOf } from './workload/owner.ts';
import type { WriteBehind } from './write-behind.ts';

/** Kinds that are kept; pods have records of their own, Endpoints are made from pods. */
export type StoredKind = Exclude<KubernetesObject['kind'], 'Pod' | 'Endpoints'>;

/** An object as it is kept, with what its controller must not forget and the API has no place for. */
export type Stored<Kind extends StoredKind = StoredKind> = Extract<KubernetesObject, { kind: Kind }> & {
  /** The manifest's folder: where a `host` container starts. */
  readonly folder?: string;
  readonly ledger?: JobLedger;
  /** The last time without a Job that a CronJob told of. */
  readonly toldMissed?: number;
  /** Ordinals of a StatefulSet whose claims go with it: `0-2,5`. */
  readonly claimOrdinals?: string;
};

/** What a Job has counted. */
export interface JobLedger {
  /** Uids of pods that are counted in the status and whose records may still be there. */
  readonly counted: readonly string[];
  /** Failures since the last success, and when the last one was: what the back-off goes by. */
  readonly failures: number;
  readonly failedAt?: number;
  /** The same of each index that has failed, where each has a back-off of its own. */
  readonly indexFailures?: Readonly<Record<string, { readonly failures: number; readonly failedAt: number }>>;
}

/** The objects that are not pods; durable. */
export interface ObjectStore {
  get<Kind extends StoredKind>(kind: Kind, namespace: string, name: string): Stored<Kind> | undefined;
  /** In the order of namespace and name. */
  list<Kind extends StoredKind>(kind: Kind): readonly Stored<Kind>[];
  all(): readonly Stored[];
  /** Those of a kind whose controller has this uid. */
  ownedBy<Kind extends StoredKind>(kind: Kind, uid: string): readonly Stored<Kind>[];
  hasUid(uid: string): boolean;
  /** Takes effect at once; resolves when durable. */
  put(object: Stored): Promise<void>;
  /** As `put`, durable a moment later: for what can be found out again. */
  mark(object: Stored): void;
  /** False when there is none. */
  remove(kind: StoredKind, namespace: string, name: string): Promise<boolean>;
  references(namespace: string): References;
}

const PREFIX = 'pod/objects/';

export const objectKey = (namespace: string, name: string) => `${namespace}/${name}`;

/** What an agent of before kept of an object: its kind stood in the key alone. */
const API_VERSIONS: Readonly<Record<StoredKind, string>> = {
  Deployment: 'apps/v1',
  ReplicaSet: 'apps/v1',
  StatefulSet: 'apps/v1',
  DaemonSet: 'apps/v1',
  ControllerRevision: 'apps/v1',
  Job: 'batch/v1',
  CronJob: 'batch/v1',
  Service: 'v1',
  PodDisruptionBudget: 'policy/v1',
  PriorityClass: 'scheduling.k8s.io/v1',
  ConfigMap: 'v1',
  Secret: 'v1',
};

export function createObjectStore(keyValue: KeyValue, writer: WriteBehind): ObjectStore {
  const kinds = Object.fromEntries(
    Object.keys(API_VERSIONS).map((kind) => [kind, new Map<string, Stored>()]),
  ) as Readonly<Record<StoredKind, Map<string, Stored>>>;
  const uids = new Set<string>();
  for (const [key, value] of keyValue.entries(PREFIX)) {
    const [kind, namespace, name] = key.slice(PREFIX.length).split('/') as [StoredKind, string, string];
    const object = { apiVersion: API_VERSIONS[kind], kind, ...(value as object) } as Stored;
    kinds[kind].set(objectKey(namespace, name), object);
    uids.add(object.metadata.uid);
  }
  const place = (object: Stored) => {
    const key = objectKey(object.metadata.namespace, object.metadata.name);
    kinds[object.kind].set(key, object);
    uids.add(object.metadata.uid);
    return [`${PREFIX}${object.kind}/${key}`, () => kinds[object.kind].get(key)] as const;
  };
  const get = (kind: StoredKind, namespace: string, name: string) =>
    kinds[kind].get(objectKey(namespace, name));

  return {
    get: get as ObjectStore['get'],
    list: ((kind: StoredKind) =>
      [...kinds[kind]]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, object]) => object)) as ObjectStore['list'],
    all: () => Object.values(kinds).flatMap((objects) => [...objects.values()]),
    ownedBy: ((kind: StoredKind, uid: string) =>
      [...kinds[kind].values()].filter(
        ({ metadata }) => controllerOf(metadata)?.uid === uid,
      )) as ObjectStore['ownedBy'],
    hasUid: (uid) => uids.has(uid),
    put: (object) => writer.write(...place(object)),
    mark: (object) => writer.mark(...place(object)),
    async remove(kind, namespace, name) {
      const object = get(kind, namespace, name);
      if (!object) return false;
      const key = objectKey(namespace, name);
      kinds[kind].delete(key);
      uids.delete(object.metadata.uid);
      await writer.remove(`${PREFIX}${kind}/${key}`);
      return true;
    },
    references: (namespace) => ({
      configMap: (name) => get('ConfigMap', namespace, name) as ConfigMap | undefined,
      secret: (name) => get('Secret', namespace, name) as Secret | undefined,
    }),
  };
}

/** The object as the API shows it: without our own bookkeeping. */
export function shown({
  folder: _folder,
  ledger: _ledger,
  toldMissed: _toldMissed,
  claimOrdinals: _claimOrdinals,
  ...object
}: Stored): KubernetesObject {
  return object as KubernetesObject;
}

export type NewMeta = Omit<ObjectMeta, 'uid' | 'creationTimestamp'>;
