import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Clock, sleep } from '../../util/clock.ts';
import { type CgroupLimits, type CgroupWrite, v1Writes, v2Writes } from './cgroup-limits.ts';
import { writeControlFile } from './control-file.ts';

/**
 * Absolute directories of one cgroup by controller; `unified` is the v2 hierarchy. Empty: no cgroups. Whatever is
 * done to a cgroup needs nothing else, so one that an earlier agent made is handled like one's own.
 */
export type CgroupPaths = Readonly<Record<string, string>>;

const errorCode = (error: unknown) => (error as NodeJS.ErrnoException).code;

/** Each directory once: v1 controllers may share one hierarchy (`cpu,cpuacct`). */
const directories = (paths: CgroupPaths) => [...new Set(Object.values(paths))];

const readText = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/** The same place one level down. */
export function childCgroup(paths: CgroupPaths, name: string): CgroupPaths {
  return Object.fromEntries(
    Object.entries(paths).map(([controller, directory]) => [controller, join(directory, name)]),
  );
}

function applyWrite(paths: CgroupPaths, write: CgroupWrite, unified: boolean): void {
  const directory = unified ? paths.unified : paths[write.controller];
  if (directory === undefined) return;
  try {
    writeControlFile(join(directory, write.file), write.value);
  } catch (error) {
    // ENOENT: the controller is not enabled here, which enforcement reports once.
    if (!write.optional && errorCode(error) !== 'ENOENT') throw error;
  }
}

/** Whether limits of this cgroup are written to v2 files: so only where no v1 controller stands beside. */
const isPureV2 = (paths: CgroupPaths) => Object.keys(paths).every((name) => name === 'unified');

/** Makes the cgroup (an existing one is taken as it is) and sets its limits. `oomGroup` acts on v2 only. */
export function makeCgroup(paths: CgroupPaths, limits: CgroupLimits = {}, oomGroup = false): void {
  for (const directory of directories(paths)) mkdirSync(directory, { recursive: true });
  const unified = isPureV2(paths);
  for (const write of unified ? v2Writes(limits, oomGroup) : v1Writes(limits))
    applyWrite(paths, write, unified);
}

/** Lets children of a v2 cgroup have controllers; each on its own, so that one refusal does not cost the others. */
export function enableControllers(directory: string, controllers: readonly string[]): readonly string[] {
  return controllers.filter((controller) => {
    try {
      writeControlFile(join(directory, 'cgroup.subtree_control'), `+${controller}`);
      return true;
    } catch {
      return false;
    }
  });
}

/** Files a process writes `0` to, to join all hierarchies of the cgroup. */
export function joinFiles(paths: CgroupPaths): readonly string[] {
  return directories(paths).map((directory) => join(directory, 'cgroup.procs'));
}

/**
 * Moves a process into all hierarchies of the cgroup. Off the main thread: the kernel waits for a grace period of RCU, some
 * ten milliseconds, unless a process was moved just before.
 */
export async function moveProcess(paths: CgroupPaths, pid: number): Promise<void> {
  for (const file of joinFiles(paths)) await writeFile(file, String(pid), { flag: 'r+' });
}

/** The one hierarchy whose process list stands for the cgroup: v2 where there is one. */
export function processHierarchy(paths: CgroupPaths): string | undefined {
  return paths.unified ?? paths.freezer ?? paths.pids ?? paths.memory ?? directories(paths)[0];
}

function children(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(directory, entry.name));
  } catch {
    return [];
  }
}

function processesBelow(directory: string): readonly number[] {
  const own = (readText(join(directory, 'cgroup.procs')) ?? '').split('\n').filter(Boolean).map(Number);
  return [...own, ...children(directory).flatMap(processesBelow)];
}

/** Every process in the cgroup and below it. A 0 is a process of another pid namespace and left out. */
export function cgroupProcesses(paths: CgroupPaths): readonly number[] {
  const seen = directories(paths).flatMap(processesBelow);
  return [...new Set(seen)].filter((pid) => pid > 0);
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}

function killOnce(paths: CgroupPaths): void {
  const hierarchy = processHierarchy(paths);
  const killFile = paths.unified === undefined ? undefined : join(paths.unified, 'cgroup.kill');
  if (killFile !== undefined && existsSync(killFile)) {
    try {
      writeControlFile(killFile, '1');
      return;
    } catch {
      // Gone meanwhile, or a kernel before 5.14: the loop below.
    }
  }
  if (hierarchy === undefined) return;
  // Frozen processes cannot fork away from the loop; SIGKILL takes effect when they thaw.
  const freezer = paths.freezer === undefined ? undefined : join(paths.freezer, 'freezer.state');
  const freeze = (state: string) => {
    if (freezer !== undefined && existsSync(freezer)) writeControlFile(freezer, state);
  };
  freeze('FROZEN');
  for (const pid of processesBelow(hierarchy)) killProcess(pid);
  freeze('THAWED');
}

/**
 * SIGKILL to everything in the cgroup but `spared`, and again until nothing else is left; gives up after `patienceMs`.
 * A parent outside a pid namespace is spared so that it reaps its child: the namespace cannot end before.
 */
export async function killCgroupExcept(
  paths: CgroupPaths,
  spared: number,
  clock: Clock,
  patienceMs = 1000,
): Promise<void> {
  const end = clock.monotonic() + patienceMs;
  for (;;) {
    const others = cgroupProcesses(paths).filter((pid) => pid !== spared);
    if (others.length === 0 || clock.monotonic() > end) return;
    for (const pid of others) killProcess(pid);
    await sleep(clock, 1);
  }
}

/** Holds everything in the cgroup still, or lets it go on; false where the host has no means for it. */
export function freezeCgroup(paths: CgroupPaths, frozen: boolean): boolean {
  const files = [
    [paths.unified && join(paths.unified, 'cgroup.freeze'), frozen ? '1' : '0'],
    [paths.freezer && join(paths.freezer, 'freezer.state'), frozen ? 'FROZEN' : 'THAWED'],
  ] as const;
  for (const [file, value] of files) {
    if (!file || !existsSync(file)) continue;
    writeControlFile(file, value);
    return true;
  }
  return false;
}

/** SIGKILL to everything in the cgroup, and again until it is empty; gives up after `patienceMs`. */
export async function killCgroup(paths: CgroupPaths, clock: Clock, patienceMs = 5000): Promise<void> {
  const end = clock.monotonic() + patienceMs;
  while (cgroupProcesses(paths).length > 0) {
    killOnce(paths);
    if (cgroupProcesses(paths).length === 0) return;
    if (clock.monotonic() > end) return;
    await sleep(clock, 2);
  }
}

function removeTree(directory: string): boolean {
  for (const child of children(directory)) removeTree(child);
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    return errorCode(error) === 'ENOENT';
  }
}

/**
 * Removes the emptied cgroup and what is below it from every hierarchy. The kernel may say EBUSY for some
 * milliseconds after the last process died: retried until `patienceMs`. Resolves with whether it is gone.
 */
export async function removeCgroup(paths: CgroupPaths, clock: Clock, patienceMs = 5000): Promise<boolean> {
  const end = clock.monotonic() + patienceMs;
  for (;;) {
    const left = directories(paths).filter((directory) => !removeTree(directory));
    if (left.length === 0) return true;
    if (clock.monotonic() > end) return false;
    await sleep(clock, 2);
  }
}

/**
 * OOM kills the kernel counted among the cgroup's own processes; undefined where it does not count them. The kernel
 * raises the number before it sends the signal: read after a death it is decisive. Where a kill takes the whole
 * cgroup (memory.oom.group), the kernel counts every process, the first victim twice: that is one kill here.
 * Source: memory.events in cgroup-v2.rst; memory.oom_control in cgroup-v1/memory.rst; mm/oom_kill.c.
 */
export function readOomKills(paths: CgroupPaths): number | undefined {
  const { memory, unified } = paths;
  if (memory !== undefined) return parseOomKills(readText(join(memory, 'memory.oom_control')));
  return unified === undefined ? undefined : parseOomKills(readText(join(unified, 'memory.events')));
}

export function parseOomKills(text = ''): number | undefined {
  const count = (key: string) => {
    const match = new RegExp(`^${key} (\\d+)$`, 'm').exec(text);
    return match === null ? undefined : Number(match[1]);
  };
  // Kernels before 5.17 do not count group kills.
  return count('oom_group_kill') || count('oom_kill');
}

/** Removes empty parents up to and including the folder called `top`; what is in use stays. */
export function pruneCgroup(paths: CgroupPaths, top: CgroupPaths): void {
  for (const [controller, directory] of Object.entries(paths)) {
    const end = top[controller];
    if (end === undefined) continue;
    for (let current = directory; current.startsWith(end); current = dirname(current)) {
      try {
        rmdirSync(current);
      } catch (error) {
        if (errorCode(error) !== 'ENOENT') break;
      }
    }
  }
}
