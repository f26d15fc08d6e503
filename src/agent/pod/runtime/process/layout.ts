import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { CodedError } from '../../../../util/coded-error.ts';

interface PodName {
  readonly namespace: string;
  readonly name: string;
  readonly podUid: string;
}

/**
 * Where everything lies below the data directory:
 *
 *     pods/<uid>/                          the pod's own; volumes beside `runtime`
 *       runtime/sandbox.json               who the pod is, its infra process, address, cgroup
 *       runtime/hosts, runtime/dev/        the pod's /etc/hosts and /dev
 *       runtime/<container>-<attempt>/     one life: container.json, scripts, exit, output/, upper/, work/
 *     logs/pods/<namespace>_<name>_<uid>/<container>/<attempt>.log
 *     volumes/<namespace>/<claim>/          what outlives pods
 */
export interface Layout {
  readonly pods: string;
  pod(uid: string): string;
  runtime(uid: string): string;
  claim(namespace: string, name: string): string;
  life(uid: string, container: string, attempt: number): string;
  podLogs(pod: PodName): string;
  containerLogs(pod: PodName, container: string): string;
}

/** A name as one folder: whatever else it may be, it must not lead elsewhere. */
function segment(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) return name;
  throw new CodedError(
    'NAME_INVALID',
    `${JSON.stringify(name)} cannot name a folder: letters, digits, ".", "_" and "-" only`,
  );
}

export function createLayout(dataDir: string): Layout {
  const pods = join(dataDir, 'pods');
  const podLogs = (pod: PodName) =>
    join(dataDir, 'logs', 'pods', segment(`${pod.namespace}_${pod.name}_${pod.podUid}`));
  return {
    pods,
    pod: (uid) => join(pods, segment(uid)),
    runtime: (uid) => join(pods, segment(uid), 'runtime'),
    life: (uid, container, attempt) =>
      join(pods, segment(uid), 'runtime', `${segment(container)}-${attempt}`),
    claim: (namespace, name) => join(dataDir, 'volumes', segment(namespace), segment(name)),
    podLogs,
    containerLogs: (pod, container) => join(podLogs(pod), segment(container)),
  };
}

/** A container's id: 64 hex digits, as tools that parse container ids expect, the same for the same life. */
export function containerId(podUid: string, container: string, attempt: number): string {
  return createHash('sha256').update(`${podUid}\n${container}\n${attempt}`).digest('hex');
}

/** The host's end of a pod's link, unlike that of any other agent's pod. The kernel allows 15 characters. */
export function linkName(dataDir: string, podUid: string): string {
  return `pv${createHash('sha256').update(`${dataDir}\n${podUid}`).digest('hex').slice(0, 12)}`;
}

/** A hardware address of our own, the same for the same data directory; locally administered, as the 2 says. */
export function macOf(dataDir: string): string {
  const hex = createHash('sha256').update(dataDir).digest('hex');
  return ['02', ...[0, 2, 4, 6, 8].map((at) => hex.slice(at, at + 2))].join(':');
}
