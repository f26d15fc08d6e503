import { join } from 'node:path';
import type { CgroupMount } from '../../host/cgroup-hierarchy.ts';
import type { CgroupPaths } from '../../pod/runtime/runtime.ts';

export interface ContainerCgroups {
  readonly container: CgroupPaths;
  /** That of its pod; empty for a container outside any pod. */
  readonly pod: CgroupPaths;
}

/**
 * A container's cgroups, from `/proc/<pid>/cgroup` of its first process: so the manager (cgroupfs or systemd), rootless
 * Podman and crun's inner `container` group need no rules of their own. The container's group is the one named by its
 * id, the pod's the nearest above that is named by the pod's. A process whose path does not name the container (a
 * private cgroup namespace hides it) has none.
 *
 *     0::/libpod_parent/<pod>/libpod-<id>
 *     0::/machine.slice/machine-libpod_pod_<pod>.slice/libpod-<id>.scope/container
 *     0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-<id>.scope
 */
export function locateCgroups(
  ownCgroup: string,
  mounts: readonly CgroupMount[],
  containerId: string,
  podId: string,
): ContainerCgroups {
  const container: Record<string, string> = {};
  const pod: Record<string, string> = {};
  for (const line of ownCgroup.split('\n')) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    if (!match) continue;
    const names = match[1] === '' ? ['unified'] : match[1]!.split(',');
    const mount = mounts.find((candidate) =>
      match[1] === '' ? candidate.version === 2 : candidate.controllers.includes(names[0]!),
    );
    const own = upTo(match[2]!, containerId);
    if (!mount || own === undefined) continue;
    const parent = podId === '' ? undefined : upTo(own.slice(0, own.lastIndexOf('/')), podId);
    for (const name of names) {
      container[name] = join(mount.mountPoint, own);
      if (parent !== undefined) pod[name] = join(mount.mountPoint, parent);
    }
  }
  return { container, pod };
}

/** The path down to the deepest part that holds `id`. */
function upTo(path: string, id: string): string | undefined {
  const parts = path.split('/');
  const index = parts.findLastIndex((part) => part.includes(id));
  return index === -1 ? undefined : parts.slice(0, index + 1).join('/');
}
