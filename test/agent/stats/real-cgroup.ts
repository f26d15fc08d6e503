import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const ROOT = '/sys/fs/cgroup';
const V1 = ['cpu', 'cpuacct', 'memory', 'pids', 'blkio'];

/** Whether cgroup v1 controllers are mounted beside a v2 hierarchy, or v2 is all there is. */
export const cgroupVersion = existsSync(join(ROOT, 'memory'))
  ? 1
  : existsSync(join(ROOT, 'cgroup.procs'))
    ? 2
    : 0;

export interface RealCgroup {
  readonly paths: Readonly<Record<string, string>>;
  /** Starts a program inside, optionally in network and mount namespaces of its own; `stdin`: with a pipe to write to. */
  start(
    command: readonly string[],
    options?: { readonly net?: boolean; readonly stdin?: boolean },
  ): ChildProcess;
  write(controller: string, file: string, value: string): void;
  read(controller: string, file: string): string;
  child(name: string): RealCgroup;
  /** Kills what is inside and removes it, children first. */
  remove(): Promise<void>;
}

let count = 0;

/**
 * A cgroup of this test's own, in every hierarchy there is. `inner`: it is to hold others with limits of their own, and
 * no processes, which on v2 exclude each other. Source: cgroup-v2.rst, "No Internal Process Constraint"
 */
export function makeCgroup({ inner = false } = {}): RealCgroup {
  const name = `podvitals-test-${process.pid}-${count++}`;
  const bases =
    cgroupVersion === 1
      ? [...V1, 'unified'].filter((base) => existsSync(join(ROOT, base, 'cgroup.procs')))
      : [''];
  if (cgroupVersion === 2) writeFileSync(join(ROOT, 'cgroup.subtree_control'), '+cpu +memory +pids +io');
  const made = at(Object.fromEntries(bases.map((base) => [base || 'unified', join(ROOT, base, name)])));
  if (inner && cgroupVersion === 2) made.write('unified', 'cgroup.subtree_control', '+memory');
  return made;
}

function at(paths: Readonly<Record<string, string>>): RealCgroup {
  const children: RealCgroup[] = [];
  const directories = [...new Set(Object.values(paths))];
  for (const directory of directories) mkdirSync(directory, { recursive: true });
  const pids = () =>
    directories.flatMap((directory) =>
      existsSync(directory)
        ? readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number)
        : [],
    );
  return {
    paths,
    start(command, { net = false, stdin = false } = {}) {
      const script = `for d in "$@"; do [ "$d" = -- ] && break; echo 0 > "$d/cgroup.procs" || exit 125; shift; done; shift; exec "$@"`;
      const inside = net ? ['unshare', '--net', '--mount', ...command] : command;
      return spawn('/bin/sh', ['-c', script, 'sh', ...directories, '--', ...inside], {
        stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'inherit'],
      });
    },
    write(controller, file, value) {
      writeFileSync(join(paths[controller] ?? paths.unified!, file), value, { flag: 'r+' });
    },
    read: (controller, file) => readFileSync(join(paths[controller] ?? paths.unified!, file), 'utf8'),
    child(name) {
      const child = at(
        Object.fromEntries(Object.entries(paths).map(([key, path]) => [key, join(path, name)])),
      );
      children.push(child);
      return child;
    },
    async remove() {
      for (const child of children) await child.remove();
      for (let tries = 0; tries < 100; tries += 1) {
        for (const pid of pids()) tryTo(() => process.kill(pid, 'SIGKILL'));
        for (const directory of directories) tryTo(() => rmdirSync(directory));
        if (!directories.some((directory) => existsSync(directory))) return;
        await wait(20);
      }
    },
  };
}

function tryTo(action: () => void): void {
  try {
    action();
  } catch {
    // Gone already, or busy for a few more milliseconds.
  }
}

/** How many times slower than usual this machine is: an emulated one sets it. */
const PATIENCE = Number(process.env.PODVITALS_PATIENCE ?? 1);

/** Waits until a condition holds, 20 seconds at most. */
export async function until<Value>(
  find: () => Value | undefined | false | Promise<Value | undefined | false>,
): Promise<Value> {
  const deadline = performance.now() + 20_000 * PATIENCE;
  for (;;) {
    const found = await find();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`not within 20 s: ${find}`);
    await wait(20);
  }
}
