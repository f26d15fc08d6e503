import type { Container, Pod } from '../../model/kubernetes.ts';
import { CodedError } from '../../util/coded-error.ts';

/** On every copy; an agent that starts deletes pods with it, whoever forgot them. */
export const DEBUG_LABEL = 'podvitals.dev/debug';
export const DEBUG_OF = 'podvitals.dev/debug-of';

export interface DebugCopyOptions {
  /** The first one when left out. */
  readonly container?: string | undefined;
  /** `sleep`: it waits for somebody to look around; `run`: its own command once, without probes. */
  readonly mode: 'sleep' | 'run';
  /** Seconds after which it ends by itself. */
  readonly deadlineSeconds: number;
  /** A few letters and digits that make its name its own. */
  readonly suffix: string;
}

// Whatever there is as a shell, and it must end at once when asked to.
const SLEEP = ['sh', '-c', "trap 'exit 0' TERM INT; while :; do sleep 1 & wait $!; done"];
const LONGEST_NAME = 63;

/**
 * A manifest of one container of a pod that can do no harm: no owner and no labels that a Service or workload would select,
 * no probes, hooks, host ports, init containers, restarts or wishes about other pods, and an end. Everything else is as in the pod: image,
 * environment, volumes, limits, security.
 * @throws CONTAINER_NOT_FOUND naming those there are.
 */
export function debugCopy(pod: Pod, options: DebugCopyOptions): object {
  const { metadata, spec } = pod;
  const all = [...spec.containers, ...(spec.initContainers ?? [])];
  const wanted = options.container ?? spec.containers[0]!.name;
  const container = all.find(({ name }) => name === wanted);
  if (container === undefined) {
    throw new CodedError(
      'CONTAINER_NOT_FOUND',
      `container ${wanted} is not in pod ${metadata.name}; it has: ${all.map(({ name }) => name).join(', ')}`,
      { status: 400 },
    );
  }
  const suffix = `-debug-${options.suffix}`;
  const {
    nodeName: _nodeName,
    initContainers: _init,
    hostname: _hostname,
    priority: _priority,
    affinity,
    topologySpreadConstraints: _spread,
    ...rest
  } = spec;
  // A pod that keeps away from others has its copy beside it all the same.
  const { podAffinity: _near, podAntiAffinity: _away, ...ofNode } = affinity ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${metadata.name.slice(0, LONGEST_NAME - suffix.length).replace(/[^a-z0-9]+$/, '')}${suffix}`,
      namespace: metadata.namespace,
      labels: { [DEBUG_LABEL]: options.mode },
      annotations: { [DEBUG_OF]: `${metadata.namespace}/${metadata.name}` },
    },
    spec: {
      ...rest,
      ...(affinity && { affinity: ofNode }),
      containers: [harmless(container, options.mode)],
      restartPolicy: 'Never',
      activeDeadlineSeconds: options.deadlineSeconds,
      terminationGracePeriodSeconds: 1,
    },
  };
}

function harmless(container: Container, mode: DebugCopyOptions['mode']): object {
  const {
    livenessProbe: _liveness,
    readinessProbe: _readiness,
    startupProbe: _startup,
    lifecycle: _lifecycle,
    restartPolicy: _restart,
    ports,
    ...rest
  } = container;
  const { args: _args, ...withoutArgs } = rest;
  return {
    ...(mode === 'sleep' ? { ...withoutArgs, command: SLEEP } : rest),
    ...(ports && { ports: ports.map(({ hostPort: _hostPort, ...port }) => port) }),
  };
}

/** The command of a container, as somebody would type it again; its image's own where the manifest gives none. */
export function originalCommand(pod: Pod, name: string): readonly string[] {
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const { command = [], args = [] } = all.find((container) => container.name === name) ?? {};
  return [...command, ...args];
}
