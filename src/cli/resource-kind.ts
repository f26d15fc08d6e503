import { InvalidArgumentError } from 'commander';
import type { KubernetesObject } from '../model/kubernetes-object.ts';

export interface ResourceKind {
  readonly kind: KubernetesObject['kind'];
  readonly base: string;
  readonly plural: string;
  readonly names: readonly string[];
  /** It has no namespace; the agent keeps it in `default`. */
  readonly clusterScoped?: boolean;
}

const core = (kind: ResourceKind['kind'], plural: string, ...names: readonly string[]): ResourceKind => ({
  kind,
  base: '/api/v1',
  plural,
  names: [plural, kind.toLowerCase(), ...names],
});
const apps = (kind: ResourceKind['kind'], plural: string, ...names: readonly string[]): ResourceKind => ({
  ...core(kind, plural, ...names),
  base: '/apis/apps/v1',
});
const batch = (kind: ResourceKind['kind'], plural: string, ...names: readonly string[]): ResourceKind => ({
  ...core(kind, plural, ...names),
  base: '/apis/batch/v1',
});

const KINDS: readonly ResourceKind[] = [
  core('Pod', 'pods', 'po'),
  apps('Deployment', 'deployments', 'deploy'),
  apps('ReplicaSet', 'replicasets', 'rs'),
  apps('StatefulSet', 'statefulsets', 'sts'),
  apps('DaemonSet', 'daemonsets', 'ds'),
  apps('ControllerRevision', 'controllerrevisions'),
  batch('Job', 'jobs'),
  batch('CronJob', 'cronjobs', 'cj'),
  core('Service', 'services', 'svc'),
  core('Endpoints', 'endpoints', 'ep'),
  { ...core('PodDisruptionBudget', 'poddisruptionbudgets', 'pdb'), base: '/apis/policy/v1' },
  {
    ...core('PriorityClass', 'priorityclasses', 'pc'),
    base: '/apis/scheduling.k8s.io/v1',
    clusterScoped: true,
  },
  core('ConfigMap', 'configmaps', 'cm'),
  core('Secret', 'secrets'),
];

/** The one kind without a namespace. */
export const isNodeWord = (word: string) => ['nodes', 'node', 'no'].includes(word.toLowerCase());

/** The kind a user means by `po`, `pods`, `deploy`, `deployments.apps`, … */
export function findResourceKind(word: string): ResourceKind | undefined {
  const [name, ...group] = word.toLowerCase().split('.');
  return KINDS.find(
    (kind) => kind.names.includes(name!) && (group.length === 0 || group.join('.') === groupOf(kind)),
  );
}

/** @throws InvalidArgumentError with the kinds there are. */
export function resourceKind(word: string): ResourceKind {
  const found = findResourceKind(word);
  if (found) return found;
  if (['events', 'event', 'ev'].includes(word.toLowerCase()))
    throw new InvalidArgumentError('write: podvitals events');
  throw new InvalidArgumentError(
    `there is no resource "${word}" here; there are ${KINDS.map((kind) => kind.names[0]).join(', ')}`,
  );
}

/** `pod`, `deployment.apps`, as kubectl names a kind before a slash. */
export function kindWord(kind: ResourceKind | 'Node'): string {
  if (kind === 'Node') return 'node';
  const group = groupOf(kind);
  return `${kind.kind.toLowerCase()}${group === '' ? '' : `.${group}`}`;
}

const groupOf = ({ base }: ResourceKind) => (base.startsWith('/apis/') ? base.split('/')[2]! : '');

export function collectionPath(kind: ResourceKind, namespace: string | undefined): string {
  if (namespace === undefined || kind.clusterScoped) return `${kind.base}/${kind.plural}`;
  return `${kind.base}/namespaces/${encodeURIComponent(namespace)}/${kind.plural}`;
}

export function objectPath(kind: ResourceKind, namespace: string, name: string): string {
  const own = encodeURIComponent(kind.clusterScoped ? 'default' : namespace);
  return `${kind.base}/namespaces/${own}/${kind.plural}/${encodeURIComponent(name)}`;
}
