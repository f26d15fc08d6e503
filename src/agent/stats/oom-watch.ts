import { readFileSync } from 'node:fs';
import type { OomKill } from '../../model/life.ts';
import type { CancelTimer, Clock } from '../../util/clock.ts';
import { type KernelLog, type OomVictim, openKernelLog } from '../host/kernel-log.ts';
import { parseHostOomKills } from '../host/procfs-node.ts';
import { isDead } from '../host/procfs-process.ts';
import type { CgroupPaths } from '../pod/runtime/runtime.ts';
import { cgroupPath } from './cgroup-path.ts';
import { createDescriptors, descriptorLimit } from './descriptors.ts';
import { numberFile } from './numbers.ts';
import { createOomCounter, type OomCounter } from './oom-counter.ts';

export interface WatchedContainer {
  readonly id: string;
  /** The container's first process as the host sees it; 0: it was gone before anybody saw it. */
  readonly pid: number;
  /** Empty where nobody saw it: then a kill is its own where the name of the victim's cgroup has its id. */
  readonly cgroup: CgroupPaths;
  /** Integer milliseconds; left out: it may have been there before the watch. */
  readonly startedAt?: number;
}

/**
 * Sees kills by the kernel's out-of-memory killer in containers, child processes included. The cgroup's counter is the
 * authority on how many there were; the kernel log, where it may be read, adds who the victim was. Without the log a
 * kill is told without pid, command and memory.
 */
export interface OomWatch {
  /**
   * Begins to watch one life of a container. Kills that its cgroup counted before are told if it started after the
   * watch was made; those of containers that were there already are somebody else's news.
   */
  track(container: WatchedContainer): void;
  /**
   * Ends the watch, and returns all kills of this life, oldest first. `counted` is the count that was read when the
   * life ended; it decides where the cgroup is gone by now.
   */
  untrack(id: string, counted?: number): readonly OomKill[];
  /**
   * How many kills there were in a life that is over, whose watch goes on until `untrack`; it begins here where nobody
   * had the time. Where the cgroup is gone by now the last poll and the log count; undefined: neither could be read.
   */
  kills(container: WatchedContainer): number | undefined;
  /** Called once a kill. Returns the unsubscribe function. */
  onKill(listener: (containerId: string, kill: OomKill) => void): () => void;
  close(): void;
}

export interface OomWatchOptions {
  readonly clock: Clock;
  /** `undefined`: none; left out: /dev/kmsg where it may be read. */
  readonly kernelLog?: KernelLog | undefined;
  /** Milliseconds on the kernel's monotonic clock, by which its log is stamped. */
  readonly kernelNow?: () => number;
}

const POLL_MS = 250;
/** Where the kernel log can be read, a poll of all counters is only for kills it kept quiet about. */
const QUIET_POLLS = 4;
/** Where the host's own count can be read, a poll of all counters while that stands still should find nothing. */
const STILL_POLLS = 60;
/**
 * The log is rate limited, ten kills in five seconds, and the host counts a kill a moment before its cgroup does: after a
 * kill, whosever it was, each counter may hide another.
 */
const ALARM_MS = 6_000;
/** How long a counted kill waits for its line in the log, which the kernel writes a moment after it counts. */
const LOG_WAIT_MS = 50;
/** A victim without a cgroup is claimed so soon, or is nobody's of ours: kills are seen within a poll. */
const FRESH_MS = 5_000;
/** A container that is killed in over and over: the count goes on, the records stop here. */
const MOST_KILLS_A_LIFE = 100;
/** Victims of containers that nobody has claimed yet. */
const MOST_UNCLAIMED = 256;

interface Watched extends WatchedContainer {
  readonly path: string | undefined;
  readonly counter: OomCounter;
  readonly kills: OomKill[];
  /** What the counter said last. */
  counted: number;
  /** Kills told so far, as far as the counter goes. */
  told: number;
  waiting: CancelTimer | undefined;
}

export function createOomWatch(options: OomWatchOptions): OomWatch {
  const { clock, kernelNow = () => Number(process.hrtime.bigint() / 1_000_000n) } = options;
  const log = 'kernelLog' in options ? options.kernelLog : openKernelLog();
  const descriptors = createDescriptors(descriptorLimit());
  const hostKills = numberFile(descriptors, '/proc/vmstat', parseHostOomKills, 1, true);
  const madeAt = clock.now();
  const watched = new Map<string, Watched>();
  const listeners = new Set<(containerId: string, kill: OomKill) => void>();
  let unclaimed: OomVictim[] = [];
  let polls = 0;
  let alarmUntil = 0;
  let cancelPoll: CancelTimer = () => {};

  const readLog = () => {
    const victims = log?.victims() ?? [];
    if (victims.length > 0) alarmUntil = clock.monotonic() + ALARM_MS;
    if (victims.length > 0) unclaimed = merge([...unclaimed, ...victims]).slice(-MOST_UNCLAIMED);
  };

  /** Its first process before all others; one without a cgroup only where no other could be meant. */
  const claim = (container: Watched): OomVictim | undefined => {
    unclaimed = unclaimed.filter((victim) => victim.cgroup !== undefined || isFresh(victim));
    const own = unclaimed.filter((victim) => ownerOf(victim, watched.values()) === container);
    const sure = own.filter(({ cgroup, pid }) => cgroup !== undefined || pid === container.pid);
    const victim =
      sure.find(({ pid }) => pid === container.pid) ?? sure[0] ?? (own.length === 1 ? own[0] : undefined);
    if (victim) unclaimed = unclaimed.filter((other) => other !== victim);
    return victim;
  };
  /** The log leaves the cgroup out where kills are many, also those of others on this host: old ones are theirs. */
  const isFresh = ({ monotonicMs }: OomVictim) => kernelNow() - monotonicMs <= FRESH_MS;

  const logged = (container: Watched) =>
    unclaimed.filter(({ cgroup, pid }) =>
      cgroup === undefined ? pid === container.pid : lies(cgroup, container),
    ).length;
  /** The log left the cgroup out of a kill that may be this one's, whose process nobody saw either. */
  const mayBeUnsaid = ({ pid }: Watched) => pid === 0 && unclaimed.some(({ cgroup }) => cgroup === undefined);

  const tell = (container: Watched, victim: OomVictim | undefined) => {
    container.told += 1;
    if (container.kills.length >= MOST_KILLS_A_LIFE) return;
    const kill = describe(container, victim);
    container.kills.push(kill);
    for (const listener of listeners) listener(container.id, kill);
  };

  const describe = (container: Watched, victim: OomVictim | undefined): OomKill => {
    const { pid } = container;
    if (!victim) return { at: clock.now(), mainProcess: pid === 0 || isMainDead(pid) };
    return {
      at: clock.now() - Math.max(0, Math.round(kernelNow() - victim.monotonicMs)),
      pid: victim.pid,
      command: victim.command,
      ...(victim.rssBytes === undefined ? {} : { rssBytes: victim.rssBytes }),
      // What was gone at once is not likely to have had time for a child.
      mainProcess: pid === 0 || victim.pid === pid,
    };
  };

  /** Tells the counted kills whose victims are known; with `final`, the others too. */
  const settle = (container: Watched, final: boolean) => {
    readLog();
    while (container.told < container.counted) {
      const victim = claim(container);
      if (!victim && !final) break;
      tell(container, victim);
    }
  };

  const check = (container: Watched) => {
    const counted = container.counter.read();
    if (counted !== undefined) container.counted = Math.max(container.counted, counted);
    if (container.told >= container.counted) return;
    settle(container, log === undefined);
    if (container.told >= container.counted || container.waiting) return;
    container.waiting = clock.setTimer(
      LOG_WAIT_MS,
      () => {
        container.waiting = undefined;
        settle(container, true);
      },
      { unref: true },
    );
  };

  const poll = () => {
    descriptors.nextRound();
    readLog();
    if (hostKills.refresh()) alarmUntil = clock.monotonic() + ALARM_MS;
    const every = Number.isNaN(hostKills.numbers[0]) ? (log ? QUIET_POLLS : 1) : STILL_POLLS;
    const isDue = clock.monotonic() < alarmUntil || polls % every === 0;
    polls += 1;
    if (isDue) for (const container of watched.values()) check(container);
    cancelPoll = clock.setTimer(POLL_MS, poll, { unref: true });
  };
  poll();

  const track = (container: WatchedContainer, read: CgroupPaths = container.cgroup) => {
    if (watched.has(container.id)) return;
    const counter = createOomCounter(descriptors, read, () => {
      const entry = watched.get(container.id);
      if (entry) check(entry);
    });
    const isNew = container.startedAt !== undefined && container.startedAt >= madeAt;
    const counted = isNew ? 0 : (counter.read() ?? 0);
    const path = cgroupPath(container.cgroup);
    const entry: Watched = {
      ...container,
      path,
      counter,
      kills: [],
      counted,
      told: counted,
      waiting: undefined,
    };
    watched.set(container.id, entry);
    if (isNew) check(entry);
  };

  return {
    track: (container) => track(container),
    kills(container) {
      const isWatched = watched.has(container.id);
      // By now its path may be that of a next life.
      if (!isWatched) track(container, {});
      const entry = watched.get(container.id)!;
      const counted = entry.counter.read();
      readLog();
      const known = Math.max(counted ?? 0, entry.counted, entry.told + logged(entry));
      const seen = isWatched || (log !== undefined && (container.startedAt ?? 0) >= madeAt);
      return known > 0 || (seen && !mayBeUnsaid(entry)) ? known : undefined;
    },
    untrack(id, counted) {
      const container = watched.get(id);
      if (!container) return [];
      container.waiting?.();
      const counts = [container.counter.read(), counted].filter((count) => count !== undefined);
      readLog();
      // With the cgroup gone and no count from its end, the log is all there is to go by.
      if (counts.length === 0) counts.push(container.told + logged(container));
      container.counted = Math.max(container.counted, ...counts);
      settle(container, true);
      watched.delete(id);
      container.counter.close();
      return container.kills;
    },
    onKill(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      cancelPoll();
      for (const container of watched.values()) {
        container.waiting?.();
        container.counter.close();
      }
      watched.clear();
      log?.close();
      descriptors.close();
    },
  };
}

/** The two lines of one kill may come with two readings of the log. */
function merge(victims: readonly OomVictim[]): OomVictim[] {
  const byPid = new Map<number, OomVictim>();
  for (const victim of victims) byPid.set(victim.pid, { ...byPid.get(victim.pid), ...victim });
  return [...byPid.values()];
}

/**
 * The container a victim belongs to: the longest cgroup path its own lies in, or whose id is in it. Where the log left
 * the cgroup out, the container whose first process it is, else the only one with a kill that has no victim yet.
 */
export function ownerOf<Container extends Owner>(
  victim: OomVictim,
  containers: Iterable<Container>,
): Container | undefined {
  const all = [...containers];
  const { cgroup } = victim;
  if (cgroup !== undefined) {
    return all
      .filter((container) => lies(cgroup, container))
      .sort((a, b) => (b.path?.length ?? 0) - (a.path?.length ?? 0))[0];
  }
  const main = all.find((container) => container.pid === victim.pid);
  if (main) return main;
  const lacking = all.filter((container) => container.told < container.counted);
  return lacking.length === 1 ? lacking[0] : undefined;
}

const lies = (cgroup: string, { id, path }: Pick<Owner, 'id' | 'path'>) =>
  path === undefined ? cgroup.includes(id) : cgroup === path || cgroup.startsWith(`${path}/`);

interface Owner {
  readonly id: string;
  readonly path: string | undefined;
  readonly pid: number;
  readonly counted: number;
  readonly told: number;
}

function isMainDead(pid: number): boolean {
  try {
    return isDead(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return isDead(undefined);
  }
}
