import type { Container, HttpGetAction, Probe } from '../../../model/kubernetes.ts';
import type { ProbeKind } from '../../../model/life.ts';

/** What one probe found. `target` is what was asked, in words. */
export interface ProbeOutcome {
  readonly ok: boolean;
  readonly message: string;
  readonly target: string;
}

/** Told when an answer came after the probe had given up on it: whether it was a good one, and how long it took. */
export type OnLateOutcome = (outcome: ProbeOutcome, tookMs: number) => void;

/** Where a container can be asked. */
export interface ProbeSubject {
  readonly containerId: string;
  readonly container: Container;
  /** Absent: only from within the container. */
  readonly ip?: string;
}

/** Does one probe. Never rejects: whatever goes wrong is a failed probe. */
export type ProbeRunner = (
  probe: Probe,
  subject: ProbeSubject,
  signal: AbortSignal,
  onLate?: OnLateOutcome,
) => Promise<ProbeOutcome>;

const FIELDS = {
  liveness: 'livenessProbe',
  readiness: 'readinessProbe',
  startup: 'startupProbe',
} as const;

export const probeOf = (container: Container, kind: ProbeKind): Probe | undefined => container[FIELDS[kind]];

/** The defaults of the API. Source: kubernetes/pkg/apis/core/v1/defaults.go, SetDefaults_Probe */
export const PROBE_DEFAULTS = {
  initialDelaySeconds: 0,
  timeoutSeconds: 1,
  periodSeconds: 10,
  successThreshold: 1,
  failureThreshold: 3,
} as const;

export const timeoutMsOf = (probe: Probe) => (probe.timeoutSeconds ?? PROBE_DEFAULTS.timeoutSeconds) * 1000;

/** A port by number or by the name it has in the container. */
export function portOf(port: number | string, container: Container): number | undefined {
  if (typeof port === 'number') return port;
  const named = container.ports?.find((candidate) => candidate.name === port)?.containerPort;
  return named ?? (/^\d+$/.test(port) ? Number(port) : undefined);
}

export const hostOf = (subject: ProbeSubject) => subject.ip ?? '127.0.0.1';

export function requirePort(port: number | string, subject: ProbeSubject): number {
  const found = portOf(port, subject.container);
  if (found === undefined) throw new Error(`couldn't find port: ${port}`);
  return found;
}

/** What an HTTP action asks. @throws Error when its port has no such name. */
export function urlOf(action: HttpGetAction, subject: ProbeSubject): string {
  const { path = '/', host = hostOf(subject), scheme = 'HTTP', port } = action;
  const bracketed = host.includes(':') ? `[${host}]` : host;
  const slash = path.startsWith('/') ? '' : '/';
  return `${scheme.toLowerCase()}://${bracketed}:${requirePort(port, subject)}${slash}${path}`;
}
