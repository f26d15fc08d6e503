import { join } from 'node:path';
import { numberAt, type ParseNumbers, singleNumber } from '../host/flat-keyed.ts';
import { countDescriptors, countSockets, descriptorLimit } from '../host/procfs-process.ts';
import type { CgroupPaths } from '../pod/runtime/runtime.ts';
import type { Due } from './cadence.ts';
import type { Descriptors } from './descriptors.ts';
import { numberFile, present, scaled } from './numbers.ts';
import type { ContainerUsage } from './usage.ts';

type ProcessUsage = Pick<
  ContainerUsage,
  'processes' | 'threads' | 'pidsLimit' | 'openDescriptors' | 'descriptorLimit' | 'openSockets'
>;

export interface ProcessReader {
  /** Counted when due, and when somebody `ran` since they were last counted; else the last counts hold. */
  read(due: Due, ran: boolean): ProcessUsage;
  release(): void;
}

// A sum over part of the processes would be a wrong number: beyond these there is none.
const MOST_PROCESSES = 256;
const MOST_DESCRIPTORS = 2048;
const NEWLINE = 0x0a;

/** The number of lines of cgroup.procs, then the process ids, as many as fit. */
const parseProcesses: ParseNumbers = (bytes, length, out) => {
  let count = 0;
  for (let at = 0; at < length; at = bytes.indexOf(NEWLINE, at) + 1) {
    count += 1;
    if (count < out.length) out[count] = numberAt(bytes, at, length);
    if (bytes.indexOf(NEWLINE, at) === -1) break;
  }
  out[0] = count;
};

export function createProcessReader(descriptors: Descriptors, paths: CgroupPaths): ProcessReader {
  const any = paths.unified ?? paths.pids ?? Object.values(paths)[0];
  const pids = paths.pids ?? paths.unified;
  const list = numberFile(
    descriptors,
    any && join(any, 'cgroup.procs'),
    parseProcesses,
    MOST_PROCESSES + 1,
    true,
  );
  const threads = numberFile(descriptors, pids && join(pids, 'pids.current'), singleNumber, 1);
  const limit = numberFile(descriptors, pids && join(pids, 'pids.max'), singleNumber, 1);
  let known: ProcessUsage = {};
  let sockets: number | undefined;
  let ownLimit: number | undefined;

  const processIds = () => {
    const count = list.numbers[0]!;
    return count <= MOST_PROCESSES ? list.numbers.slice(1, count + 1) : undefined;
  };
  return {
    read(due, ran) {
      if (!due.slow) return known;
      if (!ran) {
        // Others may change the limit of who does not run.
        if (limit.refresh()) known = { ...known, ...present('pidsLimit', scaled(limit.numbers[0])) };
        return known;
      }
      threads.refresh();
      list.refresh();
      const ids = list.missing ? undefined : processIds();
      if (due.rare || list.missing) {
        limit.refresh();
        sockets = ids && sum(ids, (pid) => countSockets(pid, MOST_DESCRIPTORS));
        ownLimit = ids?.[0] === undefined ? undefined : descriptorLimit(ids[0]);
      }
      known = {
        ...present('processes', scaled(list.numbers[0])),
        ...present('openDescriptors', ids && sum(ids, countDescriptors)),
        ...present('descriptorLimit', ownLimit),
        ...present('openSockets', sockets),
        ...present('threads', scaled(threads.numbers[0])),
        ...present('pidsLimit', scaled(limit.numbers[0])),
      };
      return known;
    },
    release() {
      for (const it of [list, threads, limit]) it.release();
    },
  };
}

/** Undefined when any part is: a process may end between the list and the count, and then the next count tells. */
function sum(ids: readonly number[], count: (pid: number) => number | undefined): number | undefined {
  let total = 0;
  for (const id of ids) {
    const part = count(id);
    if (part === undefined) return undefined;
    total += part;
  }
  return total;
}
