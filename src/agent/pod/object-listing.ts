import type { KubernetesObject } from '../../model/kubernetes-object.ts';
import type { Service } from '../../model/kubernetes-service.ts';
import type { NodePlace } from './node/node-place.ts';
import { type ObjectStore, objectKey, type Stored, shown } from './object-store.ts';
import type { PodSet } from './pod-set.ts';
import { endpointsOf } from './service/endpoints.ts';
import { podObject } from './status/pod-status.ts';

/** Objects as the API shows them: kept, or made of what there is. */
export interface ObjectListing {
  /** Sorted by namespace and name. Secrets come with their data. */
  list(kind: KubernetesObject['kind'], namespace?: string): readonly KubernetesObject[];
  /** All that are no pods, but ConfigMaps and Secrets. */
  described(): readonly KubernetesObject[];
}

export const isConfiguration = ({ kind }: { readonly kind: string }) =>
  kind === 'ConfigMap' || kind === 'Secret';

export function createObjectListing(options: {
  readonly objects: Pick<ObjectStore, 'list' | 'all'>;
  readonly pods: Pick<PodSet, 'visible'>;
  readonly nodeIp: string;
  readonly budgetStatus: NodePlace['budgetStatus'];
  readonly serviceAddress: (service: Service) => string | undefined;
}): ObjectListing {
  const { objects, pods } = options;
  const endpoints = () => objects.list('Service').map((service) => endpointsOf(service, pods.visible()));

  // One without an address of its own is as a headless one: its name stands for the pods.
  function shownService(service: Stored<'Service'>): KubernetesObject {
    const { clusterIP: _asked, ...spec } = service.spec;
    if (spec.type === 'ExternalName') return shown(service);
    return shown({ ...service, spec: { ...spec, clusterIP: options.serviceAddress(service) ?? 'None' } });
  }

  const shownObject = (object: Stored) => (object.kind === 'Service' ? shownService(object) : shown(object));

  function all(kind: KubernetesObject['kind']): readonly KubernetesObject[] {
    if (kind === 'Pod') return pods.visible().map((pod) => podObject(pod, options.nodeIp));
    if (kind === 'Endpoints') return endpoints();
    if (kind === 'PodDisruptionBudget')
      return objects.list(kind).map((budget) => ({ ...budget, status: options.budgetStatus(budget)! }));
    return objects.list(kind).map(shownObject);
  }

  const face = ({ metadata }: KubernetesObject) => objectKey(metadata.namespace, metadata.name);
  return {
    list: (kind, namespace) =>
      all(kind)
        .filter((object) => namespace === undefined || object.metadata.namespace === namespace)
        .sort((a, b) => (face(a) < face(b) ? -1 : 1)),
    described: () => [
      ...objects
        .all()
        .filter((object) => !isConfiguration(object))
        .map(shownObject),
      ...endpoints(),
    ],
  };
}
