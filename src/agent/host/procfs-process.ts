import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

/**
 * How many descriptors a process has open; undefined when that cannot be known. Since Linux 6.2 the size of
 * /proc/<pid>/fd says it; before, the folder is counted.
 */
export function countDescriptors(pid: number): number | undefined {
  try {
    const { size } = statSync(`/proc/${pid}/fd`);
    return size > 0 ? size : readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined;
  }
}

/** How many of a process's descriptors are sockets; undefined when that cannot be known, or there are over `limit`. */
export function countSockets(pid: number, limit: number): number | undefined {
  try {
    const descriptors = readdirSync(`/proc/${pid}/fd`);
    if (descriptors.length > limit) return undefined;
    return descriptors.filter((descriptor) => isSocket(`/proc/${pid}/fd/${descriptor}`)).length;
  } catch {
    return undefined;
  }
}

function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith('socket:');
  } catch {
    // Closed since the folder was read.
    return false;
  }
}

/** Whether a process shares this process's network namespace; undefined when that cannot be known. */
export function sharesNetwork(pid: number): boolean | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`) === readlinkSync('/proc/self/ns/net');
  } catch {
    return undefined;
  }
}

/** Whether a process is gone or only waits for its parent to take note of its death. */
export function isDead(stat: string | undefined): boolean {
  // `pid (command) state …`, where the command may hold spaces and brackets.
  return stat === undefined || /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
}

/** How many descriptors a process may have open (its soft limit); undefined: it is gone, or has no limit. */
export function descriptorLimit(pid: number): number | undefined {
  try {
    const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
