import { selects } from '../agent/pod/workload/selector.ts';
import type { LabelSelector, Pod } from '../model/kubernetes.ts';
import type { KubernetesObject } from '../model/kubernetes-object.ts';
import type { Service } from '../model/kubernetes-service.ts';
import { CodedError } from '../util/coded-error.ts';
import { askAgent, type Connection } from './client.ts';
import { type CommonFlags, parseName } from './program.ts';
import { collectionPath, findResourceKind, objectPath, resourceKind } from './resource-kind.ts';

/**
 * The pod that `NAME`, `NAMESPACE/NAME` or `KIND/NAME` means: of a workload or Service the one that can serve best.
 *
 * @throws CodedError `NOT_FOUND`, `NO_PODS`.
 */
export async function podOf(connection: Connection, text: string, flags: CommonFlags): Promise<Pod> {
  const [word = '', ...rest] = text.split('/');
  const kind = rest.length > 0 ? findResourceKind(word) : undefined;
  if (kind === undefined || kind.kind === 'Pod') return findPod(connection, parseName(text, flags));
  const { namespace, name } = parseName(rest.join('/'), flags);
  const object = await askAgent<KubernetesObject>(connection, 'GET', objectPath(kind, namespace, name));
  const selector = selectorOf(object);
  const path = collectionPath(resourceKind('pods'), namespace);
  const { items } = await askAgent<{ items: readonly Pod[] }>(connection, 'GET', path);
  const chosen =
    selector && choosePod(items.filter(({ metadata }) => selects(selector, metadata.labels ?? {})));
  if (chosen) return chosen;
  throw new CodedError(
    'NO_PODS',
    `${kind.kind.toLowerCase()} ${namespace}/${name} has no pods; see: podvitals describe ${kind.names[1]} ${name} -n ${namespace}`,
    { status: 404 },
  );
}

/** The Service that `service/NAME` means; undefined for other words. */
export async function serviceOf(
  connection: Connection,
  text: string,
  flags: CommonFlags,
): Promise<Service | undefined> {
  const [word = '', ...rest] = text.split('/');
  const kind = rest.length > 0 ? findResourceKind(word) : undefined;
  if (kind?.kind !== 'Service') return undefined;
  const { namespace, name } = parseName(rest.join('/'), flags);
  return askAgent<Service>(connection, 'GET', objectPath(kind, namespace, name));
}

/** Undefined for what has no pods. */
function selectorOf(object: KubernetesObject): LabelSelector | undefined {
  switch (object.kind) {
    case 'Deployment':
    case 'ReplicaSet':
    case 'StatefulSet':
    case 'DaemonSet':
      return object.spec.selector;
    case 'Job':
      return { matchLabels: { 'batch.kubernetes.io/controller-uid': object.metadata.uid } };
    case 'Service':
      return object.spec.selector === undefined ? undefined : { matchLabels: object.spec.selector };
    default:
      return undefined;
  }
}

const PHASES = ['Running', 'Unknown', 'Pending'];

/**
 * The pod most able to serve: one that has a node before one that waits, that runs, is ready, and has been for longest,
 * has restarted least, is oldest. Undefined for none.
 * Source: kubectl/pkg/util/podutils, ActivePods; polymorphichelpers/attachablepodforobject.go
 */
export function choosePod(pods: readonly Pod[]): Pod | undefined {
  const rank = (pod: Pod): readonly (number | string)[] => {
    const { phase, conditions, containerStatuses = [] } = pod.status;
    const ready = conditions.find(({ type }) => type === 'Ready');
    const isReady = ready?.status === 'True' && !pod.metadata.deletionTimestamp;
    const place = PHASES.indexOf(phase);
    return [
      pod.spec.nodeName === undefined ? 1 : 0,
      place < 0 ? PHASES.length : place,
      isReady ? 0 : 1,
      isReady ? (ready.lastTransitionTime ?? '') : '',
      Math.max(0, ...containerStatuses.map(({ restartCount }) => restartCount)),
      pod.metadata.creationTimestamp,
      pod.metadata.name,
    ];
  };
  const compare = (a: Pod, b: Pod) => {
    const [left, right] = [rank(a), rank(b)];
    const at = left.findIndex((value, index) => value !== right[index]);
    return at < 0 ? 0 : left[at]! < right[at]! ? -1 : 1;
  };
  return [...pods].sort(compare)[0];
}

/** The pod of this name, or the only pod of the workload of this name. */
export async function findPod(
  connection: Connection,
  target: { readonly namespace: string; readonly name: string },
): Promise<Pod> {
  const { items } = await askAgent<{ items: readonly KubernetesObject[] }>(connection, 'GET', '/api/v1/pods');
  const pods = (items as readonly Pod[]).filter((pod) => pod.metadata.namespace === target.namespace);
  const exact = pods.find((pod) => pod.metadata.name === target.name);
  if (exact) return exact;
  const owned = pods.filter((pod) => pod.metadata.name.replace(/-[a-z0-9]+-[a-z0-9]+$/, '') === target.name);
  if (owned.length === 1) return owned[0]!;
  const names = (owned.length > 1 ? owned : pods).map(
    (pod) => `${pod.metadata.namespace}/${pod.metadata.name}`,
  );
  const elsewhere = (items as readonly Pod[])
    .filter((pod) => pod.metadata.name.startsWith(target.name))
    .map((pod) => `${pod.metadata.namespace}/${pod.metadata.name}`);
  const hint =
    names.length > 0
      ? `choose one of: ${names.join(', ')}`
      : elsewhere.length > 0
        ? `did you mean ${elsewhere.join(', ')}`
        : 'podvitals get pods shows what there is';
  throw new CodedError('NOT_FOUND', `pod ${target.namespace}/${target.name} not found; ${hint}`, {
    status: 404,
  });
}
