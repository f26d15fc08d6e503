import type { Container } from '../../../model/kubernetes.ts';
import { CodedError } from '../../../util/coded-error.ts';
import type { PodRecord } from '../pod-record.ts';
import type { ContainerSecurity } from '../runtime/runtime.ts';

/**
 * What a container's processes may do: its own context, else the pod's.
 * Source: kubernetes/pkg/securitycontext/util.go, DetermineEffectiveSecurityContext
 */
export function containerSecurity(container: Container, pod: PodRecord): ContainerSecurity | undefined {
  const [own, shared] = [container.securityContext ?? {}, pod.spec.securityContext ?? {}];
  const groups = [
    ...(shared.supplementalGroups ?? []),
    ...(shared.fsGroup === undefined ? [] : [shared.fsGroup]),
  ];
  const uid = own.runAsUser ?? shared.runAsUser;
  const gid = own.runAsGroup ?? shared.runAsGroup;
  const { add = [], drop = [] } = own.capabilities ?? {};
  const profile = own.seccompProfile ?? shared.seccompProfile;
  const security: ContainerSecurity = {
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    ...(groups.length === 0 ? {} : { groups }),
    ...(own.privileged ? { privileged: true } : {}),
    ...(add.length + drop.length === 0 ? {} : { capabilities: { add, drop } }),
    ...(own.allowPrivilegeEscalation === false && !own.privileged ? { noNewPrivileges: true } : {}),
    ...(own.readOnlyRootFilesystem ? { readOnlyRoot: true } : {}),
    ...(profile?.type === 'Unconfined' ? { seccomp: 'none' } : {}),
    ...(profile?.localhostProfile === undefined ? {} : { seccomp: { file: profile.localhostProfile } }),
  };
  return Object.keys(security).length === 0 ? undefined : security;
}

/**
 * Refuses a container that must not run as root and would. `imageUser`: whom it runs as when the manifest names
 * none; undefined: not known, so not refused.
 *
 * @throws CodedError `CreateContainerConfigError` in the kubelet's words.
 * Source: kubernetes/pkg/kubelet/kuberuntime/security_context_others.go, verifyRunAsNonRoot
 */
export function checkNonRoot(
  container: Container,
  pod: PodRecord,
  imageUser: number | string | undefined,
): void {
  const [own, shared] = [container.securityContext ?? {}, pod.spec.securityContext ?? {}];
  if (!(own.runAsNonRoot ?? shared.runAsNonRoot)) return;
  const { name, namespace, uid } = pod.ref;
  const where = `(pod: "${name}_${namespace}(${uid})", container: ${container.name})`;
  const asked = own.runAsUser ?? shared.runAsUser;
  if (asked === 0) throw refusal(`container's runAsUser breaks non-root policy ${where}`);
  if (asked !== undefined) return;
  if (imageUser === 0) throw refusal(`container has runAsNonRoot and image will run as root ${where}`);
  if (typeof imageUser !== 'string') return;
  throw refusal(
    `container has runAsNonRoot and image has non-numeric user (${imageUser}), cannot verify user is non-root ${where}`,
  );
}

const refusal = (message: string) => new CodedError('CreateContainerConfigError', message);
