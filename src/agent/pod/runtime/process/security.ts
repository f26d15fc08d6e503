import { readFileSync } from 'node:fs';
import type { Tools } from '../../../host/tool.ts';
import type { ContainerSecurity } from '../runtime.ts';

/** What a container may do when its manifest says nothing. Source: containerd oci/spec.go, defaultUnixCaps */
const DEFAULT_CAPABILITIES = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
];

/** The line of /etc/passwd of a user. */
export interface Account {
  readonly name: string;
  readonly gid: number;
  readonly home: string;
}

/** The identity a container's command takes. Numbers, because its own /etc/passwd need not know it. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly home: string;
}

/** Who may do what: root's set, or `all`. Source: containerd internal/cri/opts/spec_opts.go, WithCapabilities */
export function capabilitiesOf(security: ContainerSecurity): readonly string[] | 'all' {
  if (security.privileged) return 'all';
  const plain = (name: string) => name.toUpperCase().replace(/^CAP_/, '');
  const add = (security.capabilities?.add ?? []).map(plain);
  const drop = (security.capabilities?.drop ?? []).map(plain);
  if (add.includes('ALL') && drop.length === 0) return 'all';
  const base = drop.includes('ALL') ? [] : DEFAULT_CAPABILITIES;
  const asked = [...base, ...(add.includes('ALL') ? DEFAULT_CAPABILITIES : add)];
  return [...new Set(asked)].filter((name) => name !== 'ALL' && !drop.includes(name)).sort();
}

/** Source: the CRI's api.proto, LinuxContainerSecurityContext: a user without a group has its own, else 0. */
export function identityOf(
  security: ContainerSecurity,
  passwd: (uid: number) => Account | undefined,
  groupsOf: (name: string) => readonly number[],
): Identity {
  const uid = security.uid ?? 0;
  const account = passwd(uid);
  const own = account === undefined || uid === 0 ? [] : groupsOf(account.name);
  return {
    uid,
    gid: security.gid ?? account?.gid ?? 0,
    groups: [...new Set([...own, ...(security.groups ?? [])])],
    home: account?.home ?? (uid === 0 ? '/root' : '/'),
  };
}

/**
 * Words before a command that leave it only what it may have; empty where this process may not change that.
 * The names of capabilities the kernel's setpriv does not know are refused by it: the start fails and says so.
 */
export function securityWords(
  security: ContainerSecurity,
  identity: Identity,
  tools: Tools,
  isRoot: boolean,
): readonly string[] {
  if (tools.setpriv === undefined) return [];
  const noNewPrivileges = security.noNewPrivileges ? ['--no-new-privs'] : [];
  if (!isRoot) return noNewPrivileges.length === 0 ? [] : [tools.setpriv, ...noNewPrivileges, '--'];
  const { uid, gid, groups } = identity;
  const users =
    uid === 0 && gid === 0 && groups.length === 0
      ? []
      : [
          `--reuid=${uid}`,
          `--regid=${gid}`,
          groups.length === 0 ? '--clear-groups' : `--groups=${groups.join(',')}`,
        ];
  const capabilities = capabilitiesOf(security);
  const bounds =
    capabilities === 'all'
      ? []
      : [
          '--inh-caps=-all',
          `--bounding-set=${['-all', ...capabilities.map((name) => `+${name.toLowerCase()}`)].join(',')}`,
        ];
  const words = [...users, ...noNewPrivileges, ...bounds];
  return words.length === 0 ? [] : [tools.setpriv, ...words, '--'];
}

const linesOf = (path: string): readonly (readonly string[])[] => {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
  } catch {
    return [];
  }
};

export function readAccount(uid: number): Account | undefined {
  const line = linesOf('/etc/passwd').find(([, , id]) => id === String(uid));
  return line === undefined ? undefined : { name: line[0]!, gid: Number(line[3]), home: line[5] || '/' };
}

export function readGroupsOf(name: string): readonly number[] {
  return linesOf('/etc/group')
    .filter(([, , , members = '']) => members.split(',').includes(name))
    .map(([, , gid]) => Number(gid));
}

/** The identity of a container on this host's root file system, where its users are this host's. */
export const hostIdentity = (security: ContainerSecurity) => identityOf(security, readAccount, readGroupsOf);
