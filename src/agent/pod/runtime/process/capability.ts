import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CgroupParent } from '../../../host/cgroup-parent.ts';
import { runCommand } from '../../../host/command.ts';
import { type Delegation, delegationRemedy } from '../../../host/delegation.ts';
import type { Tools } from '../../../host/tool.ts';
import type { Enforcement } from '../runtime.ts';
import type { RootMode } from './host.ts';

/** Whether this process may make the namespaces a pod needs: tried, because capabilities alone do not tell. */
export async function canMakeNamespaces(tools: Tools): Promise<boolean> {
  const needed = [tools.unshare, tools.nsenter, tools.mount, tools.umount, tools.cp, tools.sleep];
  if (process.platform !== 'linux' || needed.includes(undefined)) return false;
  try {
    await runCommand(tools.unshare!, [
      '--mount',
      '--net',
      '--ipc',
      '--uts',
      '--pid',
      '--',
      tools.sh!,
      '-c',
      ':',
    ]);
    return true;
  } catch {
    return false;
  }
}

/** Where a container's writes can go: a layer on disk; in memory where the disk cannot hold one; else to the host. */
export async function findRootMode(tools: Tools, dataDir: string): Promise<RootMode> {
  if (tools.pivot_root === undefined) return 'shared';
  mkdirSync(dataDir, { recursive: true });
  const folder = mkdtempSync(join(dataDir, 'probe-'));
  for (const name of ['upper', 'work', 'root']) mkdirSync(join(folder, name));
  const overlay = `${tools.mount} -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work`;
  const tries: readonly (readonly [RootMode, string])[] = [
    ['disk', `cd "$1" && ${overlay} root`],
    [
      'memory',
      `cd "$1" && ${tools.mount} -t tmpfs tmpfs upper && cd upper && mkdir upper work && ${overlay} ../root`,
    ],
  ];
  try {
    for (const [mode, script] of tries) {
      const words = ['--mount', '--', tools.sh!, '-c', script, 'sh', folder];
      if (
        await runCommand(tools.unshare!, words).then(
          () => true,
          () => false,
        )
      )
        return mode;
    }
    return 'shared';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const CLOSE_ON_EXEC = 0o2000000;

/** Descriptors above the standard three that a child would inherit: from whoever started this process. */
function inheritedDescriptors(): readonly number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => {
      if (fd < 3) return false;
      try {
        const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
        return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
      } catch {
        return false;
      }
    });
}

/**
 * Words before a command that close inherited descriptors, so that no pod holds a file of the agent's parent open. Node
 * closes the low ones; the rest needs bash, because a POSIX shell cannot name descriptors above 9.
 */
export function closingWords(tools: Tools): readonly string[] {
  if (process.platform !== 'linux') return [];
  const open = inheritedDescriptors();
  if (open.length === 0 || tools.bash === undefined) return [];
  return [tools.bash, '--norc', '-c', `exec ${open.map((fd) => `${fd}>&-`).join(' ')}; exec "$@"`, 'bash'];
}

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  cpu: ['resources.limits.cpu', 'resources.requests.cpu'],
  memory: ['resources.limits.memory'],
  pids: ['the limit of processes'],
};

const MODES: Readonly<Record<CgroupParent['mode'], string>> = {
  v2: 'cgroup v2',
  hybrid: 'cgroup v1 with v2 beside it (hybrid)',
  v1: 'cgroup v1',
  none: 'no cgroups',
};

export interface Capabilities {
  readonly user: string;
  readonly cgroups: CgroupParent;
  readonly delegation: Delegation;
  readonly namespaces: boolean;
  readonly root: RootMode;
  readonly routed: boolean;
  /** Whether the tool that takes away rights is there. */
  readonly setpriv: boolean;
}

/** Of `securityContext`; the seccomp filters runtimes ship cannot be loaded by Debian 12's tools. */
function unenforcedSecurity({ user, namespaces, root, setpriv }: Capabilities): readonly string[] {
  const fields = [
    ...(user === 'root' && setpriv ? [] : ['runAsUser', 'runAsGroup', 'supplementalGroups', 'capabilities']),
    ...(setpriv ? [] : ['allowPrivilegeEscalation']),
    ...(root === 'shared' ? ['readOnlyRootFilesystem'] : []),
    'seccompProfile',
  ];
  const places = namespaces
    ? []
    : ['securityContext.sysctls', 'shareProcessNamespace', 'hostAliases', 'dnsPolicy', 'hostPort'];
  return [...fields.map((field) => `securityContext.${field}`), ...places];
}

/** In words for people: who we are, which cgroups, what pods lack; and the manifest fields that have no effect. */
export function describeEnforcement(found: Capabilities): Enforcement {
  const { cgroups } = found;
  const usable = Object.keys(cgroups.paths).length > 0;
  const level = [
    found.user,
    usable || cgroups.mode === 'none'
      ? `${MODES[cgroups.mode]}${usable && found.user !== 'root' ? ', delegated to us' : ''}`
      : `${MODES[cgroups.mode]}, not delegated to us`,
    ...(found.namespaces ? [] : ["no namespaces: pods share the host's network and processes"]),
    ...(found.namespaces && !found.routed ? ['no pod network (iproute2 is missing): loopback only'] : []),
    ...(found.root === 'memory' ? ['container layers in memory'] : []),
    ...(found.root === 'shared' ? ["containers share the host's files"] : []),
  ].join(', ');
  const limits = Object.entries(FIELDS).flatMap(([controller, fields]) =>
    cgroups.enforces.has(controller) ? [] : fields,
  );
  const remedy = delegationRemedy(found.delegation, cgroups.enforces);
  return Object.freeze({
    level,
    notEnforced: Object.freeze([
      ...limits,
      ...(found.root === 'shared' ? ['volumeMounts'] : []),
      ...(found.namespaces ? [] : ['hostname', 'hostNetwork: false']),
      ...unenforcedSecurity(found),
      ...(found.routed ? [] : ['Service.spec.ports.targetPort']),
      'volumeClaimTemplates.resources.requests.storage',
    ]),
    ...(remedy === undefined ? {} : { remedy }),
  });
}
