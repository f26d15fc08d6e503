import { isIP } from 'node:net';
import type { PodSecurityContext, PodSpec, SecurityContext } from '../../../model/kubernetes.ts';
import { DNS_POLICIES, MOST_NAMESERVERS } from '../spec/resolver-file.ts';
import { dotted } from '../spec/sysctl-name.ts';
import { checkName, DNS_SUBDOMAIN } from './names.ts';
import { nearestName } from './nearest-name.ts';
import type { Path, Report } from './problem.ts';
import { atLeast, oneOf } from './rules.ts';

const PROFILES = ['RuntimeDefault', 'Unconfined', 'Localhost'];
/** Source: linux/capability.h, as Kubernetes names them */
const CAPABILITIES = [
  'ALL',
  ...'AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH'.split(
    ' ',
  ),
  ...'FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN'.split(
    ' ',
  ),
  ...'NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYS_ADMIN SYS_BOOT'.split(
    ' ',
  ),
  ...'SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG'.split(
    ' ',
  ),
  ...'SYSLOG WAKE_ALARM'.split(' '),
];

/** Who the containers of a pod are, and what they may do. */
export function checkPodSecurity(context: PodSecurityContext | undefined, path: Path, report: Report): void {
  if (!context) return;
  for (const field of ['runAsUser', 'runAsGroup', 'fsGroup'] as const)
    atLeast(context[field], 0, [...path, field], report);
  for (const [index, group] of (context.supplementalGroups ?? []).entries())
    atLeast(group, 0, [...path, 'supplementalGroups', index], report);
  checkSeccomp(context.seccompProfile, [...path, 'seccompProfile'], report);
  const names = (context.sysctls ?? []).map(({ name }) => dotted(name));
  for (const [index, name] of names.entries()) {
    const place = [...path, 'sysctls', index, 'name'];
    if (!SYSCTL.test(name) || name.length > LONGEST_SYSCTL)
      report({ path: place, value: name, message: 'must be a name such as net.ipv4.tcp_fin_timeout' });
    else if (names.indexOf(name) !== index) report({ path: place, value: name, message: 'duplicate' });
  }
}

/** Source: kubernetes/pkg/apis/core/validation/validation.go, IsValidSysctlName */
const SYSCTL = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
const LONGEST_SYSCTL = 253;

export function checkContainerSecurity(
  context: SecurityContext | undefined,
  path: Path,
  report: Report,
): void {
  if (!context) return;
  for (const field of ['runAsUser', 'runAsGroup'] as const)
    atLeast(context[field], 0, [...path, field], report);
  checkSeccomp(context.seccompProfile, [...path, 'seccompProfile'], report);
  if (context.allowPrivilegeEscalation === false && context.privileged) {
    report({
      path: [...path, 'allowPrivilegeEscalation'],
      value: false,
      message: 'may not be false where privileged is true',
    });
  }
  for (const list of ['add', 'drop'] as const) {
    for (const [index, name] of (context.capabilities?.[list] ?? []).entries()) {
      const plain = name.toUpperCase().replace(/^CAP_/, '');
      if (CAPABILITIES.includes(plain)) continue;
      const near = nearestName(plain, CAPABILITIES);
      report({
        path: [...path, 'capabilities', list, index],
        value: name,
        message: near
          ? `Linux has no such capability; did you mean ${near}?`
          : `Linux has no such capability; use ALL or some of ${CAPABILITIES.slice(1).join(', ')}`,
      });
    }
  }
}

/** Source: kubernetes/pkg/apis/core/validation/validation.go, validateSeccompProfileField */
function checkSeccomp(profile: SecurityContext['seccompProfile'], path: Path, report: Report): void {
  if (!profile) return;
  oneOf(profile.type, PROFILES, [...path, 'type'], report);
  const { type, localhostProfile: file } = profile;
  const place = [...path, 'localhostProfile'];
  if (type !== 'Localhost') {
    if (file !== undefined)
      report({ path: place, value: file, message: 'may only be set when type is Localhost' });
  } else if (!file) report({ path: place, message: 'required when type is Localhost' });
  else if (file.startsWith('/') || file.split('/').includes('..'))
    report({
      path: place,
      value: file,
      message: 'must be a path within the folder seccomp of the data folder',
    });
}

/** Names and addresses of a pod: hosts, resolver, ports of the host. */
export function checkPodNames(spec: PodSpec, path: Path, report: Report): void {
  if (spec.subdomain !== undefined) checkName(spec.subdomain, DNS_SUBDOMAIN, [...path, 'subdomain'], report);
  oneOf(spec.dnsPolicy, DNS_POLICIES, [...path, 'dnsPolicy'], report);
  const servers = spec.dnsConfig?.nameservers ?? [];
  if (spec.dnsPolicy === 'None' && servers.length === 0) {
    report({
      path: [...path, 'dnsConfig', 'nameservers'],
      message: 'needs at least one where dnsPolicy is None',
    });
  }
  if (servers.length > MOST_NAMESERVERS) {
    report({
      path: [...path, 'dnsConfig', 'nameservers'],
      message: `must be at most ${MOST_NAMESERVERS}: resolvers take no more`,
    });
  }
  const mustBeAddress = (text: string, place: Path) => {
    if (isIP(text) === 0) report({ path: place, value: text, message: 'must be an IP address' });
  };
  for (const [index, server] of servers.entries())
    mustBeAddress(server, [...path, 'dnsConfig', 'nameservers', index]);
  for (const [index, search] of (spec.dnsConfig?.searches ?? []).entries()) {
    // It becomes a line of a file.
    if (/^[A-Za-z0-9._-]+$/.test(search)) continue;
    report({ path: [...path, 'dnsConfig', 'searches', index], value: search, message: 'must be a domain' });
  }
  for (const [index, { name = '', value = '' }] of (spec.dnsConfig?.options ?? []).entries()) {
    if (/^[A-Za-z0-9_-]+$/.test(name) && /^[A-Za-z0-9_.-]*$/.test(value)) continue;
    report({
      path: [...path, 'dnsConfig', 'options', index],
      value: name,
      message: 'must be an option of resolv.conf',
    });
  }
  for (const [index, alias] of (spec.hostAliases ?? []).entries()) {
    const place = [...path, 'hostAliases', index];
    mustBeAddress(alias.ip, [...place, 'ip']);
    for (const [inner, name] of (alias.hostnames ?? []).entries())
      checkName(name, DNS_SUBDOMAIN, [...place, 'hostnames', inner], report);
  }
  if (spec.shareProcessNamespace && spec.hostPID) {
    report({
      path: [...path, 'shareProcessNamespace'],
      value: true,
      message: 'may not be true together with hostPID',
    });
  }
  checkHostPorts(spec, path, report);
}

function checkHostPorts(spec: PodSpec, path: Path, report: Report): void {
  const taken = new Set<string>();
  for (const [index, container] of spec.containers.entries()) {
    for (const [inner, port] of (container.ports ?? []).entries()) {
      if (port.hostPort === undefined) continue;
      const place = [...path, 'containers', index, 'ports', inner];
      if (port.hostPort < 1 || port.hostPort > 65_535)
        report({
          path: [...place, 'hostPort'],
          value: port.hostPort,
          message: 'must be a port from 1 to 65535',
        });
      if (port.hostIP !== undefined && port.hostIP !== '' && isIP(port.hostIP) === 0)
        report({ path: [...place, 'hostIP'], value: port.hostIP, message: 'must be an IP address' });
      if (spec.hostNetwork && port.hostPort !== port.containerPort) {
        report({
          path: [...place, 'hostPort'],
          value: port.hostPort,
          message: `must be containerPort (${port.containerPort}) where hostNetwork is true`,
        });
      }
      const key = `${port.hostIP ?? ''} ${port.hostPort} ${port.protocol ?? 'TCP'}`;
      if (taken.has(key))
        report({
          path: [...place, 'hostPort'],
          value: port.hostPort,
          message: 'duplicate: another port of the pod has it',
        });
      taken.add(key);
    }
  }
}
