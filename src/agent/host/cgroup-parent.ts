import { accessSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CgroupPaths, enableControllers } from './cgroup.ts';
import {
  type CgroupMode,
  type CgroupMount,
  candidateBases,
  cgroupMode,
  readCgroupMounts,
  V1_CONTROLLERS,
} from './cgroup-hierarchy.ts';
import { writeControlFile } from './control-file.ts';

/**
 * What `openCgroupParent` would find, without making anything: the controllers whose limits would bite, as far as can
 * be told by looking.
 */
export function lookForCgroupParent(isRoot = process.getuid?.() === 0): Omit<CgroupParent, 'delegates'> {
  const mounts = readCgroupMounts();
  const mode = cgroupMode(mounts);
  const paths: Record<string, string> = {};
  const enforces = new Set<string>();
  for (const mount of mounts) {
    const base = candidateBases(mount, isRoot).find(isWritable);
    if (base === undefined) continue;
    const v2 = mount.version === 2;
    if (v2 && mode !== 'v2') continue;
    const offered = v2 ? controllersOf(base) : mount.controllers;
    for (const controller of v2 ? ['unified'] : offered) paths[controller] = base;
    for (const controller of ['cpu', 'memory', 'pids'])
      if (offered.includes(controller)) enforces.add(controller);
  }
  return { mode, paths, enforces };
}

const controllersOf = (base: string) =>
  readFileSync(join(base, 'cgroup.controllers'), 'utf8').trim().split(' ');

function isWritable(path: string): boolean {
  try {
    accessSync(join(path, 'cgroup.procs'), constants.W_OK);
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The one folder below which all our cgroups are made, and what the host lets it enforce. */
export interface CgroupParent {
  readonly mode: CgroupMode;
  /** Empty where cgroups cannot be made. */
  readonly paths: CgroupPaths;
  /** Controllers whose limits bite: some of `cpu`, `memory`, `pids`. */
  readonly enforces: ReadonlySet<string>;
  /** v2 controllers a cgroup in between must pass on to its children. */
  readonly delegates: readonly string[];
}

const WANTED = ['cpu', 'memory', 'pids', 'io'];

function makeBelow(
  mount: CgroupMount,
  name: string,
  isRoot: boolean,
): { base: string; path: string } | undefined {
  for (const base of candidateBases(mount, isRoot)) {
    const path = join(base, name);
    try {
      mkdirSync(path, { recursive: true });
      // One that is there may be another user's.
      accessSync(path, constants.W_OK);
      // Writing 0 into a foreign cgroup must be allowed too: delegation gives both.
      return { base, path };
    } catch {
      // Not delegated, or mounted read-only: the next candidate.
    }
  }
  return undefined;
}

/**
 * A v2 cgroup that holds processes cannot pass controllers to children, the real root apart. In a container or a
 * delegated unit the processes beside us (ours) move into a leaf first. Source: cgroup-v2.rst, "No Internal Process
 * Constraint".
 */
function vacate(base: string, leaf: string): void {
  const isRealRoot = !existsSync(join(base, 'cgroup.events'));
  if (isRealRoot) return;
  const pids = readFileSync(join(base, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean);
  if (pids.length === 0) return;
  mkdirSync(leaf, { recursive: true });
  for (const pid of pids) {
    try {
      writeControlFile(join(leaf, 'cgroup.procs'), pid);
    } catch {
      // Ended meanwhile, or not ours; if it stays, enabling the controllers fails and is reported.
    }
  }
}

function openV2(mount: CgroupMount, name: string, isRoot: boolean): CgroupParent {
  const made = makeBelow(mount, name, isRoot);
  if (made === undefined) return { mode: 'v2', paths: {}, enforces: new Set(), delegates: [] };
  const available = readFileSync(join(made.base, 'cgroup.controllers'), 'utf8').trim().split(' ');
  const wanted = WANTED.filter((controller) => available.includes(controller));
  // Before enabling anything: cpu and pids could be enabled beside processes, but then made no usable children.
  vacate(made.base, join(made.path, 'agent'));
  const enabled = enableControllers(made.base, wanted);
  const delegates = enableControllers(made.path, enabled);
  return { mode: 'v2', paths: { unified: made.path }, enforces: new Set(delegates), delegates };
}

function openV1(
  mounts: readonly CgroupMount[],
  mode: CgroupMode,
  name: string,
  isRoot: boolean,
): CgroupParent {
  const paths: Record<string, string> = {};
  const unified = mounts.find((mount) => mount.version === 2);
  const wanted: readonly string[] = unified === undefined ? [...V1_CONTROLLERS, 'freezer'] : V1_CONTROLLERS;
  for (const mount of mounts) {
    const controllers = mount.controllers.filter((controller) => wanted.includes(controller));
    if (mount !== unified && controllers.length === 0) continue;
    const made = makeBelow(mount, name, isRoot);
    if (made === undefined) continue;
    if (mount === unified) paths.unified = made.path;
    for (const controller of controllers) paths[controller] = made.path;
  }
  // Kernels before 5.11 count a child's memory with its parent only where asked.
  if (paths.memory !== undefined) {
    try {
      writeControlFile(join(paths.memory, 'memory.use_hierarchy'), '1');
    } catch {
      // Always on in newer kernels; refused where it already has children.
    }
  }
  const enforces = new Set(['cpu', 'memory', 'pids'].filter((controller) => paths[controller] !== undefined));
  return { mode, paths, enforces, delegates: [] };
}

/**
 * Makes (or finds) the folder `name` in every hierarchy this process may use: at the top for root, else below its own,
 * delegated cgroup. Never fails: what cannot be used is missing from the result.
 */
export function openCgroupParent(
  name: string,
  mounts: readonly CgroupMount[] = readCgroupMounts(),
  isRoot = process.getuid?.() === 0,
): CgroupParent {
  const mode = cgroupMode(mounts);
  if (mode === 'none') return { mode, paths: {}, enforces: new Set(), delegates: [] };
  try {
    return mode === 'v2'
      ? openV2(mounts.find((mount) => mount.version === 2)!, name, isRoot)
      : openV1(mounts, mode, name, isRoot);
  } catch {
    return { mode, paths: {}, enforces: new Set(), delegates: [] };
  }
}
