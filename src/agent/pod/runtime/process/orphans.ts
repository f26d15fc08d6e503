import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../../../util/clock.ts';
import { messageOf } from '../../../../util/coded-error.ts';
import { type CgroupPaths, childCgroup, killCgroup, removeCgroup } from '../../../host/cgroup.ts';
import { openCgroupParent } from '../../../host/cgroup-parent.ts';
import { type OwnedLink, ownedLinks, removeLink } from '../../../host/network.ts';
import { POD_FOLDER_VARIABLE } from './sandbox.ts';

/** A pod that goes on although the folder it belongs to is gone: no agent will ever take it over. */
export interface OrphanPod {
  readonly uid: string;
  /** The pod's folder, which does not exist. */
  readonly folder: string;
  readonly processes: number;
  readonly cgroup: CgroupPaths;
}

export interface Orphans {
  readonly pods: readonly OrphanPod[];
  /** Bridges of data folders that are gone. */
  readonly links: readonly OwnedLink[];
  /** Uids of pods of which nothing says whose they are; they are left alone. */
  readonly unknown: readonly string[];
}

/**
 * What agents whose data folder was removed have left on this host. A pod whose folder exists is never an orphan, whether
 * an agent runs or not: the next start takes it over.
 */
export function findOrphans(cgroupParent = 'podvitals'): Orphans {
  const { paths } = openCgroupParent(cgroupParent);
  const uids = new Set(
    Object.values(paths).flatMap((path) =>
      foldersIn(path).flatMap((name) => /^pod(.+)$/.exec(name)?.[1] ?? []),
    ),
  );
  const pods: OrphanPod[] = [];
  const unknown: string[] = [];
  for (const uid of uids) {
    const cgroup = existing(childCgroup(paths, `pod${uid}`));
    const processes = processesBelow(cgroup);
    const folder = firstOf(processes, podFolderOf);
    if (folder === undefined) unknown.push(uid);
    else if (!existsSync(folder)) pods.push({ uid, folder, processes: processes.length, cgroup });
  }
  return { pods, links: ownedLinks().filter(({ owner }) => !existsSync(owner)), unknown };
}

/** Ends their processes, and with them their namespaces, mounts and links; then removes cgroups and bridges. */
export async function removeOrphans(
  orphans: Orphans,
  ip: string | undefined,
  clock: Clock,
): Promise<readonly string[]> {
  const troubles: string[] = [];
  for (const { uid, cgroup } of orphans.pods) {
    await killCgroup(cgroup, clock);
    if (!(await removeCgroup(cgroup, clock))) troubles.push(`the cgroup of pod ${uid} is still in use`);
  }
  if (ip === undefined && orphans.links.length > 0)
    troubles.push('links are left: ip (iproute2) is not installed');
  for (const link of ip === undefined ? [] : orphans.links) {
    await removeLink(ip!, link.name).catch((error: unknown) => troubles.push(messageOf(error)));
  }
  return troubles;
}

function foldersIn(path: string): readonly string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

const existing = (paths: CgroupPaths): CgroupPaths =>
  Object.fromEntries(Object.entries(paths).filter(([, path]) => existsSync(path)));

function processesBelow(cgroup: CgroupPaths): readonly number[] {
  const below = (path: string): readonly number[] => [
    ...read(join(path, 'cgroup.procs')).split('\n').filter(Boolean).map(Number),
    ...foldersIn(path).flatMap((name) => below(join(path, name))),
  ];
  return [...new Set(Object.values(cgroup).flatMap(below))];
}

/** As the process that holds the pod's namespaces was told. */
function podFolderOf(pid: number): string | undefined {
  const line = read(`/proc/${pid}/environ`)
    .split('\0')
    .find((word) => word.startsWith(`${POD_FOLDER_VARIABLE}=`));
  return line?.slice(POD_FOLDER_VARIABLE.length + 1);
}

function firstOf(pids: readonly number[], find: (pid: number) => string | undefined): string | undefined {
  for (const pid of pids) {
    const found = find(pid);
    if (found !== undefined) return found;
  }
  return undefined;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
