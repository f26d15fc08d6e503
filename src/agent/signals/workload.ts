import type { HistogramPoint, Point } from '../../wire/catalogue/signal.ts';
import { workloadSignals } from '../../wire/catalogue/workload.ts';
import { deploymentSignals } from '../../wire/catalogue/workload-object.ts';
import type { WorkloadView } from '../pod/view.ts';
import { measured, point, unixSeconds } from './point.ts';

/** A workload's counters, and what kube-state-metrics says about its Deployment. */
export function workloadPoints(view: WorkloadView): readonly Point[] {
  const own = [view.namespace, view.name, view.type];
  const seconds = unixSeconds(view.object?.metadata.creationTimestamp);
  const since = seconds === undefined ? undefined : seconds * 1000;
  return [
    point(workloadSignals.desiredPods, own, view.desired),
    point(workloadSignals.readyPods, own, view.ready),
    point(workloadSignals.desiredPodSeconds, own, view.desiredPodSeconds, since),
    point(workloadSignals.readyPodSeconds, own, view.readyPodSeconds, since),
    point(workloadSignals.podSeconds, own, view.podSeconds, since),
    point(workloadSignals.restarts, [...own, 'container'], view.restarts, since),
    point(workloadSignals.restarts, [...own, 'init_container'], view.initRestarts, since),
    point(workloadSignals.crashLoops, own, view.crashLoops, since),
    point(workloadSignals.starts, own, view.starts.judged, since),
    point(workloadSignals.slowStarts, own, view.starts.slow, since),
    startup(own, view.startup, since),
    ...deployment(view),
  ];
}

function startup(own: readonly string[], seen: WorkloadView['startup'], since?: number): HistogramPoint {
  return {
    signal: workloadSignals.startup,
    labels: own,
    buckets: seen.counts,
    sum: seen.sum,
    count: seen.count,
    ...(since === undefined ? {} : { startMs: since }),
  };
}

function deployment({ object }: WorkloadView): readonly Point[] {
  if (object?.kind !== 'Deployment') return [];
  const { metadata, spec, status } = object;
  const own = [metadata.namespace, metadata.name];
  return [
    ...measured(deploymentSignals.created, own, unixSeconds(metadata.creationTimestamp)),
    point(deploymentSignals.specReplicas, own, spec.replicas),
    point(deploymentSignals.replicas, own, status.replicas),
    point(deploymentSignals.ready, own, status.readyReplicas),
    point(deploymentSignals.available, own, status.availableReplicas),
    point(deploymentSignals.unavailable, own, status.unavailableReplicas),
    point(deploymentSignals.updated, own, status.updatedReplicas),
    point(deploymentSignals.observedGeneration, own, status.observedGeneration),
    ...measured(deploymentSignals.generation, own, metadata.generation),
  ];
}
