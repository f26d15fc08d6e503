import type { Container, ContainerStatus } from '../../model/kubernetes.ts';
import {
  containerLimits,
  containerRequests,
  containerStatusSignals,
  initContainerLimits,
  initContainerRequests,
  initContainerStatusSignals,
} from '../../wire/catalogue/container-status.ts';
import type { Point } from '../../wire/catalogue/signal.ts';
import { parseBytes, parseQuantity } from '../pod/spec/quantity.ts';
import type { PodView } from '../pod/view.ts';
import { measured, ofPod, point, unixSeconds } from './point.ts';

const RESOURCES = [
  { key: 'cpu', name: 'cpu', parse: parseQuantity },
  { key: 'memory', name: 'memory', parse: parseBytes },
  { key: 'ephemeralStorage', name: 'ephemeral-storage', parse: parseBytes },
] as const;

interface Tables {
  readonly status: typeof containerStatusSignals | typeof initContainerStatusSignals;
  readonly requests: typeof containerRequests;
  readonly limits: typeof containerLimits;
}

const CONTAINERS: Tables = {
  status: containerStatusSignals,
  requests: containerRequests,
  limits: containerLimits,
};
const INIT_CONTAINERS: Tables = {
  status: initContainerStatusSignals,
  requests: initContainerRequests,
  limits: initContainerLimits,
};

/** What kube-state-metrics says about a pod's containers; init containers have families of their own. */
export function containerStatusPoints(view: PodView): readonly Point[] {
  const { spec, status } = view.object;
  return [
    ...(spec.containers ?? []).flatMap((container) => resources(CONTAINERS, view, container)),
    ...(spec.initContainers ?? []).flatMap((container) => resources(INIT_CONTAINERS, view, container)),
    ...(status.containerStatuses ?? []).flatMap((entry) => [
      ...info(CONTAINERS, view, entry, spec.containers),
      ...statusOf(CONTAINERS, view, entry),
    ]),
    ...(status.initContainerStatuses ?? []).flatMap((entry) => [
      ...info(INIT_CONTAINERS, view, entry, spec.initContainers ?? []),
      ...statusOf(INIT_CONTAINERS, view, entry),
    ]),
  ];
}

function info(
  tables: Tables,
  view: PodView,
  status: ContainerStatus,
  specs: readonly Container[],
): readonly Point[] {
  const container = specs.find((candidate) => candidate.name === status.name);
  if (!container) return [];
  const values = [container.image ?? '', status.image, status.imageID, status.containerID ?? ''];
  const policy = tables === INIT_CONTAINERS ? [container.restartPolicy ?? ''] : [];
  return [point(tables.status.info, ofPod(view).concat(status.name, values, policy), 1)];
}

function statusOf({ status: signals }: Tables, view: PodView, status: ContainerStatus): readonly Point[] {
  const own = ofPod(view).concat(status.name);
  const { waiting, running, terminated } = status.state;
  const last = status.lastState.terminated;
  const flag = (held: unknown) => (held ? 1 : 0);
  return [
    point(signals.waiting, own, flag(waiting)),
    point(signals.running, own, flag(running)),
    point(signals.terminated, own, flag(terminated)),
    point(signals.ready, own, flag(status.ready)),
    point(signals.restarts, own, status.restartCount, view.startup.createdAt),
    ...(waiting ? [point(signals.waitingReason, [...own, waiting.reason], 1)] : []),
    ...(terminated ? [point(signals.terminatedReason, [...own, terminated.reason], 1)] : []),
    ...(last ? [point(signals.lastTerminatedReason, [...own, last.reason], 1)] : []),
    ...measured(signals.lastTerminatedExitCode, own, last?.exitCode),
    ...measured(signals.lastTerminatedTimestamp, own, unixSeconds(last?.finishedAt)),
    ...measured(signals.started, own, unixSeconds(running?.startedAt ?? terminated?.startedAt)),
  ];
}

function resources(tables: Tables, view: PodView, container: Container): readonly Point[] {
  const own = ofPod(view).concat(container.name, view.object.spec.nodeName ?? view.ref.node);
  const { requests = {}, limits = {} } = container.resources ?? {};
  return RESOURCES.flatMap(({ key, name, parse }) => {
    const limit = limits[name];
    // The API server fills in a request that is left out with the limit.
    const request = requests[name] ?? limit;
    return [
      ...measured(tables.requests[key], own, request === undefined ? undefined : parse(request)),
      ...measured(tables.limits[key], own, limit === undefined ? undefined : parse(limit)),
    ];
  });
}
