import { networkReceive, networkSignals, networkTransmit } from '../../wire/catalogue/network.ts';
import type { HistogramPoint, Point } from '../../wire/catalogue/signal.ts';
import type { PodView } from '../pod/view.ts';
import { cgroupPath } from '../stats/cgroup-path.ts';
import type { DnsLookups } from '../stats/dns/lookup-histogram.ts';
import type { PodUsage } from '../stats/usage.ts';
import { measured, ofPod, point } from './point.ts';

/** The pod's network, once per pod and interface. Nothing for a pod on the host's network: it has none of its own. */
export function networkPoints(view: PodView, usage: PodUsage | undefined): readonly Point[] {
  return usage ? [...interfaces(view, usage), ...errors(view, usage), ...listening(view, usage)] : [];
}

function interfaces(view: PodView, { interfaces = [] }: PodUsage): readonly Point[] {
  const id = (view.sandbox && cgroupPath(view.sandbox.cgroup)) ?? '';
  const since = view.startup.createdAt;
  return interfaces.flatMap((entry) => {
    const own = [view.ref.namespace, view.ref.name, id, entry.name];
    return [
      point(networkReceive.bytes, own, entry.receiveBytes, since),
      point(networkReceive.packets, own, entry.receivePackets, since),
      point(networkReceive.errors, own, entry.receiveErrors, since),
      point(networkReceive.dropped, own, entry.receiveDropped, since),
      point(networkTransmit.bytes, own, entry.transmitBytes, since),
      point(networkTransmit.packets, own, entry.transmitPackets, since),
      point(networkTransmit.errors, own, entry.transmitErrors, since),
      point(networkTransmit.dropped, own, entry.transmitDropped, since),
    ];
  });
}

function errors(view: PodView, { tcp, interfaces }: PodUsage): readonly Point[] {
  const dropped = interfaces?.reduce((sum, entry) => sum + entry.receiveDropped + entry.transmitDropped, 0);
  const counts = {
    connect_failed: tcp?.failedConnects,
    reset: tcp?.resets,
    retransmit_timeout: tcp?.retransmitTimeouts,
    dropped,
  };
  return Object.entries(counts).flatMap(([kind, count]) =>
    measured(networkSignals.errors, ofPod(view).concat(kind), count, view.startup.createdAt),
  );
}

function listening(view: PodView, usage: PodUsage): readonly Point[] {
  const ports = new Set((usage.listening ?? []).map((socket) => socket.port));
  return [...ports].map((port) => point(networkSignals.listening, ofPod(view).concat(String(port)), 1));
}

/** Nothing for a pod whose name servers have never answered it. */
export function dnsPoints(view: PodView, lookups: DnsLookups | undefined): readonly HistogramPoint[] {
  if (!lookups) return [];
  const { counts, sumSeconds, count, sinceMs } = lookups;
  const own = { signal: networkSignals.dnsLookup, labels: ofPod(view) };
  return [{ ...own, buckets: counts, sum: sumSeconds, count, startMs: sinceMs }];
}
