import type { MemoryVolume } from '../runtime.ts';
import { quote } from './shell.ts';

export interface InfraPlan {
  readonly joins: readonly string[];
  readonly hostname: string;
  /** A folder to mount the pod's /dev on, seen only by the pod. */
  readonly dev: string;
  readonly ownNetwork: boolean;
  readonly ownIpc: boolean;
  /** A process namespace for all containers, whose first process reaps what they orphan. */
  readonly ownPid: boolean;
  readonly memoryVolumes: readonly MemoryVolume[];
  readonly tools: {
    readonly sh: string;
    readonly unshare: string;
    readonly mount: string;
    readonly umount: string;
    readonly mkdir: string;
    readonly cp: string;
    readonly ln: string;
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

/**
 * The last words: only sleep. With a process namespace of its own the sleeper is its first process, and ignores the end
 * of children, so that the kernel reaps them; this shell stays outside, and its `pid_for_children` is the namespace.
 */
function restLines(plan: InfraPlan): string {
  const sleep = `${quote(plan.tools.sleep)} 2147483647`;
  if (!plan.ownPid) return `echo ready\nexec ${sleep} > /dev/null 2>&1\n`;
  const first = `( trap '' CHLD; exec ${sleep} ) > /dev/null 2>&1 &\necho ready\nexec > /dev/null 2>&1\nwait\n`;
  return `exec ${quote(plan.tools.unshare)} --pid -- ${quote(plan.tools.sh)} -c ${quote(first)}\n`;
}

/**
 * The process that holds a pod's namespaces: joins the pod's `infra` cgroup, then takes new ones, sets the hostname,
 * brings the loopback up and builds /dev. Says `ready` on standard output; then it only sleeps.
 */
export function infraScript(plan: InfraPlan): string {
  const { tools } = plan;
  const [mount, umount, mkdir, cp] = [tools.mount, tools.umount, tools.mkdir, tools.cp].map(quote);
  const dev = quote(plan.dev);
  // The sysfs of the new network namespace: the loopback comes up without iproute2.
  const loopback = plan.ownNetwork
    ? `${mount} -t sysfs sysfs ${dev} && echo 0x9 > ${dev}/class/net/lo/flags && ${umount} ${dev} || exit 1\n`
    : '';
  const shm = plan.ownIpc
    ? `${mount} -t tmpfs -o mode=1777,nosuid,nodev,size=64m tmpfs shm`
    : `${mount} --bind /dev/shm shm`;
  const memory = plan.memoryVolumes
    .map((volume) => `${mount} -t tmpfs -o ${memoryOptions(volume)} tmpfs ${quote(volume.path)} || exit 1\n`)
    .join('');
  const inner = `${loopback}printf %s ${quote(plan.hostname)} > /proc/sys/kernel/hostname || exit 1
${mount} -t tmpfs -o mode=755,nosuid,size=64k tmpfs ${dev} || exit 1
cd ${dev}
${cp} -a ${DEVICES.map((name) => `/dev/${name}`).join(' ')} . 2>/dev/null
${mkdir} pts shm
${quote(tools.ln)} -s pts/ptmx ptmx || exit 1
: > termination-log
${mount} -t devpts -o newinstance,ptmxmode=0666,mode=620,nosuid,noexec devpts pts || exit 1
${shm} || exit 1
cd /
${memory}${restLines(plan)}`;
  const namespaces = [
    '--uts',
    '--mount',
    ...(plan.ownNetwork ? ['--net'] : []),
    ...(plan.ownIpc ? ['--ipc'] : []),
  ].join(' ');
  const joins = plan.joins.map((file) => `echo 0 > ${quote(file)} || exit 125\n`).join('');
  return `umask 022\n${joins}exec ${quote(tools.unshare)} ${namespaces} -- ${quote(tools.sh)} -c ${quote(inner)}\n`;
}
