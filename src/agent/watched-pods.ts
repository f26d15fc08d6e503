import type { Pod } from '../model/kubernetes.ts';
import type { LogLine } from '../model/life.ts';
import type { PodManager } from './pod/pod-manager.ts';
import type { LogOptions, Runtime } from './pod/runtime/runtime.ts';
import type { PodTransition } from './pod/transition.ts';
import type { PodSource } from './sources/pod-source.ts';

/** The agent's own pods and those of its sources, as one: what is told of them need not know whose they are. */
export interface WatchedPods extends Pick<PodManager, 'view' | 'views' | 'recent' | 'ownerOf'> {
  onTransition(listener: (transition: PodTransition) => void): () => void;
  /** Objects of pods that others run, sorted by namespace and name. */
  foreign(namespace?: string): readonly Pod[];
  /** A pod that others run; undefined: it is ours, or nobody's. */
  theirs(namespace: string, name: string): { readonly pod: Pod; readonly source: PodSource } | undefined;
  logs(uid: string, container: string, attempt: number, options: LogOptions): Promise<readonly LogLine[]>;
  followLogs: Runtime['followLogs'];
}

export function watchPods(
  manager: PodManager,
  runtime: Pick<Runtime, 'logs' | 'followLogs'>,
  sources: readonly PodSource[],
): WatchedPods {
  const ownerOf = (uid: string) => sources.find((source) => source.view(uid) !== undefined);
  return {
    views() {
      const own = manager.views();
      const all = [own, ...sources.map((source) => source.views())];
      return {
        pods: all.flatMap(({ pods }) => pods),
        workloads: all.flatMap(({ workloads }) => workloads),
        objects: own.objects,
      };
    },
    recent() {
      const all = [manager.recent(), ...sources.map((source) => source.views())];
      return { pods: all.flatMap(({ pods }) => pods), workloads: all.flatMap(({ workloads }) => workloads) };
    },
    view: (uid) => manager.view(uid) ?? first(sources, (source) => source.view(uid)),
    ownerOf: (id) => manager.ownerOf(id) ?? first(sources, (source) => source.ownerOf(id)),
    onTransition(listener) {
      const ends = [manager, ...sources].map((pods) => pods.onTransition(listener));
      return () => {
        for (const end of ends) end();
      };
    },
    foreign: (namespace) =>
      sources
        .flatMap((source) => source.views().pods.map(({ object }) => object))
        .filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace)
        .sort(
          (a, b) =>
            compare(a.metadata.namespace, b.metadata.namespace) || compare(a.metadata.name, b.metadata.name),
        ),
    theirs(namespace, name) {
      if (manager.get('Pod', namespace, name)) return undefined;
      return first(sources, (source) => {
        const found = source.views().pods.find(({ ref }) => ref.namespace === namespace && ref.name === name);
        return found && { pod: found.object, source };
      });
    },
    logs: (uid, container, attempt, options) =>
      (ownerOf(uid) ?? runtime).logs(uid, container, attempt, options),
    followLogs: (uid, container, attempt, onLine, signal) =>
      (ownerOf(uid) ?? runtime).followLogs(uid, container, attempt, onLine, signal),
  };
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function first<From, To>(all: readonly From[], give: (one: From) => To | undefined): To | undefined {
  for (const one of all) {
    const given = give(one);
    if (given !== undefined) return given;
  }
  return undefined;
}
