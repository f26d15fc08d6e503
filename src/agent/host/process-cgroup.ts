import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CgroupPaths } from './cgroup.ts';
import { readCgroupMounts, V1_CONTROLLERS } from './cgroup-hierarchy.ts';

/** The cgroup `pid` is in, as directories of this host; empty when there is no such process. */
export function cgroupOfProcess(pid: number): CgroupPaths {
  try {
    return parseProcessCgroup(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), mountPoints());
  } catch {
    return {};
  }
}

let found: Readonly<Record<string, string>> | undefined;

/** Hierarchies are mounted once, when the host starts. */
function mountPoints(): Readonly<Record<string, string>> {
  if (found !== undefined) return found;
  const points: Record<string, string> = {};
  for (const mount of readCgroupMounts()) {
    if (mount.version === 2) points.unified = mount.mountPoint;
    else for (const controller of mount.controllers) points[controller] = mount.mountPoint;
  }
  found = points;
  return points;
}

/** From /proc/<pid>/cgroup and where hierarchies are mounted; controllers of v1 that nobody asks about are left out. */
export function parseProcessCgroup(
  text: string,
  mountPointOf: Readonly<Record<string, string>>,
): CgroupPaths {
  const paths: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const match = /^\d+:([^:]*):(\/.*)$/.exec(line);
    if (match === null || match[2]!.split('/').includes('..')) continue;
    const names = match[1] === '' ? ['unified'] : match[1]!.split(',');
    for (const name of names) {
      const isAsked = name === 'unified' || (V1_CONTROLLERS as readonly string[]).includes(name);
      const mountPoint = mountPointOf[name];
      if (isAsked && mountPoint !== undefined) paths[name] = join(mountPoint, match[2]!);
    }
  }
  return paths;
}
