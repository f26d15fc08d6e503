import type { KernelFault } from '../../model/life.ts';
import { type KernelRecords, openKernelRecords } from '../host/kernel-log.ts';

/** What the kernel logged of the faults that end first processes: a signal alone does not tell an abort from a fault. */
export interface FaultWatch {
  started(containerId: string, pid: number): void;
  /** The fault of a life that ended by this signal; undefined where it ended otherwise, or nothing was logged. */
  ended(containerId: string, signal: number | undefined): KernelFault | undefined;
  close(): void;
}

const WANTED = /segfault at|traps?:/;
const FAULTS: readonly (number | undefined)[] = [4, 5, 7, 8, 11];
const MOST_FAULTS = 64;
const MOST_CONTAINERS = 2048;

/** `records` left out: /dev/kmsg where it may be read. The kernel logs a fault before it sends the signal. */
export function createFaultWatch(records: KernelRecords | undefined = openKernelRecords(WANTED)): FaultWatch {
  const pids = new Map<string, number>();
  const faults = new Map<number, KernelFault>();
  const readLog = () => {
    for (const record of records?.read() ?? []) {
      const found = parseFault(record);
      if (!found) continue;
      faults.set(found.pid, found.fault);
      if (faults.size > MOST_FAULTS) faults.delete(faults.keys().next().value!);
    }
  };
  return {
    started(containerId, pid) {
      if (pids.size >= MOST_CONTAINERS) pids.delete(pids.keys().next().value!);
      pids.set(containerId, pid);
    },
    ended(containerId, signal) {
      const pid = pids.get(containerId);
      pids.delete(containerId);
      if (pid === undefined || !FAULTS.includes(signal)) return undefined;
      readLog();
      const fault = faults.get(pid);
      faults.delete(pid);
      return fault;
    },
    close: () => records?.close(),
  };
}

/**
 * Source: arch/x86/mm/fault.c show_signal_msg, arch/x86/kernel/traps.c show_signal.
 *
 *     6,901,5012345678,-;traps: python3[11] general protection fault ip:7f9c sp:7ffd error:0 in libc.so.6[2650f,…]
 *     6,902,5012345690,-;python3[12]: segfault at 0 ip 00007fa5 sp 00007ffd error 4 in libc.so.6[167ad8,…]
 */
export function parseFault(
  record: string,
): { readonly pid: number; readonly fault: KernelFault } | undefined {
  const semicolon = record.indexOf(';');
  // Whoever may write to /dev/kmsg does so under another facility than the kernel's.
  if (!(Number(record.slice(0, semicolon).split(',')[0]) < 8)) return undefined;
  const message = record
    .slice(semicolon + 1)
    .split('\n', 1)[0]!
    .slice(0, 500);
  const match =
    /^(?:traps: )?.{0,64}\[(\d{1,10})\]:? (segfault|general protection fault|trap [a-z ]{1,40}?|[a-z ]{1,40}?)(?: at [\da-f]{1,16})? (?:ip|error)\b/.exec(
      message,
    );
  if (!match) return undefined;
  const file = / in ([^[\s]{1,200})\[/.exec(message)?.[1];
  return { pid: Number(match[1]), fault: { kind: match[2]!, ...(file === undefined ? {} : { file }) } };
}
