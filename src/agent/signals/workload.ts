import type { HistogramPoint, Point } from '../../wire/catalogue/signal.ts';
import { workloadSignals } from '../../wire/catalogue/workload.ts';
import type { WorkloadView } from '../pod/view.ts';
import { point, unixSeconds } from './point.ts';

/** A workload's counters, and what it belongs to. */
export function workloadPoints(view: WorkloadView): readonly Point[] {
  const own = [view.namespace, view.name, view.type];
  const seconds = unixSeconds(view.object?.metadata.creationTimestamp);
  const since = seconds === undefined ? undefined : seconds * 1000;
  const { team = '', tier = '' } = view.podLabels;
  return [
    point(workloadSignals.info, own.concat(view.service, team, tier), 1),
    point(workloadSignals.desiredPods, own, view.desired),
    point(workloadSignals.readyPods, own, view.ready),
    point(workloadSignals.desiredPodSeconds, own, view.desiredPodSeconds, since),
    point(workloadSignals.readyPodSeconds, own, view.readyPodSeconds, since),
    point(workloadSignals.podSeconds, own, view.podSeconds, since),
    point(workloadSignals.restarts, own.concat('container'), view.restarts, since),
    point(workloadSignals.restarts, own.concat('init_container'), view.initRestarts, since),
    point(workloadSignals.crashLoops, own, view.crashLoops, since),
    point(workloadSignals.starts, own, view.starts.judged, since),
    point(workloadSignals.slowStarts, own, view.starts.slow, since),
    startup(own, view.startup, since),
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
