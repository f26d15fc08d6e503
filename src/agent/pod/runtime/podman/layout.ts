import { join } from 'node:path';
import { CodedError } from '../../../../util/coded-error.ts';
import type { LifeNames, PodNames } from './labels.ts';

/**
 * What is ours on disk; everything else Podman keeps.
 *
 *     pods/<uid>/                                                       volumes
 *     seccomp/                                                          put there by the operator
 *     logs/pods/<namespace>_<name>_<uid>/<container>/<attempt>.log      written by Podman's conmon, in CRI form
 */
export interface Layout {
  pod(uid: string): string;
  /** Where filters of system calls are, that manifests name. */
  readonly seccomp: string;
  podLogs(pod: PodNames): string;
  log(pod: PodNames, life: Pick<LifeNames, 'name' | 'attempt'>): string;
}

/** A name as one folder: whatever else it may be, it must not lead elsewhere. */
function segment(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) return name;
  throw new CodedError(
    'NAME_INVALID',
    `${JSON.stringify(name)} cannot name a folder: letters, digits, ".", "_" and "-" only`,
  );
}

export function createLayout(dataDir: string): Layout {
  const podLogs = ({ namespace, name, podUid }: PodNames) =>
    join(dataDir, 'logs', 'pods', segment(`${namespace}_${name}_${podUid}`));
  return {
    pod: (uid) => join(dataDir, 'pods', segment(uid)),
    seccomp: join(dataDir, 'seccomp'),
    podLogs,
    log: (pod, { name, attempt }) => join(podLogs(pod), segment(name), `${attempt}.log`),
  };
}
