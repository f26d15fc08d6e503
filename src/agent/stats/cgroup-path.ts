import type { CgroupPaths } from '../pod/runtime/runtime.ts';

const ROOT = '/sys/fs/cgroup';

/**
 * Where a cgroup lies within its hierarchy, as the kernel, cAdvisor and /proc/<pid>/cgroup write it:
 * `/podvitals/pod…/cart`. Hierarchies mounted elsewhere than below /sys/fs/cgroup keep their full path.
 * Undefined when there are no cgroups.
 */
export function cgroupPath(paths: CgroupPaths): string | undefined {
  const key = ['memory', 'unified', ...Object.keys(paths)].find((name) => paths[name] !== undefined);
  return key === undefined ? undefined : withinHierarchy(key, paths[key]!);
}

function withinHierarchy(key: string, directory: string): string {
  if (!directory.startsWith(`${ROOT}/`)) return directory;
  const below = directory.slice(ROOT.length);
  // v1 controllers, alone or merged (`cpu,cpuacct`), and a v2 hierarchy beside them have a folder of their own.
  const named = key !== 'unified' || below.startsWith('/unified/');
  return named ? below.replace(/^\/[^/]*/, '') || '/' : below;
}
