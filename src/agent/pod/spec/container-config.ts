import { createHmac } from 'node:crypto';
import type { Container } from '../../../model/kubernetes.ts';
import type { LifeConfig } from '../../../model/life.ts';
import type { PodRecord } from '../pod-record.ts';
import type { ContainerConfig, Mount } from '../runtime/runtime.ts';
import { resolveEnv } from './env.ts';
import { expand } from './expansion.ts';
import type { NodeFacts } from './field-ref.ts';
import { parseBytes, parseQuantity } from './quantity.ts';
import type { References } from './references.ts';
import { checkNonRoot, containerSecurity } from './security.ts';
import { volumeMounts } from './volumes.ts';

/** The host's own root file system instead of an image. */
export const HOST_IMAGE = 'host';

export const imageOf = (container: Container) => container.image || HOST_IMAGE;

interface Limits {
  readonly memoryLimitBytes?: number;
  readonly cpuLimitCores?: number;
}

export function limitsOf(container: Container): Limits {
  const { memory, cpu } = container.resources?.limits ?? {};
  return {
    ...optional('memoryLimitBytes', memory === undefined ? undefined : parseBytes(memory)),
    ...optional('cpuLimitCores', cpu === undefined ? undefined : parseQuantity(cpu)),
  };
}

/** `{ [name]: value }`, or nothing when there is no value. */
function optional<Name extends string>(name: Name, value: number | undefined): { [N in Name]?: number } {
  return (value === undefined ? {} : { [name]: value }) as { [N in Name]?: number };
}

/**
 * A container as the runtime needs it: references looked up, variables expanded, quantities parsed.
 *
 * @throws CodedError `CreateContainerConfigError` when something it refers to is missing.
 */
export function resolveContainer(
  container: Container,
  attempt: number,
  pod: PodRecord,
  environment: {
    readonly references: References;
    readonly node: NodeFacts;
    readonly podDirectory: string;
    /** Whom containers without a user of their own run as; absent: not known. */
    readonly imageUser?: number | string | undefined;
  },
): ContainerConfig {
  checkNonRoot(container, pod, environment.imageUser);
  const env = new Map([['HOSTNAME', pod.spec.hostname ?? pod.ref.name]]);
  for (const [name, value] of resolveEnv(container, pod, environment.references, environment.node)) {
    env.set(name, value);
  }
  const words = [...(container.command ?? []), ...(container.args ?? [])];
  const folder = imageOf(container) === HOST_IMAGE ? pod.folder : undefined;
  const workingDir = container.workingDir ?? folder;
  const security = containerSecurity(container, pod);
  const request = container.resources?.requests?.cpu ?? container.resources?.limits?.cpu;
  return {
    podUid: pod.ref.uid,
    name: container.name,
    init: (pod.spec.initContainers ?? []).includes(container),
    attempt,
    image: imageOf(container),
    ...((container.command ?? []).length === 0 ? { imageEntrypoint: true } : {}),
    command: words.map((word) => expand(word, (name) => env.get(name))),
    ...(workingDir === undefined ? {} : { workingDir }),
    env: [...env],
    mounts: [...folderMount(folder), ...volumeMounts(container, pod, environment.podDirectory, env)],
    ...(security === undefined ? {} : { security }),
    ...(container.lifecycle?.stopSignal && { stopSignal: container.lifecycle.stopSignal }),
    ...limitsOf(container),
    ...optional('cpuRequestCores', request === undefined ? undefined : parseQuantity(request)),
  };
}

const folderMount = (folder: string | undefined): readonly Mount[] =>
  folder === undefined ? [] : [{ source: folder, target: folder, readOnly: true }];

/** What may be told of a container before it is resolved. */
export function plannedConfig(container: Container): LifeConfig {
  return {
    image: imageOf(container),
    command: [...(container.command ?? []), ...(container.args ?? [])],
    envNames: (container.env ?? []).map((variable) => variable.name),
    configHash: '',
    ...limitsOf(container),
  };
}

/** What may be told of a life: names of settings, and a keyed hash by which to see that a value changed. */
export function lifeConfig(config: ContainerConfig, written: Container, salt: string): LifeConfig {
  const { podUid: _podUid, attempt: _attempt, ...rest } = config;
  return {
    ...plannedConfig(written),
    envNames: config.env.map(([name]) => name),
    configHash: keyedHash(JSON.stringify(rest), salt),
    envHashes: envHashes(config, written, salt),
    probesHash: keyedHash(
      JSON.stringify([written.livenessProbe, written.readinessProbe, written.startupProbe]),
      salt,
    ),
    ...(config.pidsLimit === undefined ? {} : { pidsLimit: config.pidsLimit }),
  };
}

const keyedHash = (text: string, salt: string) =>
  createHmac('sha256', salt).update(text).digest('hex').slice(0, 16);

/** Of what the manifest or a ConfigMap sets; what tells of the pod itself differs from pod to pod by nature. */
function envHashes(config: ContainerConfig, written: Container, salt: string): Record<string, string> {
  const ofPod = new Set(
    (written.env ?? [])
      .filter(({ valueFrom }) => valueFrom?.fieldRef ?? valueFrom?.resourceFieldRef)
      .map(({ name }) => name),
  );
  return Object.fromEntries(
    config.env
      .filter(([name]) => name !== 'HOSTNAME' && !ofPod.has(name))
      .map(([name, value]) => [name, keyedHash(value, salt)]),
  );
}
