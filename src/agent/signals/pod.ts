import type { Pod, PodCondition } from '../../model/kubernetes.ts';
import { PROMOTED_POD_LABELS, podSignals } from '../../wire/catalogue/pod.ts';
import type { Point } from '../../wire/catalogue/signal.ts';
import type { PodView } from '../pod/view.ts';
import { measured, ofPod, oneHot, point, unixSeconds } from './point.ts';

const PHASES = ['Pending', 'Succeeded', 'Failed', 'Unknown', 'Running'];
const STATUSES = ['true', 'false', 'unknown'];
const QOS_CLASSES = ['BestEffort', 'Burstable', 'Guaranteed'];
const REASONS = [
  'Evicted',
  'NodeAffinity',
  'NodeLost',
  'PreemptionByScheduler',
  'SchedulingGated',
  'Shutdown',
  'TerminationByKubelet',
  'UnexpectedAdmissionError',
];

/** What kube-state-metrics says about a pod. Behaviour as in its internal/store/pod.go. */
export function podPoints(view: PodView): readonly Point[] {
  const { object: pod } = view;
  const own = ofPod(view);
  const condition = (type: string) => pod.status.conditions.find((entry) => entry.type === type);
  return [
    info(view),
    ...owners(view),
    labels(view),
    ...oneHot(podSignals.phase, own, PHASES, pod.status.phase),
    ...statuses(podSignals.ready, own, condition('Ready')),
    ...statuses(podSignals.scheduled, own, condition('PodScheduled')),
    ...reasons(pod).map((reason) => point(podSignals.reason, own.concat(reason), 1)),
    ...oneHot(podSignals.qosClass, own, QOS_CLASSES, pod.status.qosClass),
    ...measured(podSignals.unschedulable, own, isUnschedulable(condition('PodScheduled')) ? 1 : undefined),
    point(podSignals.restartPolicy, own.concat(pod.spec.restartPolicy ?? 'Always'), 1),
    ...measured(podSignals.created, own, unixSeconds(pod.metadata.creationTimestamp)),
    ...measured(podSignals.startTime, own, unixSeconds(pod.status.startTime)),
    ...measured(podSignals.completionTime, own, completionTime(pod)),
    ...measured(podSignals.deletionTimestamp, own, unixSeconds(pod.metadata.deletionTimestamp)),
    ...measured(podSignals.scheduledTime, own, sinceTrue(condition('PodScheduled'))),
    ...measured(podSignals.initializedTime, own, sinceTrue(condition('Initialized'))),
    ...measured(podSignals.containerReadyTime, own, sinceTrue(condition('ContainersReady'))),
    ...measured(podSignals.readyTime, own, sinceTrue(condition('Ready'))),
  ];
}

function info(view: PodView): Point {
  const { metadata, spec, status } = view.object;
  const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
  return point(
    podSignals.info,
    [
      ...ofPod(view),
      status.hostIP ?? '',
      status.podIP ?? '',
      // The mixin joins on a node that is not empty.
      spec.nodeName ?? view.ref.node,
      controller?.kind ?? '',
      controller?.name ?? '',
      spec.priorityClassName ?? '',
      String(spec.hostNetwork === true),
    ],
    1,
  );
}

function owners(view: PodView): readonly Point[] {
  const references = view.object.metadata.ownerReferences ?? [];
  const rows =
    references.length === 0
      ? [['', '', '']]
      : references.map((owner) => [owner.kind, owner.name, String(owner.controller === true)]);
  return rows.map((row) => point(podSignals.owner, ofPod(view).concat(row), 1));
}

function labels(view: PodView): Point {
  const all = view.object.metadata.labels ?? {};
  const promoted = PROMOTED_POD_LABELS.map((name) => (Object.hasOwn(all, name) ? all[name]! : ''));
  return point(podSignals.labels, ofPod(view).concat(promoted), 1);
}

function statuses(
  signal: (typeof podSignals)['ready'],
  own: readonly string[],
  condition: PodCondition | undefined,
): readonly Point[] {
  return condition ? oneHot(signal, own, STATUSES, condition.status.toLowerCase()) : [];
}

function reasons(pod: Pod): readonly string[] {
  const given = new Set<string | undefined>([
    pod.status.reason,
    ...pod.status.conditions.map((condition) => condition.reason),
    ...(pod.status.containerStatuses ?? []).map((status) => status.state.terminated?.reason),
  ]);
  const known = REASONS.filter((reason) => given.has(reason));
  const other = pod.status.reason && !REASONS.includes(pod.status.reason) ? ['Other'] : [];
  return [...known, ...other];
}

const isUnschedulable = (condition: PodCondition | undefined) =>
  condition?.status === 'False' && condition.reason === 'Unschedulable';

const sinceTrue = (condition: PodCondition | undefined) =>
  condition?.status === 'True' ? unixSeconds(condition.lastTransitionTime) : undefined;

function completionTime(pod: Pod): number | undefined {
  const times = (pod.status.containerStatuses ?? [])
    .map((status) => unixSeconds(status.state.terminated?.finishedAt))
    .filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.max(...times);
}
