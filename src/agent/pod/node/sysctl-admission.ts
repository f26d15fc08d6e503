import type { PodSpec } from '../../../model/kubernetes.ts';
import { dotted } from '../spec/sysctl-name.ts';

/** Those that reach no further than the pod. Source: kubernetes/pkg/kubelet/sysctl/safe_sysctls.go */
export const SAFE_SYSCTLS: readonly string[] = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
];

const NAMESPACES: readonly (readonly [RegExp, 'network' | 'ipc'])[] = [
  [/^net\./, 'network'],
  [/^(kernel\.(shm|msg|sem)|fs\.mqueue\.)/, 'ipc'],
];

/** The namespace whose own a parameter is; undefined: the whole kernel's, which no pod may set. */
const sysctlNamespace = (name: string): 'network' | 'ipc' | undefined =>
  NAMESPACES.find(([pattern]) => pattern.test(name))?.[1];

/**
 * Why the node does not take the pod's `sysctls`; undefined: it does. `allowed` are names beyond the safe ones; one that
 * ends with `*` allows all that begin so. Source: kubernetes/pkg/kubelet/sysctl/allowlist.go, validateSysctl, Admit
 */
export function sysctlRefusal(spec: PodSpec, allowed: readonly string[]): string | undefined {
  const known = [...SAFE_SYSCTLS, ...allowed];
  const allows = (name: string) =>
    known.some((one) => (one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : one === name));
  for (const { name: written } of spec.securityContext?.sysctls ?? []) {
    const name = dotted(written);
    const space = sysctlNamespace(name);
    if (!allows(name) || space === undefined) return `forbidden sysctl: "${name}" not allowlisted`;
    const isHosts = space === 'network' ? spec.hostNetwork : spec.hostIPC;
    if (isHosts) return `forbidden sysctl: "${name}" not allowed with host ${space} enabled`;
  }
  return undefined;
}
