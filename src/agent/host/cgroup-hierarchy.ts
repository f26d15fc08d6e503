import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One mounted cgroup hierarchy: `controllers` is empty for a named v1 hierarchy, unused for v2. */
export interface CgroupMount {
  readonly version: 1 | 2;
  readonly mountPoint: string;
  readonly controllers: readonly string[];
  /** The cgroup of this process within the mount, `/` at its top. */
  readonly ownPath: string;
}

export type CgroupMode = 'v2' | 'hybrid' | 'v1' | 'none';

/** Controllers of v1 that pods use; `freezer` only serves to kill where there is no v2 hierarchy. */
export const V1_CONTROLLERS = ['cpu', 'cpuacct', 'memory', 'pids', 'blkio'] as const;

const unescapeMount = (path: string) =>
  path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

interface OwnCgroups {
  readonly unified?: string;
  readonly byController: ReadonlyMap<string, string>;
}

function parseOwnCgroups(text: string): OwnCgroups {
  const byController = new Map<string, string>();
  let unified: string | undefined;
  for (const line of text.split('\n')) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    if (match === null) continue;
    if (match[1] === '') unified = match[2];
    else for (const controller of match[1]!.split(',')) byController.set(controller, match[2]!);
  }
  return unified === undefined ? { byController } : { unified, byController };
}

/** Path below the mount: where the mount shows only part of the hierarchy, `root` is that part's place in it. */
function withinMount(root: string, own: string | undefined): string {
  if (own === undefined) return '/';
  if (root === '/') return own;
  return own === root || own.startsWith(`${root}/`) ? own.slice(root.length) || '/' : '/';
}

/**
 * The cgroup mounts of /proc/self/mountinfo, with the caller's own place from /proc/self/cgroup. A hierarchy mounted
 * twice counts once, first mount first. Source: proc(5), cgroups(7).
 */
export function parseCgroupMounts(mountinfo: string, ownCgroup: string): readonly CgroupMount[] {
  const own = parseOwnCgroups(ownCgroup);
  const mounts: CgroupMount[] = [];
  for (const line of mountinfo.split('\n')) {
    const [left, right] = line.split(' - ');
    if (right === undefined) continue;
    const [, , , root = '/', mountPoint = ''] = left!.split(' ');
    const [type, , options = ''] = right.split(' ');
    if (type === 'cgroup2' && !mounts.some((mount) => mount.version === 2)) {
      const ownPath = withinMount(unescapeMount(root), own.unified);
      mounts.push({ version: 2, mountPoint: unescapeMount(mountPoint), controllers: [], ownPath });
    }
    if (type === 'cgroup') {
      const controllers = options.split(',').filter((option) => own.byController.has(option));
      if (controllers.length === 0 || mounts.some((mount) => mount.controllers.includes(controllers[0]!)))
        continue;
      const ownPath = withinMount(unescapeMount(root), own.byController.get(controllers[0]!));
      mounts.push({ version: 1, mountPoint: unescapeMount(mountPoint), controllers, ownPath });
    }
  }
  return mounts;
}

export function readCgroupMounts(): readonly CgroupMount[] {
  try {
    return parseCgroupMounts(
      readFileSync('/proc/self/mountinfo', 'utf8'),
      readFileSync('/proc/self/cgroup', 'utf8'),
    );
  } catch {
    return [];
  }
}

/** v2 alone, v1 controllers with a v2 hierarchy beside them (hybrid), v1 alone, or no cgroups at all. */
export function cgroupMode(mounts: readonly CgroupMount[]): CgroupMode {
  const v1 = mounts.some((mount) =>
    mount.controllers.some((name) => (V1_CONTROLLERS as readonly string[]).includes(name)),
  );
  const v2 = mounts.some((mount) => mount.version === 2);
  if (v1) return v2 ? 'hybrid' : 'v1';
  return v2 ? 'v2' : 'none';
}

/**
 * Directories one may try to work below, best first: the top of the hierarchy for root, else (delegation) the
 * cgroup this process was started in.
 */
export function candidateBases(mount: CgroupMount, isRoot: boolean): readonly string[] {
  const own = join(mount.mountPoint, mount.ownPath);
  return isRoot && own !== mount.mountPoint ? [mount.mountPoint, own] : [isRoot ? mount.mountPoint : own];
}
