import type { MemoryVolume } from '../runtime.ts';
import { quote } from './shell.ts';
import type { TableEntry } from './start-script.ts';

export interface InfraPlan {
  readonly hostname: string;
  /** A folder to mount the pod's /dev on, seen only by the pod. */
  readonly dev: string;
  /** The file with `infraMounts`, in the form of fstab(5). */
  readonly mountTable: string;
  /** A link named `ptmx` that is copied into /dev. */
  readonly ptmx: string;
  /** How its network comes up: by the host's `ip` and a file of commands for it, by itself, or not because it has none. */
  readonly network: { readonly ip: string; readonly batch: string } | 'loopback' | 'host';
  /** Parameters of the kernel in these namespaces. */
  readonly sysctls: Readonly<Record<string, string>>;
  /** A process namespace for all containers, whose first process reaps what they orphan. */
  readonly ownPid: boolean;
  readonly tools: {
    readonly sh: string;
    readonly unshare: string;
    readonly mount: string;
    readonly umount: string;
    readonly cp: string;
    readonly sleep: string;
  };
}

/** Device nodes and links of /dev that every container gets. Source: OCI runtime spec, "Default Devices". */
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty', 'fd', 'stdin', 'stdout', 'stderr'];

function memoryOptions({ mode, gid, sizeBytes }: MemoryVolume): string {
  return [
    'nosuid,nodev',
    `mode=${mode.toString(8)}`,
    ...(gid === undefined ? [] : [`gid=${gid}`]),
    ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`]),
  ].join(',');
}

/** What is mounted in the pod's own mount namespace, for all its containers. */
export function infraMounts(
  dev: string,
  ownIpc: boolean,
  memoryVolumes: readonly MemoryVolume[],
): readonly TableEntry[] {
  const made = 'X-mount.mkdir';
  return [
    { source: 'tmpfs', target: dev, type: 'tmpfs', options: 'mode=755,nosuid,size=64k' },
    {
      source: 'devpts',
      target: `${dev}/pts`,
      type: 'devpts',
      options: `newinstance,ptmxmode=0666,mode=620,nosuid,noexec,${made}`,
    },
    ownIpc
      ? {
          source: 'tmpfs',
          target: `${dev}/shm`,
          type: 'tmpfs',
          options: `mode=1777,nosuid,nodev,size=64m,${made}`,
        }
      : { source: '/dev/shm', target: `${dev}/shm`, type: 'none', options: `bind,${made}` },
    ...memoryVolumes.map((volume) => ({
      source: 'tmpfs',
      target: volume.path,
      type: 'tmpfs',
      options: memoryOptions(volume),
    })),
  ];
}

/**
 * The last words: only sleep. With a process namespace of its own the sleeper is its first process, and ignores the end
 * of children, so that the kernel reaps them; this shell stays outside, and its `pid_for_children` is the namespace.
 */
function restLines(plan: InfraPlan): string {
  const sleep = `${quote(plan.tools.sleep)} 2147483647`;
  if (!plan.ownPid) return `echo ready\nexec ${sleep} < /dev/null > /dev/null 2>&1\n`;
  const first = `( trap '' CHLD; exec ${sleep} ) < /dev/null > /dev/null 2>&1 &\necho ready\nexec < /dev/null > /dev/null 2>&1\nwait\n`;
  return `exec ${quote(plan.tools.unshare)} --pid -- ${quote(plan.tools.sh)} -c ${quote(first)}\n`;
}

/**
 * What the process that holds a pod's namespaces runs once it is in them: sets the hostname, builds /dev, brings the
 * network up. Says `inside` on standard output at once, so that the host can make its part meanwhile: the cgroup it is
 * moved to, the network's link. With a line on standard input all of that is there; when the agent dies before, so does
 * this. Then says `ready`, and only sleeps.
 */
export function infraScript(plan: InfraPlan): string {
  const { tools, network } = plan;
  const [mount, umount, cp] = [tools.mount, tools.umount, tools.cp].map(quote);
  const dev = quote(plan.dev);
  // The sysfs of the new network namespace: the loopback comes up without iproute2.
  const loopback = `${mount} -t sysfs sysfs ${dev} && echo 0x9 > ${dev}/class/net/lo/flags && ${umount} ${dev} || exit 1\n`;
  const up =
    typeof network === 'object' ? `${quote(network.ip)} -batch ${quote(network.batch)} || exit 1\n` : '';
  const sysctls = Object.entries(plan.sysctls).map(
    ([name, value]) => `printf %s ${quote(value)} > ${quote(sysctlFile(name))} || exit 1\n`,
  );
  return `umask 022
echo inside
${network === 'loopback' ? loopback : ''}printf %s ${quote(plan.hostname)} > /proc/sys/kernel/hostname || exit 1
${sysctls.join('')}${mount} --all --fstab ${quote(plan.mountTable)} || exit 1
cd ${dev}
${cp} -a ${DEVICES.map((name) => `/dev/${name}`).join(' ')} ${quote(plan.ptmx)} . 2>/dev/null
[ -h ptmx ] || exit 1
: > termination-log
cd /
read -r go || exit 1
${up}${restLines(plan)}`;
}

/** A slash in a name is a dot in its file's: `net.ipv4.conf.eth0/1.rp_filter`. Source: sysctl.d(5) */
const sysctlFile = (name: string) =>
  `/proc/sys/${name.replace(/[./]/g, (mark) => (mark === '.' ? '/' : '.'))}`;

/** Words that put the script into namespaces of its own. */
export function infraWords(
  plan: InfraPlan,
  own: { readonly network: boolean; readonly ipc: boolean },
): readonly string[] {
  const namespaces = ['--uts', '--mount', ...(own.network ? ['--net'] : []), ...(own.ipc ? ['--ipc'] : [])];
  return [plan.tools.unshare, ...namespaces, '--', plan.tools.sh, '-c', infraScript(plan)];
}
