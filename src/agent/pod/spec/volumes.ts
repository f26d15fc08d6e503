import { chmodSync, chownSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Container, Volume } from '../../../model/kubernetes.ts';
import { CodedError, messageOf } from '../../../util/coded-error.ts';
import type { PodRecord } from '../pod-record.ts';
import type { MemoryVolume, Mount, Runtime } from '../runtime/runtime.ts';
import { writeAtomically } from './atomic-files.ts';
import { expand } from './expansion.ts';
import { parseBytes } from './quantity.ts';
import { resolveSubPath } from './sub-path.ts';
import { hasFiles, type VolumeWorld, volumeFiles } from './volume-files.ts';

/** Where a volume lies on the host; of a claim, a link to it. */
export function volumePath(volume: Volume, podDirectory: string): string {
  return volume.hostPath ? resolve('/', volume.hostPath.path) : join(podDirectory, 'volumes', volume.name);
}

/**
 * Makes the directories and files of a pod's volumes: at most a few small files. Making them again changes an emptyDir
 * and a claim in nothing.
 *
 * @throws CodedError `FailedMount` in the kubelet's words when an object, a key or a host path is missing.
 */
export async function setUpVolumes(
  pod: PodRecord,
  podDirectory: string,
  world: VolumeWorld,
  runtime: Pick<Runtime, 'persistentVolume'>,
): Promise<void> {
  for (const volume of pod.spec.volumes ?? []) {
    const { persistentVolumeClaim: claim } = volume;
    const path = volumePath(volume, podDirectory);
    try {
      if (claim) bindClaim(path, await runtime.persistentVolume(pod.ref.namespace, claim.claimName), pod);
      else setUpVolume(volume, pod, path, world);
    } catch (error) {
      throw new CodedError(
        'FailedMount',
        `MountVolume.SetUp failed for volume "${volume.name}" : ${messageOf(error)}`,
        { cause: error },
      );
    }
  }
}

/**
 * Brings the files of ConfigMaps, Secrets and the pod's own fields to what these are now. A volume whose object is gone
 * stays as it was. Returns the names of the volumes that changed.
 */
export function updateVolumes(pod: PodRecord, podDirectory: string, world: VolumeWorld): readonly string[] {
  return (pod.spec.volumes ?? []).filter(hasFiles).flatMap((volume) => {
    try {
      const files = volumeFiles(volume, pod, world);
      return writeAtomically(volumePath(volume, podDirectory), files, fsGroupOf(pod)) ? [volume.name] : [];
    } catch {
      return [];
    }
  });
}

const fsGroupOf = (pod: PodRecord) => pod.spec.securityContext?.fsGroup;

/** A folder everybody may use; with a group of its own what is made in it belongs to that group. */
const emptyDirMode = (gid: number | undefined) => (gid === undefined ? 0o777 : 0o2777);

function setUpVolume(volume: Volume, pod: PodRecord, path: string, world: VolumeWorld): void {
  const gid = fsGroupOf(pod);
  if (volume.hostPath) {
    checkHostPath(path, volume.hostPath.type ?? '');
  } else if (volume.emptyDir) {
    mkdirSync(path, { recursive: true });
    if (gid !== undefined) chownSync(path, -1, gid);
    chmodSync(path, emptyDirMode(gid));
  } else writeAtomically(path, volumeFiles(volume, pod, world), gid);
}

function bindClaim(path: string, data: string, pod: PodRecord): void {
  const gid = fsGroupOf(pod);
  if (gid !== undefined) {
    chownSync(data, -1, gid);
    chmodSync(data, statSync(data).mode | 0o2070);
  }
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  symlinkSync(data, path);
}

const isMemory = (volume: Volume) => volume.emptyDir?.medium === 'Memory';

/**
 * The pod's volumes that are memory. Without `sizeLimit` such a volume is as large as the pod may be.
 * Source: kubernetes/pkg/volume/emptydir/empty_dir.go, calculateEmptyDirMemorySize
 */
export function memoryVolumes(
  pod: PodRecord,
  podDirectory: string,
  podLimitBytes: number | undefined,
): readonly MemoryVolume[] {
  const gid = fsGroupOf(pod);
  return (pod.spec.volumes ?? []).filter(isMemory).map((volume) => {
    const { sizeLimit } = volume.emptyDir!;
    const asked = sizeLimit === undefined ? undefined : parseBytes(sizeLimit);
    const sizeBytes = Math.min(asked || Infinity, podLimitBytes ?? Infinity);
    return {
      path: volumePath(volume, podDirectory),
      mode: emptyDirMode(gid),
      ...(gid === undefined ? {} : { gid }),
      ...(sizeBytes === Infinity ? {} : { sizeBytes }),
    };
  });
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

/**
 * What of the pod's volumes a container sees, and where. What comes from objects is always read-only.
 *
 * @throws CodedError `CreateContainerConfigError` when a subPath is not there, or leads out of its volume.
 */
export function volumeMounts(
  container: Container,
  pod: PodRecord,
  podDirectory: string,
  env: ReadonlyMap<string, string>,
): readonly Mount[] {
  return (container.volumeMounts ?? []).map((mount) => {
    const volume = (pod.spec.volumes ?? []).find((candidate) => candidate.name === mount.name)!;
    const root = volumePath(volume, podDirectory);
    const path = mount.subPathExpr === undefined ? mount.subPath : expandStrictly(mount.subPathExpr, env);
    const { persistentVolumeClaim: claim } = volume;
    const readOnly = mount.readOnly === true || claim?.readOnly === true || hasFiles(volume);
    const place = { target: mount.mountPath, readOnly };
    if (path === undefined || path === '')
      return { source: root, ...place, ...(claim === undefined ? {} : { claim: claim.claimName }) };
    return { source: subPath(volume, root, path, pod), ...place, within: root };
  });
}

/** Source: kubernetes/pkg/kubelet/container/helpers.go, ExpandContainerVolumeMounts */
function expandStrictly(text: string, env: ReadonlyMap<string, string>): string {
  return expand(text, (name) => {
    const value = env.get(name);
    if (value === undefined) throw configError(`missing value for "${name}" in subPathExpr "${text}"`);
    return value;
  });
}

function subPath(volume: Volume, root: string, path: string, pod: PodRecord): string {
  // Source: kubernetes/pkg/kubelet/kubelet_pods.go, makeMounts
  if (path.split('/').includes('..'))
    throw configError(`unable to provision SubPath \`${path}\`: must not contain '..'`);
  const inside = pod.sandbox?.pid;
  const view = isMemory(volume) && inside !== undefined ? `/proc/${inside}/root` : '';
  try {
    return resolveSubPath(root, path, !hasFiles(volume), view);
  } catch (error) {
    throw configError(`failed to prepare subPath for volumeMount "${volume.name}": ${messageOf(error)}`);
  }
}

const configError = (message: string) => new CodedError('CreateContainerConfigError', message);
