import type { ProbeKind } from '../../model/life.ts';
import { lifeSignals, proberSignals } from '../../wire/catalogue/life.ts';
import type { Point } from '../../wire/catalogue/signal.ts';
import type { ContainerView, PodView } from '../pod/view.ts';
import type { ContainerUsage } from '../stats/usage.ts';
import { measured, ofPod, point } from './point.ts';

/** Reasons whose series exist from the container's creation, so that the first death already is an increase. */
const REASONS_FROM_CREATION = ['Completed', 'Error', 'OOMKilled', 'StartError'];
const PROBE_TYPES: Readonly<Record<ProbeKind, string>> = {
  liveness: 'Liveness',
  readiness: 'Readiness',
  startup: 'Startup',
};

/** Counters over all lives of a container. `usage` is that of its present life. */
export function lifePoints(
  view: PodView,
  container: ContainerView,
  usage: ContainerUsage | undefined,
): readonly Point[] {
  const own = ofPod(view).concat(container.name);
  const typed = own.concat(container.init ? 'init_container' : 'container');
  const since = view.startup.createdAt;
  return [
    ...deaths(container, typed, since),
    point(lifeSignals.crashLoops, typed, container.crashLoops, since),
    ...measured(lifeSignals.oomKills, own, oomKills(container, usage), since),
    ...measured(
      lifeSignals.backOff,
      own,
      container.backOff === undefined ? undefined : container.backOff.delayMs / 1000,
    ),
    point(lifeSignals.backOffTotal, own, container.backOffMs / 1000, since),
    ...probes(view, container),
  ];
}

function deaths(container: ContainerView, typed: readonly string[], since: number): readonly Point[] {
  const reasons = new Set([...REASONS_FROM_CREATION, ...Object.keys(container.deaths)]);
  return [
    ...[...reasons].map((reason) =>
      point(lifeSignals.deaths, typed.concat(reason, 'false'), container.deaths[reason] ?? 0, since),
    ),
    ...Object.entries(container.requestedDeaths).map(([reason, count]) =>
      point(lifeSignals.deaths, typed.concat(reason, 'true'), count, since),
    ),
  ];
}

/** Absent while the present life cannot be read: a sum without it would look like a counter that started anew. */
function oomKills(container: ContainerView, usage: ContainerUsage | undefined): number | undefined {
  if (!container.running) return container.oomKills;
  return usage?.oomKills === undefined ? undefined : container.oomKills + usage.oomKills;
}

function probes(view: PodView, container: ContainerView): readonly Point[] {
  const { namespace, name, uid } = view.ref;
  return Object.entries(container.probes).flatMap(([kind, counts]) =>
    (['succeeded', 'failed'] as const).map((outcome) =>
      point(
        proberSignals.probes,
        [
          PROBE_TYPES[kind as ProbeKind],
          outcome === 'failed' ? 'failed' : 'successful',
          container.name,
          name,
          namespace,
          uid,
        ],
        counts[outcome],
        view.startup.createdAt,
      ),
    ),
  );
}
