import type { ContainerState, ContainerStatus } from '../../../model/kubernetes.ts';
import { apiTime, type ContainerRecord, type PodRecord } from '../pod-record.ts';
import { isTerminal, restartPolicyOf } from './phase.ts';

/**
 * A container as `kubectl get pod -o yaml` shows it. While it waits to be started again, `state` says why it waits
 * and `lastState` how it died. Source: kubernetes/pkg/kubelet/kubelet_pods.go, convertToAPIContainerStatuses
 */
export function containerStatus(pod: PodRecord, container: ContainerRecord): ContainerStatus {
  const { life } = container;
  const { state, lastState } = states(pod, container);
  return {
    ...(life === undefined || life.id === '' ? {} : { containerID: life.id }),
    image: container.config.image,
    imageID: container.image.id ?? '',
    lastState,
    name: container.name,
    ready: container.ready,
    restartCount: life?.attempt ?? 0,
    started: container.started,
    state,
    // Source: kubernetes/pkg/kubelet/kubelet_pods.go; keps/sig-node/4960-container-stop-signals
    ...(life?.stopSignal && { stopSignal: life.stopSignal }),
  };
}

function states(
  pod: PodRecord,
  container: ContainerRecord,
): { readonly state: ContainerState; readonly lastState: ContainerState } {
  const { life, previous, waiting } = container;
  const before = previous === undefined ? {} : { terminated: previous };
  if (life === undefined) return { state: { waiting: waiting ?? notStarted(pod) }, lastState: {} };
  // Source: kubernetes.io/docs/concepts/containers/container-lifecycle-hooks: not running before postStart has ended.
  if (life.postStart === 'running' && life.end === undefined) {
    return { state: { waiting: notStarted(pod) }, lastState: before };
  }
  if (life.end === undefined) {
    return { state: { running: { startedAt: apiTime(life.startedAt) } }, lastState: before };
  }
  if (waiting !== undefined && !pod.deletion && !isTerminal(pod.phase)) {
    return { state: { waiting }, lastState: { terminated: life.end } };
  }
  return { state: { terminated: life.end }, lastState: before };
}

/** Source: kubelet_pods.go: the default waiting reason depends on whether there are init containers. */
function notStarted(pod: PodRecord) {
  return { reason: (pod.spec.initContainers ?? []).length > 0 ? 'PodInitializing' : 'ContainerCreating' };
}

/** Whether a dead container is to be started again. Source: kubernetes/pkg/kubelet/container/helpers.go */
export function wantsRestart(pod: PodRecord, container: ContainerRecord, sidecar: boolean): boolean {
  const exitCode = container.life?.end?.exitCode;
  if (exitCode === undefined) return container.life === undefined;
  const policy = restartPolicyOf(pod);
  if (sidecar || container.rerun) return true;
  if (container.init) return exitCode !== 0 && policy !== 'Never';
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}
