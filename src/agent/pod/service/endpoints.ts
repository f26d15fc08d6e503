import type { EndpointAddress, Endpoints, Service, ServicePort } from '../../../model/kubernetes-service.ts';
import type { PodRecord } from '../pod-record.ts';
import { isTerminal } from '../status/phase.ts';
import { selects } from '../workload/selector.ts';

/** Pods a Service selects, those that are over or on their way out left aside. */
export function selectedPods(service: Service, pods: readonly PodRecord[]): readonly PodRecord[] {
  const { selector } = service.spec;
  if (!selector || Object.keys(selector).length === 0 || service.spec.type === 'ExternalName') return [];
  return pods.filter(
    (pod) =>
      pod.ref.namespace === service.metadata.namespace &&
      !pod.deletion &&
      !isTerminal(pod.phase) &&
      selects({ matchLabels: selector }, pod.labels),
  );
}

/** Whether a pod's address is given out: it is ready, or the Service does not ask. */
export const isServing = (service: Service, pod: PodRecord) =>
  pod.podIp !== undefined && (pod.ready || service.spec.publishNotReadyAddresses === true);

/** Source: kubernetes/pkg/controller/endpoint/endpoints_controller.go, syncService */
export function endpointsOf(service: Service, pods: readonly PodRecord[]): Endpoints {
  const { metadata } = service;
  const subsets = new Map<string, { ready: EndpointAddress[]; other: EndpointAddress[]; ports: Port[] }>();
  for (const pod of [...selectedPods(service, pods)].sort((a, b) => (a.ref.name < b.ref.name ? -1 : 1))) {
    if (pod.podIp === undefined) continue;
    const ports = portsOf(service, pod);
    const key = JSON.stringify(ports);
    const subset = subsets.get(key) ?? { ready: [], other: [], ports };
    subsets.set(key, subset);
    (isServing(service, pod) ? subset.ready : subset.other).push(addressOf(service, pod, pod.podIp));
  }
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      name: metadata.name,
      namespace: metadata.namespace,
      uid: metadata.uid,
      creationTimestamp: metadata.creationTimestamp,
      ...(metadata.labels && { labels: metadata.labels }),
    },
    subsets: [...subsets.values()].map(({ ready, other, ports }) => ({
      ...(ready.length > 0 && { addresses: ready }),
      ...(other.length > 0 && { notReadyAddresses: other }),
      ...(ports.length > 0 && { ports }),
    })),
  };
}

type Port = { readonly name?: string; readonly port: number; readonly protocol: string };

/** The port of the pod that a port of the Service leads to; undefined: the name is that of none of its ports. */
export function ownPort(
  { port, targetPort = port, protocol = 'TCP' }: ServicePort,
  { spec }: PodRecord,
): number | undefined {
  if (typeof targetPort === 'number') return targetPort;
  return spec.containers
    .flatMap(({ ports = [] }) => ports)
    .find((own) => own.name === targetPort && (own.protocol ?? 'TCP') === protocol)?.containerPort;
}

/** The pod's own ports; one that it does not have is left out. */
function portsOf(service: Service, pod: PodRecord): Port[] {
  return (service.spec.ports ?? []).flatMap((asked) => {
    const { name, protocol = 'TCP' } = asked;
    const number = ownPort(asked, pod);
    return number === undefined ? [] : [{ ...(name !== undefined && { name }), port: number, protocol }];
  });
}

function addressOf(service: Service, pod: PodRecord, ip: string): EndpointAddress {
  const { namespace, name, uid, node } = pod.ref;
  const hostname = ownNameIn(service, pod);
  return {
    ip,
    ...(hostname !== undefined && { hostname }),
    nodeName: node,
    targetRef: { kind: 'Pod', namespace, name, uid },
  };
}

/** The name a pod has below that of its Service: `db-0` of `db-0.db`. */
export const ownNameIn = (service: Service, { spec }: PodRecord) =>
  spec.subdomain === service.metadata.name ? spec.hostname : undefined;
