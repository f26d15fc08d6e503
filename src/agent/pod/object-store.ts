import type { ConfigMap, ObjectMeta, Secret } from '../../model/kubernetes.ts';
import type { KeyValue } from './key-value.ts';
import type { ManifestObject } from './manifest/manifest-object.ts';
import type { References } from './spec/references.ts';
import { type DeploymentRecord, isSameDeployment } from './workload/deployment.ts';
import { canonicalJson } from './workload/pod-names.ts';
import type { WriteBehind } from './write-behind.ts';

export type ApplyAction = 'created' | 'configured' | 'unchanged';

type Configuration = ConfigMap | Secret;

/** The objects that are not pods: ConfigMaps, Secrets and Deployments, as applied; durable. */
export interface ObjectStore {
  readonly deployments: ReadonlyMap<string, DeploymentRecord>;
  configurations(kind: Configuration['kind']): readonly Configuration[];
  configuration(kind: Configuration['kind'], namespace: string, name: string): Configuration | undefined;
  applyConfiguration(
    object: Extract<ManifestObject, { kind: 'ConfigMap' | 'Secret' }>,
    uid: () => string,
    now: string,
  ): ApplyAction;
  applyDeployment(
    object: Extract<ManifestObject, { kind: 'Deployment' }>,
    folder: string | undefined,
    uid: () => string,
    now: string,
  ): ApplyAction;
  /** False when there is none. */
  remove(kind: 'ConfigMap' | 'Secret' | 'Deployment', namespace: string, name: string): Promise<boolean>;
  references(namespace: string): References;
}

const PREFIX = 'pod/objects/';

export const objectKey = (namespace: string, name: string) => `${namespace}/${name}`;

export function createObjectStore(keyValue: KeyValue, writer: WriteBehind): ObjectStore {
  const deployments = new Map<string, DeploymentRecord>();
  const configurations = {
    ConfigMap: new Map<string, Configuration>(),
    Secret: new Map<string, Configuration>(),
  };
  for (const [key, value] of keyValue.entries(PREFIX)) {
    const [kind, namespace, name] = key.slice(PREFIX.length).split('/') as [string, string, string];
    if (kind === 'Deployment') deployments.set(objectKey(namespace, name), value as DeploymentRecord);
    else
      configurations[kind as Configuration['kind']].set(objectKey(namespace, name), value as Configuration);
  }
  const keep = (kind: string, key: string, value: unknown) =>
    void writer.write(`${PREFIX}${kind}/${key}`, () => value);

  return {
    deployments,
    configurations: (kind) => [...configurations[kind].values()],
    configuration: (kind, namespace, name) => configurations[kind].get(objectKey(namespace, name)),
    applyConfiguration(object, uid, now) {
      const { kind, metadata } = object;
      const key = objectKey(metadata.namespace, metadata.name);
      const before = configurations[kind].get(key);
      const body =
        kind === 'Secret'
          ? { type: object.type ?? 'Opaque', ...(object.data === undefined ? {} : { data: object.data }) }
          : {
              ...(object.data === undefined ? {} : { data: object.data }),
              ...(object.binaryData === undefined ? {} : { binaryData: object.binaryData }),
            };
      const meta = metaOf(metadata, before?.metadata, uid, now);
      const next = { apiVersion: 'v1', kind, metadata: meta, ...body } as Configuration;
      if (before && canonicalJson(before) === canonicalJson(next)) return 'unchanged';
      configurations[kind].set(key, next);
      keep(kind, key, next);
      return before ? 'configured' : 'created';
    },
    applyDeployment(object, folder, uid, now) {
      const key = objectKey(object.metadata.namespace, object.metadata.name);
      const before = deployments.get(key);
      const metadata = metaOf(object.metadata, before?.metadata, uid, now);
      const next = { metadata, spec: object.spec, ...(folder === undefined ? {} : { folder }) };
      if (before && isSameDeployment(before, next)) return 'unchanged';
      const sameSpec = before && canonicalJson(before.spec) === canonicalJson(next.spec);
      const generation = (before?.metadata.generation ?? 0) + (sameSpec ? 0 : 1);
      const record = { ...next, metadata: { ...metadata, generation } };
      deployments.set(key, record);
      keep('Deployment', key, record);
      return before ? 'configured' : 'created';
    },
    async remove(kind, namespace, name) {
      const key = objectKey(namespace, name);
      const removed = (kind === 'Deployment' ? deployments : configurations[kind]).delete(key);
      if (removed) await writer.remove(`${PREFIX}${kind}/${key}`);
      return removed;
    },
    references: (namespace) => ({
      configMap: (name) => configurations.ConfigMap.get(objectKey(namespace, name)) as ConfigMap | undefined,
      secret: (name) => configurations.Secret.get(objectKey(namespace, name)) as Secret | undefined,
    }),
  };
}

function metaOf(
  asked: ManifestObject['metadata'],
  before: ObjectMeta | undefined,
  uid: () => string,
  now: string,
): ObjectMeta {
  return { ...asked, uid: before?.uid ?? uid(), creationTimestamp: before?.creationTimestamp ?? now };
}
