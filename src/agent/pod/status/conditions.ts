import type { PodCondition, PodPhase } from '../../../model/kubernetes.ts';
import { apiTime, type PodRecord } from '../pod-record.ts';
import { isInitialized, isSidecar, isTerminal } from './phase.ts';

type Judgement = Pick<PodCondition, 'status' | 'reason' | 'message'>;

const TRUE: Judgement = { status: 'True' };

/**
 * The conditions of a pod, in kubectl's order; a condition keeps its `lastTransitionTime` while its status
 * stays. Source: kubernetes/pkg/kubelet/status/generate.go
 */
export function podConditions(pod: PodRecord, phase: PodPhase, now: number): readonly PodCondition[] {
  const containersReady = judgeContainersReady(pod, phase);
  const judged: readonly (readonly [type: string, Judgement])[] = [
    ['PodReadyToStartContainers', pod.sandbox && !isTerminal(phase) ? TRUE : { status: 'False' }],
    ['Initialized', judgeInitialized(pod, phase)],
    ['Ready', containersReady],
    ['ContainersReady', containersReady],
    ['PodScheduled', judgeScheduled(pod)],
    ...(pod.disruption ? [['DisruptionTarget', { status: 'True', ...pod.disruption }] as const] : []),
  ];
  return judged.map(([type, judgement]) => {
    const before = pod.conditions.find((condition) => condition.type === type);
    const kept = before?.status === judgement.status ? before.lastTransitionTime : apiTime(now);
    return { type, ...judgement, lastProbeTime: null, lastTransitionTime: kept };
  });
}

function judgeScheduled({ startup, unschedulable }: PodRecord): Judgement {
  if (startup.scheduledAt !== undefined) return TRUE;
  return { status: 'False', reason: 'Unschedulable', message: unschedulable?.message ?? 'not looked at yet' };
}

function judgeContainersReady(pod: PodRecord, phase: PodPhase): Judgement {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const unready = pod.containers
    .filter((container) => (container.init ? isSidecar(pod, container) : true) && !container.ready)
    .map((container) => container.name);
  if (unready.length === 0) return TRUE;
  return {
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.join(' ')}]`,
  };
}

function judgeInitialized(pod: PodRecord, phase: PodPhase): Judgement {
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' };
  // Once past initialization, a sidecar that is down does not undo it.
  const begun = pod.startup.initializedAt !== undefined;
  const incomplete = pod.containers
    .filter((container) => container.init && !isInitialized(pod, container))
    .filter((container) => !(begun && isSidecar(pod, container)))
    .map((container) => container.name);
  if (incomplete.length === 0) return TRUE;
  return {
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${incomplete.join(' ')}]`,
  };
}
