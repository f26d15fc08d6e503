import type { NextStep, Verdict } from './verdict.ts';

/** Who runs a pod, and so which tool its commands are typed into; `podvitals` where it is our own. */
export type PodSource = 'podvitals' | 'podman' | 'docker' | 'kubernetes' | 'cri';

/** On pods that others run: who does. */
export const SOURCE_ANNOTATION = 'podvitals.dev/source';

const SOURCES: readonly string[] = ['podman', 'docker', 'kubernetes', 'cri'] satisfies readonly PodSource[];

export function sourceOf(pod: {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
}): PodSource {
  const named = pod.metadata.annotations?.[SOURCE_ANNOTATION];
  return named !== undefined && SOURCES.includes(named) ? (named as PodSource) : 'podvitals';
}

type Words = readonly string[];
/** What a command of ours asks for, in the words of another tool; undefined where that has none. */
type Translate = (asked: Asked) => string | undefined;

interface Asked {
  readonly verb: string;
  /** Of `get` and `delete`. */
  readonly kind: string | undefined;
  readonly container: string | undefined;
  readonly previous: boolean;
  readonly follow: boolean;
  /** Words of a shell, quoted as they were. */
  readonly namespace: string;
  readonly name: string;
}

const kubectl: Translate = ({ verb, kind, container, previous, follow, namespace, name }) => {
  const about = `--namespace ${namespace} ${name}`;
  const flags = [previous && '--previous', follow && '--follow', container && `--container ${container}`];
  if (verb === 'logs') return ['kubectl logs', ...flags.filter(Boolean), about].join(' ');
  if (verb === 'describe') return `kubectl describe pod ${about}`;
  if (verb === 'events') return `kubectl events --namespace ${namespace} --for pod/${name}`;
  if (verb === 'get') return `kubectl get ${kind} -o yaml ${about}`;
  return verb === 'delete' ? `kubectl delete ${kind} ${about}` : undefined;
};

const engine =
  (tool: 'podman' | 'docker'): Translate =>
  ({ verb, container, follow, name }) => {
    // As kube play names them: POD-CONTAINER; a container without a pod is a pod of the same name here.
    const one = container === undefined || container === name ? name : `${name}-${container}`;
    if (verb === 'logs') return `${tool} logs ${follow ? '--follow ' : ''}${one}`;
    if (verb === 'describe' || verb === 'get') return `${tool} inspect ${one}`;
    if (verb === 'events') return `${tool} events --since 1h --until 0s --filter container=${one}`;
    return verb === 'delete' ? `${tool} restart ${one}` : undefined;
  };

const crictl: Translate = ({ verb, container, previous, follow, name }) => {
  if (verb === 'logs') {
    const state = previous ? '--state Exited ' : '';
    const which = container === undefined ? '' : `--name ${container} `;
    return `crictl logs ${follow ? '--follow ' : ''}"$(crictl ps --all --quiet --last 1 ${state}${which}--label io.kubernetes.pod.name=${name})"`;
  }
  if (verb === 'describe' || verb === 'get') return `crictl inspectp "$(crictl pods --quiet --name ${name})"`;
  return verb === 'events' ? `crictl ps --all --label io.kubernetes.pod.name=${name}` : undefined;
};

const TRANSLATIONS: Readonly<Record<Exclude<PodSource, 'podvitals'>, Translate>> = {
  kubernetes: kubectl,
  podman: engine('podman'),
  docker: engine('docker'),
  cri: crictl,
};

/**
 * A step as it is typed for a pod of this source. What only podvitals answers (`why`, `query`) stays; so does what the
 * tool has no word for.
 */
export function stepFor(step: NextStep, source: PodSource): NextStep {
  if (source === 'podvitals') return step;
  const asked = parse(step.command);
  const command = asked && TRANSLATIONS[source](asked);
  return command === undefined ? step : { ...step, command };
}

/** The verdict with its steps as they are typed for this pod. */
export function forSource(verdict: Verdict, pod: Parameters<typeof sourceOf>[0]): Verdict {
  const source = sourceOf(pod);
  return source === 'podvitals'
    ? verdict
    : { ...verdict, next: verdict.next.map((step) => stepFor(step, source)) };
}

// A word without blanks, or in single quotes; what is quoted in another way is left to podvitals.
const WORD = /^(?:'[^']*'|[^\s'"\\]+)$/;

function parse(command: string): Asked | undefined {
  const words: Words = command.match(/'[^']*'|[^\s]+/g) ?? [];
  const [tool, verb, ...rest] = words;
  if (tool !== 'podvitals' || verb === undefined || words.some((word) => !WORD.test(word))) return undefined;
  const flagOf = (flag: string) => {
    const at = rest.findIndex((word) => word === flag || word.startsWith(`${flag}=`));
    if (at < 0) return undefined;
    return rest[at] === flag ? rest[at + 1] : rest[at]!.slice(flag.length + 1);
  };
  const path = /^('?)([^/']+)\/([^/']+)\1$/.exec(
    verb === 'events' ? (flagOf('--for') ?? '') : (rest.at(-1) ?? ''),
  );
  if (path === null) return undefined;
  const quoted = (name: string) => (path[1] === '' ? name : `'${name}'`);
  return {
    verb,
    kind: verb === 'get' || verb === 'delete' ? rest[0] : undefined,
    container: flagOf('--container'),
    previous: rest.includes('--previous'),
    follow: rest.includes('--follow'),
    namespace: quoted(path[2]!),
    name: quoted(path[3]!),
  };
}
