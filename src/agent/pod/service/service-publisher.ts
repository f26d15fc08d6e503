import type { Service } from '../../../model/kubernetes-service.ts';
import type { CancelTimer, Clock } from '../../../util/clock.ts';
import type { PodRecord } from '../pod-record.ts';
import type { PublishedPort, PublishedService, Runtime } from '../runtime/runtime.ts';
import { isServing, ownPort, selectedPods } from './endpoints.ts';

/** Keeps the Services that need an address of their own reachable at it, as their pods come and go. */
export interface ServicePublisher {
  /** Absent: its name stands for the pods themselves. */
  addressOf(service: Service): string | undefined;
  /** Whether it is not known yet if it has an address: until then its name stands for nothing. */
  isPending(service: Service): boolean;
  /** Pods or Services may have changed. */
  update(): void;
  /** Resolves when what was to be published is. */
  settled(): Promise<void>;
  close(): void;
}

const RETRY_MS = 5000;

/**
 * Whether its name stands for an address of its own: where a port is another one than the pods'. Other names stand for the
 * pods: what need not go through the agent does not.
 */
export const needsAddress = ({ spec }: Pick<Service, 'spec'>) =>
  spec.clusterIP !== 'None' &&
  spec.type !== 'ExternalName' &&
  Object.keys(spec.selector ?? {}).length > 0 &&
  (spec.ports ?? []).some(({ port, targetPort = port }) => targetPort !== port);

function publishedPorts(service: Service, pods: readonly PodRecord[]): readonly PublishedPort[] {
  const serving = selectedPods(service, pods).filter((pod) => isServing(service, pod));
  return (service.spec.ports ?? []).flatMap((asked) => {
    const { port, protocol = 'TCP' } = asked;
    if (protocol !== 'TCP' && protocol !== 'UDP') return [];
    const targets = serving.flatMap((pod) => {
      const own = ownPort(asked, pod);
      return own === undefined ? [] : [{ ip: pod.podIp!, port: own }];
    });
    return [{ port, protocol, targets }];
  });
}

const namesOf = (services: readonly PublishedService[]) => services.map(({ uid }) => uid).join();

export function createServicePublisher(options: {
  readonly services: () => readonly Service[];
  readonly pods: () => readonly PodRecord[];
  readonly runtime: Pick<Runtime, 'publishServices'>;
  readonly clock: Clock;
  /** Addresses were given or taken back. */
  readonly onAddresses: () => void;
  readonly onError: (error: unknown) => void;
}): ServicePublisher {
  const { runtime, clock } = options;
  let addresses: ReadonlyMap<string, string> = new Map();
  let told: readonly PublishedService[] = [];
  let working: Promise<void> | undefined;
  let again = false;
  let cancelRetry: CancelTimer | undefined;
  let closed = false;

  const wanted = (): readonly PublishedService[] => {
    const pods = options.pods();
    return options
      .services()
      .filter(needsAddress)
      .map((service) => ({ uid: service.metadata.uid, ports: publishedPorts(service, pods) }));
  };

  async function publish(): Promise<void> {
    do {
      again = false;
      const services = wanted();
      if (JSON.stringify(services) === JSON.stringify(told)) continue;
      const before = namesOf(told);
      try {
        addresses = await runtime.publishServices(services);
        told = services;
      } catch (error) {
        if (closed) return;
        options.onError(error);
        cancelRetry?.();
        cancelRetry = clock.setTimer(RETRY_MS, update, { unref: true });
        return;
      }
      if (namesOf(told) !== before) options.onAddresses();
    } while (again);
  }

  function update(): void {
    again = true;
    if (closed) return;
    working ??= publish().finally(() => {
      working = undefined;
    });
  }

  return {
    addressOf: ({ metadata }) => addresses.get(metadata.uid),
    isPending: (service) => needsAddress(service) && !told.some(({ uid }) => uid === service.metadata.uid),
    update,
    settled: async () => working,
    close() {
      closed = true;
      cancelRetry?.();
    },
  };
}
