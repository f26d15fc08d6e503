import { family } from './family.ts';
import { NAMESPACE, OF_POD, ofPoint, ofResource, POD } from './label.ts';
import type { Signal } from './signal.ts';

// Once per pod and interface, without container or image: dashboards add these up without a filter.
const { counter } = family({
  path: 'cadvisor',
  labels: [NAMESPACE, POD, ofResource('id', 'podvitals.cgroup.path')],
});
const INTERFACE = ofPoint('interface', 'network.interface.name');

function direction(word: 'receive' | 'transmit'): {
  readonly bytes: Signal;
  readonly packets: Signal;
  readonly errors: Signal;
  readonly dropped: Signal;
} {
  const define = (suffix: string, unit: string, what: string, otlp: string) =>
    counter(`container_network_${word}_${suffix}_total`, {
      unit,
      help: `${what} by the pod's interface, direction ${word}.`,
      labels: [INTERFACE],
      otlp,
      fixed: { 'network.io.direction': word },
    });
  return {
    bytes: define('bytes', 'By', 'Bytes carried', 'k8s.pod.network.io'),
    packets: define('packets', '{packet}', 'Packets carried', 'podvitals.pod.network.packets'),
    errors: define('errors', '{error}', 'Errors met', 'k8s.pod.network.errors'),
    dropped: define(
      'packets_dropped',
      '{packet}',
      'Packets dropped',
      'podvitals.pod.network.dropped_packets',
    ),
  };
}

/** Source: cadvisor lib/metrics/prometheus.go */
export const networkReceive = direction('receive');
export const networkTransmit = direction('transmit');

const ours = family({ path: 'kubelet', labels: OF_POD });

/** Of look-ups, in seconds; the objective, 100 ms, is one of them. */
export const LOOKUP_BOUNDS_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
] as const;

export const networkSignals = {
  dnsLookup: ours.histogram('podvitals_pod_dns_lookup_seconds', {
    unit: 's',
    help: "Look-ups by the pod's resolv.conf, in its network, once it has sent a datagram itself; from the first that is answered.",
    otlp: 'podvitals.pod.dns.lookup',
    bounds: LOOKUP_BOUNDS_SECONDS,
  }),
  errors: ours.counter('podvitals_pod_network_errors_total', {
    unit: '{error}',
    help: 'Network errors in the pod: connect_failed, reset, retransmit_timeout, dropped.',
    labels: [ofPoint('kind', 'podvitals.network.error.kind')],
    otlp: 'podvitals.pod.network.errors',
  }),
  listening: ours.gauge('podvitals_pod_listening_port', {
    unit: '1',
    help: 'A TCP port something in the pod listens on; always 1.',
    labels: [ofPoint('port', 'podvitals.network.port')],
    otlp: 'podvitals.pod.listening_port',
  }),
};
