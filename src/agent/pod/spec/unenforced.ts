import type { Container, PodSpec } from '../../../model/kubernetes.ts';

type Asks = (spec: PodSpec, containers: readonly Container[]) => boolean;

const limit =
  (kind: 'limits' | 'requests', resource: string): Asks =>
  (_spec, containers) =>
    containers.some(({ resources }) => resources?.[kind]?.[resource] !== undefined);

const security =
  (field: 'runAsUser' | 'runAsGroup' | 'seccompProfile'): Asks =>
  (spec, containers) =>
    spec.securityContext?.[field] !== undefined ||
    containers.some(({ securityContext }) => securityContext?.[field] !== undefined);

const anyOf =
  (asks: (container: Container) => unknown): Asks =>
  (_spec, containers) =>
    containers.some((container) => Boolean(asks(container)));

/** Whether a pod asks for a field, by the field's name in `Enforcement.notEnforced`; others are asked for by nobody. */
const ASKED: Readonly<Record<string, Asks>> = {
  'resources.limits': (spec, containers) =>
    limit('limits', 'cpu')(spec, containers) || limit('limits', 'memory')(spec, containers),
  'resources.limits.cpu': limit('limits', 'cpu'),
  'resources.limits.memory': limit('limits', 'memory'),
  'emptyDir.medium: Memory': ({ volumes = [] }) =>
    volumes.some(({ emptyDir }) => emptyDir?.medium === 'Memory'),
  volumeMounts: anyOf(({ volumeMounts = [] }) => volumeMounts.length > 0),
  'securityContext.runAsUser': security('runAsUser'),
  'securityContext.runAsGroup': security('runAsGroup'),
  // What a runtime has without being asked is not asked for.
  'securityContext.seccompProfile': (spec, containers) =>
    [spec.securityContext, ...containers.map((container) => container.securityContext)].some(
      (context) => context?.seccompProfile !== undefined && context.seccompProfile.type !== 'Unconfined',
    ),
  'securityContext.supplementalGroups': ({ securityContext }) =>
    (securityContext?.supplementalGroups ?? []).length > 0,
  'securityContext.capabilities': anyOf(({ securityContext }) => securityContext?.capabilities),
  'securityContext.allowPrivilegeEscalation': anyOf(
    ({ securityContext }) => securityContext?.allowPrivilegeEscalation === false,
  ),
  'securityContext.readOnlyRootFilesystem': anyOf(
    ({ securityContext }) => securityContext?.readOnlyRootFilesystem,
  ),
  'securityContext.sysctls': ({ securityContext }) => (securityContext?.sysctls ?? []).length > 0,
  shareProcessNamespace: (spec) => spec.shareProcessNamespace === true,
  hostAliases: (spec) => (spec.hostAliases ?? []).length > 0,
  dnsPolicy: (spec) => spec.dnsConfig !== undefined || spec.dnsPolicy === 'None',
  hostPort: anyOf(({ ports = [] }) => ports.some(({ hostPort }) => hostPort !== undefined)),
  hostname: (spec) => spec.hostname !== undefined,
};

/** The fields a pod asks for that the runtime does not enforce here. */
export function askedInVain(spec: PodSpec, notEnforced: readonly string[]): readonly string[] {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  return notEnforced.filter((field) => ASKED[field]?.(spec, containers));
}
