import type { PodSpec } from '../../../model/kubernetes.ts';
import { parseBytes } from '../spec/quantity.ts';

/** Bytes on the node's disk, measured when asked; undefined where they cannot be. */
export interface StorageUse {
  volume(name: string): number | undefined;
  /** Volumes and writable layers together. */
  pod(): number | undefined;
}

export interface StorageExcess {
  readonly message: string;
  /** The kubelet's name of the limit, as it counts evictions. */
  readonly signal: 'emptydirfs.limit' | 'ephemeralpodfs.limit';
}

/** Whether anything of the pod limits its use of the disk: only then is it measured. */
export const limitsStorage = (spec: PodSpec): boolean =>
  podLimit(spec) !== undefined || sizeLimits(spec).length > 0;

/**
 * The limit of its own that a pod has gone beyond, in the kubelet's words; undefined: none. A container's limit of
 * `ephemeral-storage` counts towards the pod's: what single containers write is not told apart.
 * Source: kubernetes/pkg/kubelet/eviction/eviction_manager.go, localStorageEviction
 */
export function storageExcess(spec: PodSpec, use: StorageUse): StorageExcess | undefined {
  for (const { name, text, bytes } of sizeLimits(spec)) {
    if ((use.volume(name) ?? 0) <= bytes) continue;
    return {
      message: `Usage of EmptyDir volume "${name}" exceeds the limit "${text}". `,
      signal: 'emptydirfs.limit',
    };
  }
  const limit = podLimit(spec);
  if (limit === undefined || (use.pod() ?? 0) <= limit) return undefined;
  return {
    message: `Pod ephemeral local storage usage exceeds the total limit of containers ${limit}. `,
    signal: 'ephemeralpodfs.limit',
  };
}

const sizeLimits = (spec: PodSpec) =>
  (spec.volumes ?? []).flatMap(({ name, emptyDir }) => {
    const text = emptyDir?.medium === 'Memory' ? undefined : emptyDir?.sizeLimit;
    const bytes = text === undefined ? undefined : parseBytes(text);
    return text === undefined || !bytes ? [] : [{ name, text, bytes }];
  });

/** The sum of the containers' limits, where each has one. */
function podLimit(spec: PodSpec): number | undefined {
  const limits = spec.containers.map(({ resources }) => resources?.limits?.['ephemeral-storage']);
  if (limits.includes(undefined)) return undefined;
  return limits.reduce((sum, limit) => sum + (parseBytes(limit!) ?? 0), 0);
}
