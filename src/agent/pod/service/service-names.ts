import { isIP } from 'node:net';
import type { Service } from '../../../model/kubernetes-service.ts';
import type { PodRecord } from '../pod-record.ts';
import type { HostEntry } from '../spec/hosts-file.ts';
import { isServing, ownNameIn, selectedPods } from './endpoints.ts';
import type { ServicePublisher } from './service-publisher.ts';

// Every pod's /etc/hosts is written whenever one of them changes.
const MOST_LINES = 5000;

/**
 * The names of Services as pods of a namespace find them: `cart` and `cart.shop`, `cart.shop.svc`,
 * `cart.shop.svc.cluster.local`, each with its own address where it has one, else with those of the pods that serve; pods
 * of a StatefulSet have names of their own below. Source: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
 */
export function serviceNames(
  services: readonly Service[],
  pods: readonly PodRecord[],
  namespace: string,
  { addressOf, isPending }: Pick<ServicePublisher, 'addressOf' | 'isPending'>,
): readonly HostEntry[] {
  const lines: HostEntry[] = [];
  for (const service of services) {
    const { metadata, spec } = service;
    const names = (prefix: string) => {
      const full = `${prefix}${metadata.name}.${metadata.namespace}`;
      return [
        ...(metadata.namespace === namespace ? [`${prefix}${metadata.name}`] : []),
        full,
        `${full}.svc`,
        `${full}.svc.cluster.local`,
      ];
    };
    if (spec.type === 'ExternalName') {
      if (isIP(spec.externalName ?? '') !== 0) lines.push({ ip: spec.externalName!, names: names('') });
      continue;
    }
    if (isPending(service)) continue;
    const address = addressOf(service);
    if (address !== undefined) lines.push({ ip: address, names: names('') });
    for (const pod of selectedPods(service, pods)) {
      if (!isServing(service, pod)) continue;
      const own = ownNameIn(service, pod);
      const all = [
        ...(address === undefined ? names('') : []),
        ...(own === undefined ? [] : names(`${own}.`)),
      ];
      if (all.length > 0) lines.push({ ip: pod.podIp!, names: all });
    }
  }
  return lines.slice(0, MOST_LINES);
}

/** The first Service, by name, that selects pods with these labels. */
export function serviceOf(
  services: readonly Service[],
  namespace: string,
  labels: Readonly<Record<string, string>> | undefined,
): string | undefined {
  return services.find(({ metadata, spec }) => {
    const wanted = Object.entries(spec.selector ?? {});
    return (
      metadata.namespace === namespace &&
      wanted.length > 0 &&
      wanted.every(
        ([key, value]) => labels !== undefined && Object.hasOwn(labels, key) && labels[key] === value,
      )
    );
  })?.metadata.name;
}
