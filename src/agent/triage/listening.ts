import type { Container, Probe } from '../../model/kubernetes.ts';
import type { Life, ProbeKind } from '../../model/life.ts';

type Listening = Life['listening'];

const FIELDS = { liveness: 'livenessProbe', readiness: 'readinessProbe', startup: 'startupProbe' } as const;

export const probeOf = (spec: Container | undefined, kind: ProbeKind): Probe | undefined =>
  spec?.[FIELDS[kind]];

/** The port a probe asks, by number or by the name it has in the container; absent for exec probes. */
export function probePort(spec: Container | undefined, kind: ProbeKind): number | undefined {
  const probe = probeOf(spec, kind);
  const port = probe?.httpGet?.port ?? probe?.tcpSocket?.port;
  if (port === undefined || typeof port === 'number') return port;
  const named = spec?.ports?.find(({ name }) => name === port)?.containerPort;
  return named ?? (/^\d{1,5}$/.test(port) ? Number(port) : undefined);
}

/** Ports something listens on, each once, ascending. */
export const portsOf = (listening: Listening): readonly number[] =>
  [...new Set(listening.map(({ port }) => port))].sort((a, b) => a - b);

/**
 * What the pod listens on against what the probe asks: nothing there, only on the loopback address (which a probe
 * from outside cannot reach), or there. Undefined when it is not known what the probe asks.
 */
export function portMatch(
  listening: Listening,
  port: number | undefined,
): 'listens' | 'loopback-only' | 'nothing-there' | undefined {
  if (port === undefined) return undefined;
  const there = listening.filter((socket) => socket.port === port);
  if (there.length === 0) return 'nothing-there';
  return there.every(({ address }) => /^127\.|^::1$|^::ffff:127\./.test(address))
    ? 'loopback-only'
    : 'listens';
}

/** `port 8081`, `ports 8081 and 9090`, `no port`. */
export function portWords(ports: readonly number[]): string {
  if (ports.length === 0) return 'no port';
  if (ports.length === 1) return `port ${ports[0]}`;
  const shown = ports.slice(0, 6);
  return `ports ${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
