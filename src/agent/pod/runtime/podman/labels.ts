import { createHash } from 'node:crypto';
import type { ContainerConfig, SandboxConfig } from '../runtime.ts';

/** On pods and containers that a podvitals agent made: which one's. Whoever watches others' pods passes them over. */
export const AGENT_LABEL = 'io.podvitals.agent';

const UID = 'io.podvitals.pod.uid';
const POD_NAME = 'io.podvitals.pod.name';
const POD_NAMESPACE = 'io.podvitals.pod.namespace';
const CONTAINER = 'io.podvitals.container.name';
const ATTEMPT = 'io.podvitals.container.attempt';
const HOST_IPC = 'io.podvitals.pod.host-ipc';
const INIT = 'io.podvitals.container.init';

/** The agent whose data lie in this folder, after a restart too; no other agent has it. */
export const agentName = (dataDir: string) => createHash('sha256').update(dataDir).digest('hex').slice(0, 16);

/** In Podman's own lists: readable, and of this one pod. */
export const podName = ({ podUid, namespace, name }: PodNames) => `${name}_${namespace}_${podUid}`;

export const containerName = (pod: PodNames, { name, attempt }: Pick<ContainerConfig, 'name' | 'attempt'>) =>
  `${name}_${podName(pod)}_${attempt}`;

export type PodNames = Pick<SandboxConfig, 'podUid' | 'namespace' | 'name' | 'hostIpc'>;
export type LifeNames = Pick<ContainerConfig, 'podUid' | 'name' | 'attempt'>;

export const podLabels = (agent: string, pod: PodNames): Readonly<Record<string, string>> => ({
  [AGENT_LABEL]: agent,
  [UID]: pod.podUid,
  [POD_NAME]: pod.name,
  [POD_NAMESPACE]: pod.namespace,
  ...(pod.hostIpc ? { [HOST_IPC]: 'true' } : {}),
});

export const containerLabels = (
  agent: string,
  pod: PodNames,
  container: ContainerConfig,
): Readonly<Record<string, string>> => ({
  ...podLabels(agent, pod),
  [CONTAINER]: container.name,
  [ATTEMPT]: String(container.attempt),
  [INIT]: String(container.init),
});

/** Undefined when the labels are not all there. */
export function podOf(labels: Readonly<Record<string, string>>): PodNames | undefined {
  const { [UID]: podUid, [POD_NAME]: name, [POD_NAMESPACE]: namespace } = labels;
  if (podUid === undefined || name === undefined || namespace === undefined) return undefined;
  return { podUid, name, namespace, ...(labels[HOST_IPC] === 'true' ? { hostIpc: true } : {}) };
}

/** Undefined when the labels are not all there. */
export function lifeOf(labels: Readonly<Record<string, string>>): LifeNames | undefined {
  const { [UID]: podUid, [CONTAINER]: name } = labels;
  const attempt = Number(labels[ATTEMPT] ?? Number.NaN);
  if (podUid === undefined || name === undefined || !Number.isInteger(attempt)) return undefined;
  return { podUid, name, attempt };
}
