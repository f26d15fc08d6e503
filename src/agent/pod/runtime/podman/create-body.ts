import { join } from 'node:path';
import { signalNumber } from '../../../host/signal-number.ts';
import type { ContainerConfig, ContainerSecurity, HostPort, SandboxConfig } from '../runtime.ts';
import { containerLabels, containerName, type PodNames, podLabels, podName } from './labels.ts';
import { volumeName } from './persistent-volume.ts';

const CPU_PERIOD_US = 100_000;
/** The kernel refuses less than a millisecond in a period. */
const LEAST_QUOTA_US = 1000;
const SHARES_PER_CORE = 1024;
const LEAST_SHARES = 2;
/** What a pod's limit leaves for the infra container beside the containers that have theirs. */
const POD_OVERHEAD_BYTES = 32 * 1024 * 1024;
/** conmon begins a log anew at this size: the kubelet's containerLogMaxSize. */
export const LOG_BYTES = 10 * 1024 * 1024;

interface Limits {
  readonly memoryLimitBytes?: number;
  readonly cpuLimitCores?: number;
  readonly cpuRequestCores?: number;
  readonly pidsLimit?: number;
}

/** Memory without swap, as Kubernetes has it. Source: OCI runtime specification, config-linux.md */
function resources({ memoryLimitBytes, cpuLimitCores, cpuRequestCores, pidsLimit }: Limits): object {
  const cpu = {
    ...(cpuLimitCores === undefined
      ? {}
      : {
          period: CPU_PERIOD_US,
          quota: Math.max(LEAST_QUOTA_US, Math.round(cpuLimitCores * CPU_PERIOD_US)),
        }),
    ...(cpuRequestCores === undefined
      ? {}
      : { shares: Math.max(LEAST_SHARES, Math.round(cpuRequestCores * SHARES_PER_CORE)) }),
  };
  return {
    ...(memoryLimitBytes === undefined
      ? {}
      : { memory: { limit: memoryLimitBytes, swap: memoryLimitBytes } }),
    ...(Object.keys(cpu).length === 0 ? {} : { cpu }),
    ...(pidsLimit === undefined ? {} : { pids: { limit: pidsLimit } }),
  };
}

const HOST = { nsmode: 'host' };

const portMapping = ({ hostPort, containerPort, protocol, hostIp }: HostPort) => ({
  host_port: hostPort,
  container_port: containerPort,
  protocol: protocol.toLowerCase(),
  ...(hostIp === undefined ? {} : { host_ip: hostIp }),
});

/** The body of `POST /pods/create`. */
export function podBody(config: SandboxConfig, agent: string): object {
  const memoryLimitBytes =
    config.memoryLimitBytes === undefined ? undefined : config.memoryLimitBytes + POD_OVERHEAD_BYTES;
  const limits = resources({
    ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
    ...(config.cpuLimitCores === undefined ? {} : { cpuLimitCores: config.cpuLimitCores }),
  });
  return {
    name: podName(config),
    hostname: config.hostname,
    labels: podLabels(agent, config),
    shared_namespaces: [
      // A pod of Podman 4 cannot have the host's: its containers ask for it themselves.
      ...(config.hostIpc ? [] : ['ipc']),
      'net',
      'uts',
      ...(config.shareProcessNamespace || config.hostPid ? ['pid'] : []),
    ],
    // The pod lives as long as we say, not as long as its containers.
    exit_policy: 'continue',
    ...(config.hostNetwork ? { netns: HOST } : {}),
    ...(config.hostPid ? { pidns: HOST } : {}),
    ...(config.hostNetwork || config.hostPorts === undefined || config.hostPorts.length === 0
      ? {}
      : { portmappings: config.hostPorts.map(portMapping) }),
    ...(config.sysctls === undefined ? {} : { sysctl: config.sysctls }),
    ...(Object.keys(limits).length === 0 ? {} : { resource_limits: limits }),
  };
}

/** The body of `POST /containers/create`. Podman restarts nothing and probes nothing: that is the pod worker's. */
export function containerBody(
  config: ContainerConfig,
  pod: PodNames,
  place: {
    readonly podId: string;
    readonly agent: string;
    readonly logPath: string;
    readonly seccompFolder: string;
  },
): object {
  const limits = resources(config);
  return {
    name: containerName(pod, config),
    pod: place.podId,
    ...(pod.hostIpc ? { ipcns: HOST } : {}),
    image: config.image,
    ...words(config),
    ...security(config.security, place.seccompFolder),
    env: Object.fromEntries(config.env),
    labels: containerLabels(place.agent, pod, config),
    restart_policy: 'no',
    health_config: { Test: ['NONE'] },
    log_configuration: { driver: 'k8s-file', path: place.logPath, size: LOG_BYTES },
    mounts: config.mounts
      .filter(({ claim }) => claim === undefined)
      .map(({ source, target, readOnly }) => ({
        type: 'bind',
        source,
        destination: target,
        options: ['rbind', readOnly ? 'ro' : 'rw'],
      })),
    // By name, so that Podman knows of its use, and fills a new one with what the image has there.
    volumes: config.mounts.flatMap(({ claim, target, readOnly }) =>
      claim === undefined
        ? []
        : [{ Name: volumeName(pod.namespace, claim), Dest: target, Options: [readOnly ? 'ro' : 'rw'] }],
    ),
    ...(config.workingDir === undefined ? {} : { work_dir: config.workingDir }),
    ...(config.stopSignal === undefined ? {} : { stop_signal: signalNumber(config.stopSignal) }),
    ...(Object.keys(limits).length === 0 ? {} : { resource_limits: limits }),
  };
}

/** A command takes the place of the image's entrypoint and arguments; arguments alone take that of its arguments. */
function words({ command, imageEntrypoint }: ContainerConfig): object {
  if (imageEntrypoint) return command.length === 0 ? {} : { command };
  return command.length === 0 ? {} : { entrypoint: command };
}

/** What is absent is the image's or Podman's default. */
function security(asked: ContainerSecurity = {}, seccompFolder: string): object {
  const { uid, gid, groups = [], privileged, capabilities, noNewPrivileges, readOnlyRoot, seccomp } = asked;
  const user =
    uid === undefined && gid === undefined ? undefined : `${uid ?? 0}${gid === undefined ? '' : `:${gid}`}`;
  return {
    ...(user === undefined ? {} : { user }),
    ...(groups.length === 0 ? {} : { groups: groups.map(String) }),
    ...(privileged ? { privileged } : {}),
    ...(capabilities === undefined
      ? {}
      : { cap_add: capabilities.add.map(capability), cap_drop: capabilities.drop.map(capability) }),
    ...(noNewPrivileges ? { no_new_privileges: true } : {}),
    ...(readOnlyRoot ? { read_only_filesystem: true } : {}),
    ...(seccomp === undefined
      ? {}
      : { seccomp_profile_path: seccomp === 'none' ? 'unconfined' : join(seccompFolder, seccomp.file) }),
  };
}

/** Kubernetes names them without the kernel's prefix. */
const capability = (name: string) =>
  name === 'ALL' || name.startsWith('CAP_') ? name : `CAP_${name.toUpperCase()}`;
