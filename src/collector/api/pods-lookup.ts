import type { Pod } from '../../model/kubernetes.ts';
import type { PodState } from '../../model/record.ts';
import { CodedError } from '../../util/coded-error.ts';
import type { EventLog } from '../storage/storage.ts';
import { nearNames } from './pods-near-names.ts';

/** As many as a store returns at once. */
export const MOST_PODS = 10_000;

/** The pod of this name: the living one, else the one deleted last. */
export function newestPod(log: EventLog, namespace: string, name: string): PodState | undefined {
  return [...log.pods({ namespace, pod: name, deleted: true, limit: 100 })].sort(
    (a, b) => Number(a.deleted) - Number(b.deleted) || b.at - a.at,
  )[0];
}

/**
 * A 404 that names what may have been meant, in this namespace or another. Where only a pod will do, a workload's name
 * gives the names of its pods, living ones first.
 */
export function podNotFound(
  log: EventLog,
  namespace: string,
  name: string,
  what: 'pod' | 'pod or workload' = 'pod',
): CodedError {
  const states = [...log.pods({ deleted: true, limit: MOST_PODS })].sort(
    (a, b) => Number(a.deleted) - Number(b.deleted) || b.at - a.at,
  );
  const podsOf = (one: string) =>
    states
      .filter(({ pod }) => `${pod.namespace}/${pod.workload}` === one)
      .map(({ pod }) => `${pod.namespace}/${pod.name}`);
  const elsewhere = states
    .filter(({ pod }) => pod.name === name || pod.workload === name)
    .sort((a, b) => Number(b.pod.namespace === namespace) - Number(a.pod.namespace === namespace))
    .map(({ pod }) => `${pod.namespace}/${name}`);
  const near = nearNames(
    `${namespace}/${name}`,
    states.flatMap(({ pod }) => [`${pod.namespace}/${pod.workload}`, `${pod.namespace}/${pod.name}`]),
  );
  const named = [...elsewhere, ...near].flatMap((one) => {
    const pods = what === 'pod' ? podsOf(one) : [];
    return pods.length > 0 ? pods : [one];
  });
  const meant = [...new Set(named)].slice(0, 5);
  return new CodedError(
    'POD_NOT_FOUND',
    `${what} "${namespace}/${name}" not found; ${meant.length > 0 ? `near: ${meant.join(', ')}` : 'podvitals get pods -A shows what there is'}`,
    { status: 404 },
  );
}

/** The name of the pod's owner of that kind (`job`); undefined when it has none. */
export const ownerOf = ({ metadata }: Pod, kind: string): string | undefined =>
  metadata.ownerReferences?.find((owner) => owner.kind.toLowerCase() === kind)?.name;

/** A 404 that names what of that kind (`job`) may have been meant, in this namespace or another. */
export function workloadNotFound(log: EventLog, namespace: string, name: string, kind: string): CodedError {
  const places = [
    ...log
      .workloads({ limit: MOST_PODS })
      .filter(({ object, deleted }) => !deleted && object.kind.toLowerCase() === kind)
      .map(({ object: { metadata } }) => [metadata.namespace, metadata.name] as const),
    ...log.pods({ deleted: true, limit: MOST_PODS }).flatMap(({ pod, object }) => {
      const own = pod.workloadType === kind ? pod.workload : ownerOf(object, kind);
      return own === undefined ? [] : [[pod.namespace, own] as const];
    }),
  ];
  const near = [
    ...places.filter(([, one]) => one === name).map((place) => place.join('/')),
    ...nearNames(
      `${namespace}/${name}`,
      places.map((place) => place.join('/')),
    ),
  ];
  const meant = [...new Set(near)].slice(0, 5).map((place) => `${kind}/${place}`);
  return new CodedError(
    'POD_NOT_FOUND',
    `${kind} "${namespace}/${name}" not found; ${meant.length > 0 ? `near: ${meant.join(', ')}` : `podvitals get ${kind}s -A shows what there is`}`,
    { status: 404 },
  );
}
