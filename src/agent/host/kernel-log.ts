import { closeSync, constants, openSync, readSync } from 'node:fs';

/** A process the kernel's out-of-memory killer chose, as it logs it. */
export interface OomVictim {
  readonly pid: number;
  readonly command: string;
  /** The victim's cgroup within the memory hierarchy; absent when only the rate-limited line told it. */
  readonly cgroup?: string;
  readonly rssBytes?: number;
  /** Milliseconds on the kernel's monotonic clock. */
  readonly monotonicMs: number;
}

export interface KernelLog {
  /** Victims logged since the last call; at most a few thousand lines are read. */
  victims(): readonly OomVictim[];
  close(): void;
}

const DECISION = /^oom-kill:.*\btask_memcg=([^,]*),task=(.*),pid=(\d+),uid=\d+/;
const KILLED =
  /Killed process (\d+) \((.*)\) total-vm:\d+kB, anon-rss:(\d+)kB, file-rss:(\d+)kB, shmem-rss:(\d+)kB/;

/**
 * Victims from records of /dev/kmsg. Two lines tell of each: the decision, with the cgroup, of which the kernel writes
 * ten in five seconds at most, and the kill, with the memory it freed.
 * Source: mm/oom_kill.c dump_oom_victim and __oom_kill_process; Documentation/ABI/testing/dev-kmsg
 *
 *     6,901,5012345678,-;oom-kill:constraint=CONSTRAINT_MEMCG,…,task_memcg=/podvitals/pod11/cart,task=node,pid=11,uid=0
 *     3,902,5012345690,-;Memory cgroup out of memory: Killed process 11 (node) total-vm:…kB, anon-rss:…kB, …
 */
export function parseOomVictims(records: readonly string[]): readonly OomVictim[] {
  const byPid = new Map<number, OomVictim>();
  for (const record of records) {
    const semicolon = record.indexOf(';');
    const [priority, , stampUs] = record.slice(0, semicolon).split(',').map(Number);
    // Whoever may write to /dev/kmsg does so under another facility than the kernel's.
    if (!(priority! < 8)) continue;
    const [message = ''] = record.slice(semicolon + 1).split('\n', 1);
    const victim = parseVictim(message, Math.round(stampUs! / 1000));
    if (victim) byPid.set(victim.pid, { ...byPid.get(victim.pid), ...victim });
  }
  return [...byPid.values()];
}

function parseVictim(message: string, monotonicMs: number): OomVictim | undefined {
  const decision = DECISION.exec(message);
  if (decision) {
    return { pid: Number(decision[3]), command: decision[2]!, cgroup: decision[1]!, monotonicMs };
  }
  const killed = KILLED.exec(message);
  if (!killed) return undefined;
  const rssBytes = (Number(killed[3]) + Number(killed[4]) + Number(killed[5])) * 1024;
  return { pid: Number(killed[1]), command: killed[2]!, rssBytes, monotonicMs };
}

// One read returns one record, of 8 KiB at most.
const RECORD_BYTES = 8192;
const MOST_RECORDS = 5000;
const MOST_BACKLOG_RECORDS = 1_000_000;

/**
 * Follows /dev/kmsg from now on; undefined where it may not be read (no CAP_SYSLOG, or in a user namespace).
 * Reads do not block, and cost a system call when nothing new is there.
 */
export function openKernelLog(path = '/dev/kmsg'): KernelLog | undefined {
  const records = openKernelRecords(/oom-kill:|Killed process/, path);
  return records && { victims: () => parseOomVictims(records.read()), close: () => records.close() };
}

export interface KernelRecords {
  /** Those written since the last call; at most a few thousand are looked at. */
  read(): readonly string[];
  close(): void;
}

/** The records of /dev/kmsg that match, from now on; everything else in the log is none of our business. */
export function openKernelRecords(wanted: RegExp, path = '/dev/kmsg'): KernelRecords | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  const buffer = Buffer.allocUnsafe(RECORD_BYTES);
  let open = true;
  for (let i = 0; i < MOST_BACKLOG_RECORDS && readRecord(descriptor, buffer) !== undefined; i += 1);
  return {
    read() {
      const texts: string[] = [];
      for (let i = 0; open && i < MOST_RECORDS; i += 1) {
        const record = readRecord(descriptor, buffer);
        if (record === undefined) break;
        if (wanted.test(record)) texts.push(record);
      }
      return texts;
    },
    close() {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}

/** The next record; an empty one when the log overran the reader; undefined when there is none. */
function readRecord(descriptor: number, buffer: Buffer): string | undefined {
  try {
    return buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, buffer.length, null)) || undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPIPE' ? '' : undefined;
  }
}
