import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CgroupMode, readCgroupMounts } from './cgroup-hierarchy.ts';
import { lookForCgroupParent } from './cgroup-parent.ts';
import { findTools } from './tool.ts';

/** What decides by which right this process makes cgroups. */
export interface DelegationFacts {
  readonly platform: NodeJS.Platform;
  readonly uid: number | undefined;
  readonly mode: CgroupMode;
  /** Controllers whose limits would bite where this process is now. */
  readonly enforces: ReadonlySet<string>;
  /** There are processes beside this one in its cgroup, such as the shell it was started from. */
  readonly shared: boolean;
  /** systemd manages this host. */
  readonly systemd: boolean;
  /** The program that opens a scope; absent: not installed. */
  readonly systemdRun?: string;
  /** The folder with this user's bus and service manager; absent: the user has none. */
  readonly userRuntime?: string;
  /** This process was put into its scope already. */
  readonly entered: boolean;
}

/**
 * By which right cgroups are made, best first: `root`; a cgroup that is `delegated` to us; a `scope` of our own that the
 * user's systemd would delegate, to be entered once; `plain` processes without limits.
 */
export type Delegation =
  | { readonly level: 'root' | 'delegated' }
  | { readonly level: 'scope'; readonly words: readonly string[]; readonly userRuntime: string }
  | { readonly level: 'plain'; readonly why: string; readonly remedy: string };

const CONTROLLERS = ['cpu', 'memory', 'pids'];

export const missingControllers = (enforces: ReadonlySet<string>): readonly string[] =>
  CONTROLLERS.filter((controller) => !enforces.has(controller));

/** Source: systemd's "Control Group APIs and Delegation"; systemd-run(1); user@.service(5) */
export function decideDelegation(facts: DelegationFacts): Delegation {
  const { platform, uid, mode, enforces, systemd, systemdRun, userRuntime } = facts;
  const plain = (why: string, remedy: string) => ({ level: 'plain', why, remedy }) as const;
  if (platform !== 'linux')
    return plain(
      `${platform} has no cgroups`,
      'run podvitals on Linux, or in a Linux virtual machine, for limits and isolation',
    );
  if (uid === 0) return { level: 'root' };
  const couldEnter = mode === 'v2' && systemd && systemdRun !== undefined && userRuntime !== undefined;
  // What a user's terminal runs in is the user's, too; but it is the terminal's, and not for pods.
  if (enforces.has('memory') && (!facts.shared || facts.entered || !couldEnter))
    return { level: 'delegated' };
  if (mode === 'none') return plain('no cgroups are mounted', 'run as root, where they are');
  if (mode !== 'v2')
    return plain(
      'controllers of cgroup v1 are not delegated to users',
      'boot with systemd.unified_cgroup_hierarchy=1, or run as root',
    );
  if (facts.entered)
    return plain(
      "the user's service manager has no memory controller to hand on",
      `as root: ${DELEGATE_TO_USERS}`,
    );
  if (!systemd)
    return plain(
      'no cgroup is delegated to us, and no systemd runs that could',
      `as root: mkdir /sys/fs/cgroup/podvitals-${uid} && chown -R ${uid} /sys/fs/cgroup/podvitals-${uid} && echo PID_OF_YOUR_SHELL > /sys/fs/cgroup/podvitals-${uid}/cgroup.procs; then start podvitals from that shell`,
    );
  if (systemdRun === undefined) return plain('systemd-run is not installed', 'install the package systemd');
  if (userRuntime === undefined)
    return plain(
      'this user has no service manager (no session: su and sudo open none)',
      `log in as this user, or as root: loginctl enable-linger ${uid}`,
    );
  return { level: 'scope', userRuntime, words: scopeWords(systemdRun) };
}

/** What hands users the controllers that systemd keeps from them by default. */
export const DELEGATE_TO_USERS =
  "mkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' > /etc/systemd/system/user@.service.d/delegate.conf && systemctl daemon-reload; then log in again";

/** What would give pods the limits they lack; undefined where they lack none, or it is not a matter of delegation. */
export function delegationRemedy(delegation: Delegation, enforces: ReadonlySet<string>): string | undefined {
  if (delegation.level === 'plain') return delegation.remedy;
  if (delegation.level === 'scope') return [...delegation.words, 'podvitals', 'up'].join(' ');
  const missing = missingControllers(enforces);
  if (delegation.level === 'root' || missing.length === 0) return undefined;
  return `as root: ${DELEGATE_TO_USERS}`;
}

const scopeWords = (systemdRun: string): readonly string[] => [
  systemdRun,
  '--user',
  '--scope',
  '--quiet',
  '--collect',
  '-p',
  'Delegate=yes',
  '--',
];

/** In the environment of a process that was put into its scope. */
export const SCOPE_VARIABLE = 'PODVITALS_SCOPE';

function sharesCgroup(): boolean {
  const mount = readCgroupMounts().find(({ version }) => version === 2);
  if (mount === undefined) return false;
  try {
    const pids = readFileSync(join(mount.mountPoint, mount.ownPath, 'cgroup.procs'), 'utf8');
    return pids.trim() !== String(process.pid);
  } catch {
    return false;
  }
}

export function readDelegationFacts(
  env: NodeJS.ProcessEnv,
  uid = process.getuid?.(),
  platform = process.platform,
): DelegationFacts {
  const { mode, enforces } = lookForCgroupParent(uid === 0);
  const { 'systemd-run': systemdRun } = findTools();
  const userRuntime = [env.XDG_RUNTIME_DIR, `/run/user/${uid}`].find(
    (folder) => folder !== undefined && ['bus', 'systemd/private'].some((it) => existsSync(join(folder, it))),
  );
  return {
    platform,
    uid,
    mode,
    enforces,
    shared: platform === 'linux' && sharesCgroup(),
    systemd: existsSync('/run/systemd/system'),
    ...(systemdRun === undefined ? {} : { systemdRun }),
    ...(userRuntime === undefined ? {} : { userRuntime }),
    entered: env[SCOPE_VARIABLE] !== undefined,
  };
}
