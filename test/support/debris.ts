import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readCgroupMounts } from '../../src/agent/host/cgroup-hierarchy.ts';
import { findPart } from './parts.ts';

/** What marks everything an agent makes on the host: its data directory, and its folder in the cgroup hierarchies. */
export interface Owner {
  readonly dataDir: string;
  readonly cgroupParent: string;
}

export interface Debris {
  /** `<pid> <command line>` */
  readonly processes: readonly string[];
  readonly cgroups: readonly string[];
  readonly mounts: readonly string[];
  readonly links: readonly string[];
  readonly folders: readonly string[];
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

const list = (path: string): readonly string[] => {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
};

const pids = () => list('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);

const isZombie = (pid: string) => /\) [ZX] /.test(read(`/proc/${pid}/stat`));

function isProcessOf(owner: Owner, pid: string): boolean {
  const inCgroup = read(`/proc/${pid}/cgroup`)
    .split('\n')
    .some((line) => line.split(':').slice(2).join(':').split('/').includes(owner.cgroupParent));
  return inCgroup || read(`/proc/${pid}/cmdline`).includes(owner.dataDir);
}

function cgroupsBelow(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const children = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...children.flatMap((child) => cgroupsBelow(join(folder, child.name))), folder];
}

const mountsOf = (owner: Owner) => {
  const seen = new Set<string>();
  for (const pid of ['self', ...pids()])
    for (const line of read(`/proc/${pid}/mountinfo`).split('\n'))
      if (line.includes(`${owner.dataDir}/`)) seen.add(line.replace(/^\d+ \d+ /, ''));
  return [...seen];
};

function linksOf(owner: Owner): readonly string[] {
  const bridges = list('/sys/class/net').filter(
    (link) => read(`/sys/class/net/${link}/ifalias`).trim() === owner.dataDir,
  );
  return bridges.flatMap((bridge) => [...list(`/sys/class/net/${bridge}/brif`), bridge]);
}

/** Everything of that agent still on this host. All lists are empty when it cleaned up after itself. */
export function findDebris(owner: Owner): Debris {
  const processes = pids()
    .filter((pid) => !isZombie(pid) && isProcessOf(owner, pid))
    .map((pid) => `${pid} ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()}`);
  const cgroups = readCgroupMounts().flatMap((mount) =>
    cgroupsBelow(join(mount.mountPoint, owner.cgroupParent)),
  );
  const folders = ['pods', 'logs/pods'].flatMap((part) =>
    list(join(owner.dataDir, part)).map((name) => join(owner.dataDir, part, name)),
  );
  return { processes, cgroups, mounts: mountsOf(owner), links: linksOf(owner), folders };
}

/**
 * What is left of an agent whose folder in the cgroup hierarchies is the one all agents share: what has its data
 * directory, and cgroups of the pods it had. One line each.
 */
export function findDebrisOfPods(dataDir: string, uids: Iterable<string>): readonly string[] {
  const known = [...uids];
  const cgroups = readCgroupMounts().flatMap(({ mountPoint }) =>
    known.map((uid) => join(mountPoint, 'podvitals', `pod${uid}`)).filter((path) => existsSync(path)),
  );
  return [...Object.values(findDebris({ dataDir, cgroupParent: 'no-folder-of-its-own' })).flat(), ...cgroups];
}

export const noDebris: Debris = { processes: [], cgroups: [], mounts: [], links: [], folders: [] };

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Ends and removes all of it, for tests that failed half way. */
export async function removeDebris(owner: Owner): Promise<void> {
  for (let round = 0; round < 50; round += 1) {
    const debris = findDebris(owner);
    for (const line of debris.processes) {
      try {
        process.kill(Number(line.split(' ')[0]), 'SIGKILL');
      } catch {
        // Gone meanwhile.
      }
    }
    for (const cgroup of debris.cgroups) {
      try {
        rmdirSync(cgroup);
      } catch {
        // Busy for another moment.
      }
    }
    const ip = findPart('ip');
    for (const link of debris.links) if (ip !== undefined) spawnSync(ip, ['link', 'del', link]);
    if (debris.processes.length + debris.cgroups.length + debris.links.length === 0) break;
    await pause(20);
  }
  rmSync(owner.dataDir, { recursive: true, force: true });
}
