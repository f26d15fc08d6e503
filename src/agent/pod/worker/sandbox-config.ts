import type { PodRecord } from '../pod-record.ts';
import type { HostPort, SandboxConfig } from '../runtime/runtime.ts';
import { limitsOf } from '../spec/container-config.ts';
import type { NodeFacts } from '../spec/field-ref.ts';
import { hostnameOf } from '../spec/pod-files.ts';
import { dotted } from '../spec/sysctl-name.ts';
import { memoryVolumes } from '../spec/volumes.ts';

/**
 * The pod's shared part. It is limited as a whole only where every container is: the sum of the containers, or the
 * largest init container if that is more. Source: kubernetes/pkg/api/v1/resource/helpers.go, PodLimits
 */
export function sandboxConfig(pod: PodRecord, podDirectory: string, node: NodeFacts): SandboxConfig {
  const apps = pod.spec.containers.map(limitsOf);
  const inits = (pod.spec.initContainers ?? []).map(limitsOf);
  const total = (pick: (limits: ReturnType<typeof limitsOf>) => number | undefined) => {
    const each = [...apps, ...inits].map(pick);
    if (each.includes(undefined)) return undefined;
    const sum = apps.reduce((so, limits) => so + pick(limits)!, 0);
    return Math.max(sum, ...inits.map((limits) => pick(limits)!));
  };
  const memoryLimitBytes = total((limits) => limits.memoryLimitBytes);
  const cpuLimitCores = total((limits) => limits.cpuLimitCores);
  const { hostNetwork = false, hostPID, hostIPC, shareProcessNamespace } = pod.spec;
  const memory = memoryVolumes(pod, podDirectory, memoryLimitBytes);
  const sysctls = pod.spec.securityContext?.sysctls ?? [];
  const ports = hostNetwork ? [] : hostPorts(pod);
  return {
    podUid: pod.ref.uid,
    namespace: pod.ref.namespace,
    name: pod.ref.name,
    hostname: hostnameOf(pod, node),
    hostNetwork,
    ...(hostPID ? { hostPid: true } : {}),
    ...(hostIPC ? { hostIpc: true } : {}),
    ...(shareProcessNamespace ? { shareProcessNamespace: true } : {}),
    ...(sysctls.length === 0
      ? {}
      : { sysctls: Object.fromEntries(sysctls.map(({ name, value }) => [dotted(name), value])) }),
    ...(memory.length === 0 ? {} : { memoryVolumes: memory }),
    ...(ports.length === 0 ? {} : { hostPorts: ports }),
    ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
    ...(cpuLimitCores === undefined ? {} : { cpuLimitCores }),
  };
}

function hostPorts(pod: PodRecord): readonly HostPort[] {
  const ports = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].flatMap(
    (container) => container.ports ?? [],
  );
  return ports.flatMap(({ containerPort, hostPort, hostIP, protocol }) =>
    hostPort === undefined || protocol === 'SCTP'
      ? []
      : [
          {
            hostPort,
            containerPort,
            protocol: protocol === 'UDP' ? 'UDP' : 'TCP',
            ...(hostIP === undefined || hostIP === '' ? {} : { hostIp: hostIP }),
          },
        ],
  );
}
