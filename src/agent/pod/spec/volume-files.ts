import type { KeyToPath, Projection, Volume } from '../../../model/kubernetes.ts';
import type { PodRecord } from '../pod-record.ts';
import { type NodeFacts, resourceValue, volumeFieldValue } from './field-ref.ts';
import { entriesOf, type References } from './references.ts';

/** A file of a volume that is made of objects. */
export interface VolumeFile {
  readonly path: string;
  readonly content: Buffer;
  readonly mode: number;
}

export interface VolumeWorld {
  readonly references: References;
  readonly node: NodeFacts;
}

interface ObjectSource {
  readonly kind: 'configmap' | 'secret';
  readonly name: string;
  readonly items?: readonly KeyToPath[] | undefined;
  readonly optional?: boolean | undefined;
}

const DEFAULT_MODE = 0o644;

/** Whether a volume's files come from objects, so that they follow when these change. */
export const hasFiles = (volume: Volume) =>
  (volume.configMap ?? volume.secret ?? volume.downwardAPI ?? volume.projected) !== undefined;

/**
 * The files of a ConfigMap, Secret, downward or projected volume; of two of one path the last counts.
 *
 * @throws Error in the kubelet's words when an object or key that is not optional is missing.
 * Source: kubernetes/pkg/volume/{configmap,secret,downwardapi,projected}
 */
export function volumeFiles(volume: Volume, pod: PodRecord, world: VolumeWorld): readonly VolumeFile[] {
  const sources: readonly Projection[] = volume.projected?.sources ?? [
    {
      ...(volume.configMap === undefined ? {} : { configMap: volume.configMap }),
      ...(volume.secret === undefined
        ? {}
        : { secret: { ...volume.secret, name: volume.secret.secretName } }),
      ...(volume.downwardAPI === undefined ? {} : { downwardAPI: volume.downwardAPI }),
    },
  ];
  const whole = volume.projected ?? volume.configMap ?? volume.secret ?? volume.downwardAPI;
  const mode = whole?.defaultMode ?? DEFAULT_MODE;
  const files = sources.flatMap((source) => sourceFiles(source, mode, pod, world));
  return [...new Map(files.map((file) => [file.path, file])).values()];
}

function sourceFiles(
  { configMap, secret, downwardAPI }: Projection,
  mode: number,
  pod: PodRecord,
  world: VolumeWorld,
): readonly VolumeFile[] {
  if (configMap) return objectFiles({ kind: 'configmap', ...configMap }, mode, pod, world.references);
  if (secret) return objectFiles({ kind: 'secret', ...secret }, mode, pod, world.references);
  return (downwardAPI?.items ?? []).map((item) => {
    const text = item.fieldRef
      ? volumeFieldValue(item.fieldRef.fieldPath, pod, world.node)
      : resourceValue(item.resourceFieldRef!, pod.spec, pod.spec.containers[0]!, world.node);
    return { path: item.path, content: Buffer.from(text), mode: item.mode ?? mode };
  });
}

function objectFiles(
  source: ObjectSource,
  mode: number,
  pod: PodRecord,
  references: References,
): readonly VolumeFile[] {
  const { kind, name, items, optional } = source;
  const entries = entriesOf(references, kind, name);
  if (entries === undefined) {
    if (optional) return [];
    throw new Error(`${kind} "${name}" not found`);
  }
  if (items === undefined) return [...entries].map(([path, content]) => ({ path, content, mode }));
  return items.flatMap((item) => {
    const content = entries.get(item.key);
    if (content !== undefined) return [{ path: item.path, content, mode: item.mode ?? mode }];
    if (optional) return [];
    throw new Error(`references non-existent ${kind} key: ${pod.ref.namespace}/${name}/${item.key}`);
  });
}
