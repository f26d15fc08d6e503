import type { Container } from '../../../model/kubernetes.ts';
import type { ContainerRecord, PodRecord } from '../pod-record.ts';
import type { ProbeSubject } from '../prober/probe.ts';
import type { PodTransition } from '../transition.ts';
import type { WorkerContext } from './worker-context.ts';

/** What starting, probing and ending the containers of one pod have in common. */
export interface ContainerScope {
  readonly pod: PodRecord;
  readonly context: WorkerContext;
  /** Decides anew what the pod needs. */
  readonly sync: () => void;
  /** Resolves when the pod's record is durable. */
  readonly persist: () => Promise<void>;
  /** What ends with the life it is about, by container: hooks under way. */
  readonly hooks: Map<string, AbortController>;
  /** Nobody looks any more: what comes now is for the next agent. */
  readonly detached: () => boolean;
  specOf(container: ContainerRecord): Container;
  /** What every transition of a container says of it. */
  about(container: ContainerRecord, attempt?: number): AboutContainer;
  podDirectory(): string;
  subjectOf(container: ContainerRecord): ProbeSubject;
}

type AboutContainer = Pick<
  PodTransition & { readonly kind: 'container-started' },
  'at' | 'pod' | 'container' | 'init' | 'attempt'
>;

export function createContainerScope(
  pod: PodRecord,
  context: WorkerContext,
  rest: Pick<ContainerScope, 'sync' | 'persist' | 'detached'>,
): ContainerScope {
  // Asked for once: it is made anew each time, also when the pod has just been removed.
  let folder: string | undefined;
  const specOf = (container: ContainerRecord) =>
    [...(pod.spec.initContainers ?? []), ...pod.spec.containers].find(({ name }) => name === container.name)!;
  return {
    pod,
    context,
    ...rest,
    hooks: new Map(),
    specOf,
    about: (container, attempt = container.life?.attempt ?? 0) => ({
      at: context.clock.now(),
      pod: pod.ref,
      container: container.name,
      init: container.init,
      attempt,
    }),
    podDirectory() {
      folder ??= context.runtime.podDirectory(pod.ref.uid);
      return folder;
    },
    subjectOf(container) {
      const ip = pod.sandbox?.ip ?? (sharesHostNetwork(pod) ? '127.0.0.1' : undefined);
      return {
        containerId: container.life!.id,
        container: specOf(container),
        ...(ip === undefined ? {} : { ip }),
      };
    },
  };
}

/** A pod without an address shares the host's, unless a process holds a network namespace for it. */
export const sharesHostNetwork = (pod: PodRecord) =>
  pod.spec.hostNetwork === true || pod.sandbox?.pid === undefined;

/** What is told of a hook that failed, at most. */
export const LONGEST_HOOK_MESSAGE = 1024;
