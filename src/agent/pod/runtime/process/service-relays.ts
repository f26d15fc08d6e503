import type { Clock } from '../../../../util/clock.ts';
import {
  changeNamespace,
  type Listening,
  type ListenPlace,
  listenInNamespace,
  type NetworkNamespace,
  openNetworkNamespace,
} from '../../../host/namespace-listener.ts';
import type { PublishedService } from '../runtime.ts';
import type { PodNetwork } from './pod-network.ts';
import { type Place, relayConnections } from './tcp-relay.ts';
import { relayDatagrams } from './udp-relay.ts';

/**
 * Addresses of Services, in a network namespace that is on the pods' bridge as a pod is, so that no port of the host is
 * taken. Its sockets are this process's: with it they are gone, and an agent that comes after opens them anew.
 */
export interface ServiceRelays {
  publish(services: readonly PublishedService[]): Promise<ReadonlyMap<string, string>>;
  close(): void;
}

/** Stands for the namespace where pods have their uid. */
const OWNER = 'services';

interface Open {
  targets: readonly Place[];
  readonly close: () => void;
}

interface Tools {
  readonly ip: string;
  readonly nsenter: string;
  readonly unshare: string;
  readonly sh: string;
}

export function createServiceRelays(options: {
  readonly network: PodNetwork;
  /** Absent: without them no Service has an address. */
  readonly tools: Tools | undefined;
  /** Of the namespace's link; the same with each agent that takes over. */
  readonly mac: string;
  readonly clock: Clock;
}): ServiceRelays {
  const { network, tools, clock } = options;
  const open = new Map<string, Open>();
  let namespace: NetworkNamespace | undefined;
  let inside = new Set<string>();
  let queue: Promise<unknown> = Promise.resolve();

  const closeAll = () => {
    for (const { close } of open.values()) close();
    open.clear();
    namespace?.close();
    namespace = undefined;
    inside = new Set();
  };

  /** A namespace that is on the bridge; pods know the hardware address of an earlier agent's, so it stays. */
  const make = async (on: Tools): Promise<NetworkNamespace> => {
    let batch = '';
    const made = await openNetworkNamespace(on, async (pid) => {
      const attached = await network.attach(OWNER, Promise.resolve(pid));
      batch = `${attached?.within ?? ''}link set dev eth0 address ${options.mac}\n`;
    });
    try {
      await changeNamespace(on, made, batch);
    } catch (error) {
      made.close();
      throw error;
    }
    return made;
  };

  /** Addresses in the namespace are those that are given out. */
  const furnish = async (on: Tools, addresses: ReadonlyMap<string, string>) => {
    namespace ??= await make(on);
    const wanted = new Set(addresses.values());
    const lines = [
      ...[...inside].filter((one) => !wanted.has(one)).map((one) => `addr del ${one}/32 dev eth0\n`),
      ...[...wanted].filter((one) => !inside.has(one)).map((one) => `addr add ${one}/32 dev eth0\n`),
    ];
    await changeNamespace(on, namespace, lines.join(''));
    inside = wanted;
    return namespace;
  };

  const relay = (listening: Listening, targets: readonly Place[]): Open => {
    const entry: { targets: readonly Place[]; close: () => void } = { targets, close: () => {} };
    if (listening.protocol === 'UDP') {
      entry.close = relayDatagrams(listening.socket, () => entry.targets, clock);
    } else {
      const { server } = listening;
      listening.onEarly(relayConnections(server, () => entry.targets));
      entry.close = () => void server.close();
    }
    return entry;
  };

  const publish = async (services: readonly PublishedService[]): Promise<ReadonlyMap<string, string>> => {
    const addresses = new Map<string, string>();
    if (tools === undefined || !network.routed) return addresses;
    const wanted = new Map<string, { readonly place: ListenPlace; readonly targets: readonly Place[] }>();
    for (const { uid, ports } of services) {
      const address = (await network.reserve(uid))!;
      addresses.set(uid, address);
      for (const { protocol, port, targets } of ports) {
        const place: ListenPlace = { protocol, address, port };
        const places = targets.map((target) => ({ host: target.ip, port: target.port }));
        // With nobody to serve it, a port is closed: who comes is refused, and need not wait to be told.
        if (places.length > 0) wanted.set(JSON.stringify(place), { place, targets: places });
      }
    }
    for (const [key, entry] of open) {
      const still = wanted.get(key);
      if (still) entry.targets = still.targets;
      else {
        entry.close();
        open.delete(key);
      }
    }
    const gone = network.reserved().filter((uid) => !addresses.has(uid));
    if (addresses.size > 0) {
      const on = await furnish(tools, addresses);
      const missing = [...wanted].filter(([key]) => !open.has(key));
      const places = missing.map(([, { place }]) => place);
      const listening = await listenInNamespace(tools.nsenter, on, places);
      for (const [index, [key, { targets }]] of missing.entries())
        open.set(key, relay(listening[index]!, targets));
    } else {
      closeAll();
      await network.detach(OWNER);
    }
    for (const uid of gone) await network.release(uid);
    return addresses;
  };

  return {
    publish(services) {
      const next = queue
        .then(() => publish(services))
        .catch(async (error: unknown) => {
          // What is half done is made anew at the next try.
          closeAll();
          await network.detach(OWNER);
          throw error;
        });
      queue = next.catch(() => undefined);
      return next;
    },
    close: closeAll,
  };
}
