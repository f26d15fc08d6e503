import type { PodRecord } from '../pod-record.ts';
import type { SandboxConfig } from '../runtime/runtime.ts';
import { limitsOf } from '../spec/container-config.ts';

/**
 * The pod's shared part. It is limited as a whole only where every container is: the sum of the containers, or the
 * largest init container if that is more. Source: kubernetes/pkg/api/v1/resource/helpers.go, PodLimits
 */
export function sandboxConfig(pod: PodRecord): SandboxConfig {
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
  return {
    podUid: pod.ref.uid,
    namespace: pod.ref.namespace,
    name: pod.ref.name,
    hostname: (pod.spec.hostname ?? pod.ref.name).slice(0, 63).replace(/[-.]+$/, ''),
    hostNetwork: pod.spec.hostNetwork ?? false,
    ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
    ...(cpuLimitCores === undefined ? {} : { cpuLimitCores }),
  };
}
