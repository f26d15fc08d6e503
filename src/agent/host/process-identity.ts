import { readFileSync } from 'node:fs';
import { type Clock, sleep } from '../../util/clock.ts';

/** A process that cannot be mistaken for a later one with the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/<pid>/stat: clock ticks from boot to the start of the process. */
  readonly startTicks: number;
}

/** The fields of a stat line after the command, which may itself hold blanks and brackets. */
function statFields(stat: string): readonly string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Who `pid` is now; undefined when there is no such process, or only its zombie. Source: proc(5). */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  let fields: readonly string[];
  try {
    fields = statFields(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return { pid, startTicks: Number(fields[19]) };
}

/** Whether that very process still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startTicks === identity.startTicks;
}

/** Resolves with whether it is gone within `patienceMs`. */
export async function waitForEnd(
  identity: ProcessIdentity,
  clock: Clock,
  patienceMs: number,
): Promise<boolean> {
  const end = clock.monotonic() + patienceMs;
  while (isAlive(identity)) {
    if (clock.monotonic() > end) return false;
    await sleep(clock, 1);
  }
  return true;
}

/** Sends `signal` to that very process; false when it is gone. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals | number): boolean {
  if (!isAlive(identity)) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch {
    return false;
  }
}
