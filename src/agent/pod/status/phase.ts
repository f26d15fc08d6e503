import type { PodPhase } from '../../../model/kubernetes.ts';
import { type ContainerRecord, isRunning, type PodRecord } from '../pod-record.ts';

export const restartPolicyOf = (pod: PodRecord) => pod.spec.restartPolicy ?? 'Always';

export const isTerminal = (phase: PodPhase) => phase === 'Succeeded' || phase === 'Failed';

/** Init containers that keep running beside the others (`restartPolicy: Always`). */
export function isSidecar(pod: PodRecord, container: ContainerRecord): boolean {
  return (
    container.init &&
    (pod.spec.initContainers ?? []).some(
      ({ name, restartPolicy }) => name === container.name && restartPolicy === 'Always',
    )
  );
}

/** An init container that has done its part: ended well, or, as a sidecar, has started. */
export function isInitialized(pod: PodRecord, container: ContainerRecord): boolean {
  if (isSidecar(pod, container)) return container.started;
  return container.life?.end?.exitCode === 0 && !container.rerun;
}

const lastExit = (container: ContainerRecord) => container.life?.end?.exitCode;

/**
 * The phase of a pod, from its containers alone. Source: kubernetes/pkg/kubelet/kubelet_pods.go, getPhase
 */
export function podPhase(pod: PodRecord): PodPhase {
  if (pod.failure) return 'Failed';
  if (pod.stopped) return 'Succeeded';
  const waits = pod.heldDown || pod.containers.some((container) => container.rerun && !container.init);
  if (waits) return pod.phase;
  const policy = restartPolicyOf(pod);
  const inits = pod.containers.filter((container) => container.init);
  const pending = inits.filter((container) => !isInitialized(pod, container));
  const apps = pod.containers.filter((container) => !container.init);
  // Once the containers have run, a sidecar that is down does not take the pod back to Pending.
  const begun = apps.some((container) => container.life !== undefined);
  const blocking = begun ? pending.filter((container) => !isSidecar(pod, container)) : pending;
  if (blocking.length > 0) {
    const failed = blocking.some((container) => !isRunning(container) && (lastExit(container) ?? 0) !== 0);
    return failed && policy === 'Never' ? 'Failed' : 'Pending';
  }
  const isStarting = ({ life }: ContainerRecord) =>
    life === undefined || (life.attempt === 0 && life.postStart === 'running');
  if (apps.some(isStarting)) return 'Pending';
  if (apps.some(isRunning)) return 'Running';
  if (policy === 'Always') return 'Running';
  if (apps.every((container) => lastExit(container) === 0)) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
}
