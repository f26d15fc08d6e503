import { quote } from './shell.ts';

export interface InfraPlan {
  readonly joins: readonly string[];
  readonly hostname: string;
  /** A folder to mount the pod's /dev on, seen only by the pod. */
  readonly dev: string;
  readonly ownNetwork: boolean;
  readonly tools: {
    readonly sh: string;
    readonly unshare: string;
    readonly mount: string;
    readonly umount: string;
    readonly mkdir: string;
    readonly cp: string;
    readonly sleep: string;
  };
}

/** Device nodes and links of /dev that every container gets. Source: OCI runtime spec, "Default Devices". */
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty', 'fd', 'stdin', 'stdout', 'stderr'];

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
  const inner = `${loopback}printf %s ${quote(plan.hostname)} > /proc/sys/kernel/hostname || exit 1
${mount} -t tmpfs -o mode=755,nosuid,size=64k tmpfs ${dev} || exit 1
cd ${dev}
${cp} -a ${DEVICES.map((name) => `/dev/${name}`).join(' ')} . 2>/dev/null
${mkdir} pts shm
${mount} -t devpts -o newinstance,ptmxmode=0666,mode=620,nosuid,noexec devpts pts || exit 1
${mount} -t tmpfs -o mode=1777,nosuid,nodev,size=64m tmpfs shm || exit 1
cd /
echo ready
exec ${quote(tools.sleep)} 2147483647 > /dev/null 2>&1
`;
  const namespaces = `${plan.ownNetwork ? '--net ' : ''}--ipc --uts --mount`;
  const joins = plan.joins.map((file) => `echo 0 > ${quote(file)} || exit 125\n`).join('');
  return `umask 022\n${joins}exec ${quote(tools.unshare)} ${namespaces} -- ${quote(tools.sh)} -c ${quote(inner)}\n`;
}
