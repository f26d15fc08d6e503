import { readFileSync } from 'node:fs';

const NOBODY = 4_294_967_295;

/** Who made a process run; undefined when it is gone. */
export interface ProcessOrigin {
  readonly parent: number;
  /** The user who had logged in, for all that came of it; absent: nobody did, or the kernel does not keep it. */
  readonly loginUid?: number;
  readonly hasTerminal: boolean;
}

/** Source: proc(5), /proc/pid/stat fields 4 and 7; Documentation/ABI/stable/procfs-audit_loginuid */
export function originOf(pid: number): ProcessOrigin | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const loginUid = loginUidOf(pid);
    return {
      parent: Number(fields[1]),
      hasTerminal: Number(fields[4]) !== 0,
      ...(loginUid === undefined ? {} : { loginUid }),
    };
  } catch {
    return undefined;
  }
}

function loginUidOf(pid: number): number | undefined {
  try {
    const uid = Number(readFileSync(`/proc/${pid}/loginuid`, 'latin1'));
    return uid === NOBODY ? undefined : uid;
  } catch {
    return undefined;
  }
}

/** The name of a user of this host, else the number. */
export function userName(uid: number): string {
  try {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((entry) => entry.split(':')[2] === String(uid));
    return line?.split(':')[0] ?? String(uid);
  } catch {
    return String(uid);
  }
}
