import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Container, Volume } from '../../../model/kubernetes.ts';
import { CodedError } from '../../../util/coded-error.ts';
import type { PodRecord } from '../pod-record.ts';
import type { Mount } from '../runtime/runtime.ts';
import { entriesOf, type References } from './references.ts';

/** A file of a ConfigMap or Secret volume. */
interface VolumeFile {
  readonly path: string;
  readonly content: Buffer;
  readonly mode: number;
}

/** Where a volume lies on the host. */
export function volumePath(volume: Volume, podDirectory: string): string {
  return volume.hostPath ? resolve('/', volume.hostPath.path) : join(podDirectory, 'volumes', volume.name);
}

/**
 * Makes the directories and files of a pod's volumes. Synchronous: at most a few small files. Making them again
 * changes an emptyDir in nothing.
 *
 * @throws CodedError `FailedMount` in the kubelet's words when an object, a key or a host path is missing.
 */
export function setUpVolumes(pod: PodRecord, podDirectory: string, references: References): void {
  for (const volume of pod.spec.volumes ?? []) {
    try {
      setUpVolume(volume, pod.ref.namespace, volumePath(volume, podDirectory), references);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new CodedError(
        'FailedMount',
        `MountVolume.SetUp failed for volume "${volume.name}" : ${reason}`,
        {
          cause: error,
        },
      );
    }
  }
}

function setUpVolume(volume: Volume, namespace: string, path: string, references: References): void {
  if (volume.hostPath) {
    checkHostPath(path, volume.hostPath.type ?? '');
    return;
  }
  mkdirSync(path, { recursive: true });
  if (volume.emptyDir) {
    chmodSync(path, 0o777);
    return;
  }
  for (const file of volumeFiles(volume, namespace, references)) {
    const target = join(path, file.path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, file.content);
    chmodSync(target, file.mode);
  }
}

function volumeFiles(volume: Volume, namespace: string, references: References): VolumeFile[] {
  const kind = volume.secret ? 'secret' : 'configmap';
  const source = volume.secret ?? volume.configMap!;
  const name = volume.secret ? volume.secret.secretName : volume.configMap!.name;
  const entries = entriesOf(references, kind, name);
  if (entries === undefined) {
    if (source.optional) return [];
    throw new Error(`${kind} "${name}" not found`);
  }
  const mode = source.defaultMode ?? 0o644;
  if (source.items === undefined) return [...entries].map(([path, content]) => ({ path, content, mode }));
  const files: VolumeFile[] = [];
  for (const item of source.items) {
    const content = entries.get(item.key);
    if (content !== undefined) files.push({ path: item.path, content, mode: item.mode ?? mode });
    else if (!source.optional)
      throw new Error(`references non-existent ${kind} key: ${namespace}/${name}/${item.key}`);
  }
  return files;
}

const FILE_KINDS: Readonly<
  Record<string, { readonly check: 'isDirectory' | 'isFile' | 'isSocket'; readonly word: string }>
> = {
  Directory: { check: 'isDirectory', word: 'a directory' },
  DirectoryOrCreate: { check: 'isDirectory', word: 'a directory' },
  File: { check: 'isFile', word: 'a file' },
  FileOrCreate: { check: 'isFile', word: 'a file' },
  Socket: { check: 'isSocket', word: 'a socket' },
};

export const HOST_PATH_TYPES = ['', ...Object.keys(FILE_KINDS)];

/** Source: kubernetes/pkg/volume/hostpath/host_path.go, checkTypeInternal */
function checkHostPath(path: string, type: string): void {
  if (type === 'DirectoryOrCreate') mkdirSync(path, { recursive: true });
  if (type === 'FileOrCreate') writeFileSync(path, '', { flag: 'a' });
  const stats = statSync(path, { throwIfNoEntry: false });
  const wanted = FILE_KINDS[type];
  if (wanted && !stats?.[wanted.check]())
    throw new Error(`hostPath type check failed: ${path} is not ${wanted.word}`);
  // Without a type a container engine makes a directory where nothing is.
  if (!stats) mkdirSync(path, { recursive: true });
}

/** What of the pod's volumes a container sees, and where. ConfigMaps and Secrets are always read-only. */
export function volumeMounts(
  container: Container,
  volumes: readonly Volume[],
  podDirectory: string,
): readonly Mount[] {
  return (container.volumeMounts ?? []).map((mount) => {
    const volume = volumes.find((candidate) => candidate.name === mount.name)!;
    const root = volumePath(volume, podDirectory);
    return {
      source: mount.subPath === undefined ? root : subPath(root, mount.subPath, volume),
      target: mount.mountPath,
      readOnly: mount.readOnly === true || volume.configMap !== undefined || volume.secret !== undefined,
    };
  });
}

function subPath(root: string, path: string, volume: Volume): string {
  const target = join(root, path);
  if (volume.emptyDir) mkdirSync(target, { recursive: true });
  if (!statSync(target, { throwIfNoEntry: false })) {
    throw new CodedError(
      'CreateContainerConfigError',
      `failed to prepare subPath for volumeMount "${volume.name}": ${path} is not in the volume`,
    );
  }
  return target;
}
