import { closeSync, constants, existsSync, openSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { delegationRemedy, missingControllers } from '../host/delegation.ts';
import type { Capabilities } from '../pod/runtime/process/capability.ts';
import { type Finding, failure, ok, warning } from './finding.ts';

const LEAST_NODE = [24, 12] as const;

export function checkNode(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const enough = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
  return enough
    ? ok('Node.js', version)
    : failure(
        'Node.js',
        version,
        `install Node.js ${LEAST_NODE.join('.')} or newer (a clone brings its own: npm start)`,
      );
}

export function checkPlatform(): Finding {
  if (process.platform === 'linux') return ok('kernel', `Linux ${release()}`);
  return warning(
    'kernel',
    `${process.platform} ${release()}: pods are plain processes, nothing is limited or measured by cgroups`,
    'run podvitals on Linux, or in a Linux virtual machine',
  );
}

export function checkCgroups({
  user,
  cgroups,
  delegation,
}: Pick<Capabilities, 'user' | 'cgroups' | 'delegation'>): Finding {
  const { mode, enforces } = cgroups;
  if (delegation.level === 'scope') {
    const { words } = delegation;
    return ok(
      'cgroups',
      `${mode}: up and agent enter a scope of their own, which systemd delegates: ${words.join(' ')}`,
    );
  }
  const missing = missingControllers(enforces);
  const has = `${mode === 'none' ? 'none' : mode}${enforces.size > 0 ? ` with ${[...enforces].join(', ')}` : ''}`;
  if (missing.length === 0) return ok('cgroups', has);
  if (user !== 'root') {
    const why = delegation.level === 'plain' ? ` (${delegation.why})` : '';
    return warning(
      'cgroups',
      `${has}: as ${user} limits on ${missing.join(', ')} are not enforced${why}`,
      delegationRemedy(delegation, enforces) ?? 'run as root',
    );
  }
  return warning(
    'cgroups',
    `${has}: limits on ${missing.join(', ')} are not enforced`,
    mode === 'v2'
      ? `hand the controllers down: echo "${missing.map((it) => `+${it}`).join(' ')}" > /sys/fs/cgroup/cgroup.subtree_control`
      : 'mount the cgroup controllers (most hosts: boot with systemd.unified_cgroup_hierarchy=1)',
  );
}

export function checkNamespaces({
  user,
  namespaces,
  root,
}: Pick<Capabilities, 'user' | 'namespaces' | 'root'>): Finding {
  if (!namespaces) {
    return warning(
      'namespaces',
      `none as ${user}: pods share the host's network, processes and files`,
      user === 'root' ? 'install util-linux; in a container, run it privileged' : 'run as root',
    );
  }
  if (root === 'disk')
    return ok('namespaces', 'network, ipc, uts, pid, mount; a layer on disk for each container');
  if (root === 'memory') {
    return warning(
      'namespaces',
      "the data folder's file system cannot hold overlay layers: what containers write is kept in memory",
      'choose a --data-dir on ext4, xfs or btrfs',
    );
  }
  return warning(
    'namespaces',
    'no overlay file system: containers write to the host’s own files',
    'modprobe overlay',
  );
}

/** Who an OOM kill hit is in the kernel's log only; that there was one, the cgroup counts. */
export function checkKernelLog(path = '/dev/kmsg'): Finding {
  try {
    closeSync(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
    return ok('kernel log', `${path} is readable: OOM kills are told with their victim`);
  } catch {
    return warning(
      'kernel log',
      `${path} is not readable: OOM kills are counted, but their victim is not known`,
      'run as root, or: sysctl kernel.dmesg_restrict=0',
    );
  }
}

/** Who sends a signal is nowhere but in a trace of the kernel's. */
export function checkSignalTrace(path = '/sys/kernel/tracing', user = process.getuid?.()): Finding {
  if (user === 0 && existsSync(path)) return ok('signal trace', 'who ends a process by a signal is told');
  return warning(
    'signal trace',
    `${user === 0 ? `no ${path}` : 'not as this user'}: of a kill nobody here asked for, the sender stays unknown`,
    user === 0 ? 'use a kernel with tracing (CONFIG_FTRACE)' : 'run as root',
  );
}

export function checkPressure(path = '/proc/pressure/io'): Finding {
  if (existsSync(path)) return ok('pressure (PSI)', 'cpu, memory, io');
  return warning(
    'pressure (PSI)',
    'the kernel does not measure it: IO wait and stalls of pods are absent',
    'boot with psi=1',
  );
}

const LEAST_INSTANCES = 256;

/** Each container's log and cgroup is watched. Source: inotify(7) */
export function checkInotify(folder = '/proc/sys/fs/inotify'): Finding {
  const read = (name: string) => Number(readFileSync(`${folder}/${name}`, 'utf8'));
  try {
    const [instances, watches] = [read('max_user_instances'), read('max_user_watches')];
    const found = `${instances} instances, ${watches} watches`;
    if (instances >= LEAST_INSTANCES / 2 && watches >= 8192) return ok('inotify', found);
    return warning(
      'inotify',
      `${found}: too few for some hundred containers`,
      `sysctl fs.inotify.max_user_instances=${LEAST_INSTANCES} fs.inotify.max_user_watches=65536`,
    );
  } catch {
    return warning('inotify', 'not there: deaths and output are seen by polling', 'run on Linux');
  }
}
