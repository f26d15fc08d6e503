import type { KernelDenial } from '../../model/life.ts';
import { type KernelRecords, openKernelRecords } from '../host/kernel-log.ts';

/** What security modules forbade the first processes of containers, as the kernel logs it where no auditd takes it. */
export interface DenialWatch {
  started(containerId: string, pid: number): void;
  /** The last denial in this life; undefined: none, or it was logged elsewhere. */
  ended(containerId: string): KernelDenial | undefined;
  close(): void;
}

const WANTED = /apparmor="DENIED"|avc: {1,2}denied|type=1326/;
const MOST_DENIALS = 256;
const MOST_CONTAINERS = 2048;

/** `records` left out: /dev/kmsg where it may be read. */
export function createDenialWatch(
  records: KernelRecords | undefined = openKernelRecords(WANTED),
): DenialWatch {
  const pids = new Map<string, number>();
  const denials = new Map<number, KernelDenial>();
  return {
    started(containerId, pid) {
      if (pids.size >= MOST_CONTAINERS) pids.delete(pids.keys().next().value!);
      pids.set(containerId, pid);
    },
    ended(containerId) {
      const pid = pids.get(containerId);
      pids.delete(containerId);
      for (const record of records?.read() ?? []) {
        const found = parseDenial(record);
        if (!found) continue;
        denials.set(found.pid, found.denial);
        if (denials.size > MOST_DENIALS) denials.delete(denials.keys().next().value!);
      }
      if (pid === undefined) return undefined;
      const denial = denials.get(pid);
      denials.delete(pid);
      return denial;
    },
    close: () => records?.close(),
  };
}

/**
 * Source: security/apparmor/audit.c, security/selinux/avc.c, kernel/auditsc.c audit_seccomp.
 *
 *     5,9,1,-;audit: type=1400 audit(1:2): apparmor="DENIED" operation="open" profile="cart" name="/etc/x" pid=11 comm="cat" …
 *     5,9,1,-;audit: type=1400 audit(1:2): avc:  denied  { name_bind } for  pid=11 comm="nginx" src=81 scontext=… tclass=tcp_socket
 *     5,9,1,-;audit: type=1326 audit(1:2): auid=4294967295 uid=0 … pid=11 comm="python3" exe="…" sig=31 arch=c000003e syscall=83 …
 */
export function parseDenial(
  record: string,
): { readonly pid: number; readonly denial: KernelDenial } | undefined {
  const semicolon = record.indexOf(';');
  // Whoever may write to /dev/kmsg does so under another facility than the kernel's.
  if (!(Number(record.slice(0, semicolon).split(',')[0]) < 8)) return undefined;
  const message = record
    .slice(semicolon + 1)
    .split('\n', 1)[0]!
    .slice(0, 1000);
  const pid = Number(/\bpid=(\d{1,10})\b/.exec(message)?.[1]);
  if (!/^audit: type=\d{4} /.test(message) || Number.isNaN(pid)) return undefined;
  const value = (name: string) => new RegExp(`\\b${name}="?([^" ]{1,200})`).exec(message)?.[1];
  const told = (...parts: readonly (string | undefined)[]) => parts.filter(Boolean).join(' ');
  if (message.includes('apparmor="DENIED"'))
    return {
      pid,
      denial: { by: 'AppArmor', what: told(value('operation'), value('name'), value('capname')) },
    };
  const avc = /avc: {1,2}denied {1,2}\{ ([\w ]{1,100}) \}/.exec(message)?.[1];
  if (avc !== undefined)
    return {
      pid,
      denial: { by: 'SELinux', what: told(avc, value('tclass'), value('name') ?? value('path')) },
    };
  if (message.startsWith('audit: type=1326 '))
    return { pid, denial: { by: 'seccomp', what: told('system call', value('syscall')) } };
  return undefined;
}
