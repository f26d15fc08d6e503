import type { PodEvent } from '../../model/event.ts';
import type { Container, ContainerStatus, Pod } from '../../model/kubernetes.ts';
import type { Life, ProbeResult } from '../../model/life.ts';
import type { PodView } from '../pod/view.ts';

/** All that is known about a pod now: the only input of its diagnosis. */
export interface PodEvidence {
  readonly view: PodView;
  /** Ended lives of all its containers, oldest first. */
  readonly lives: readonly Life[];
  /** Ended lives of the other pods of its workload; looked up where one of its own ended for want of another. */
  readonly siblings?: readonly Life[];
  /** Its recent events, oldest first. */
  readonly events: readonly PodEvent[];
  /** Last probe results of each container that runs, oldest first, by container. */
  readonly probes: ReadonlyMap<string, readonly ProbeResult[]>;
  /** Share of CPU periods each container that runs was throttled in lately, 0 to 1, by container. */
  readonly throttled?: ReadonlyMap<string, number>;
  /** What went wrong in the pod's network since each container that runs was started, by container. */
  readonly networkErrors?: ReadonlyMap<
    string,
    { readonly failedConnects: number; readonly retransmitTimeouts: number }
  >;
  /** Ports something in the pod listens on now; absent: not known (yet). */
  readonly listening?: Life['listening'];
  readonly now: number;
}

const OF_DEPENDENCIES: readonly string[] = ['DependencyRefused', 'DependencyTimeout', 'DnsFailure'];

/** It ended because it could not reach another. */
export const isDependencyDeath = ({ verdict }: Life): boolean => OF_DEPENDENCIES.includes(verdict.cause);

export interface ContainerNow {
  readonly name: string;
  readonly init: boolean;
  readonly spec: Container;
  readonly status?: ContainerStatus;
}

/** Init containers first, in the order of the spec. */
export function containersOf({ view: { object } }: PodEvidence): readonly ContainerNow[] {
  const known = containersNow.get(object);
  if (known) return known;
  const found = findContainers(object);
  containersNow.set(object, found);
  return found;
}

/** Every rule asks, and of a pod that has not changed again and again. */
const containersNow = new WeakMap<Pod, readonly ContainerNow[]>();

function findContainers({ spec, status }: Pod): readonly ContainerNow[] {
  const now = (init: boolean, containers: readonly Container[], statuses: readonly ContainerStatus[]) =>
    containers.map((container) => {
      const found = statuses.find(({ name }) => name === container.name);
      return { name: container.name, init, spec: container, ...(found ? { status: found } : {}) };
    });
  return [
    ...now(true, spec.initContainers ?? [], status.initContainerStatuses ?? []),
    ...now(false, spec.containers, status.containerStatuses ?? []),
  ];
}

/** The newest event of one of these reasons, of one container where it is given. */
export function lastEvent(
  { events }: PodEvidence,
  reasons: readonly string[],
  container?: string,
): PodEvent | undefined {
  return events.findLast(
    (event) => reasons.includes(event.reason) && (container === undefined || event.container === container),
  );
}

export const isReady = ({ view: { object } }: PodEvidence): boolean =>
  object.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
