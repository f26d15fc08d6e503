import { InvalidArgumentError } from 'commander';

export interface ResourceKind {
  readonly kind: 'Pod' | 'Deployment' | 'ConfigMap' | 'Secret';
  readonly base: string;
  readonly plural: string;
  readonly names: readonly string[];
}

const KINDS: readonly ResourceKind[] = [
  { kind: 'Pod', base: '/api/v1', plural: 'pods', names: ['pods', 'pod', 'po'] },
  {
    kind: 'Deployment',
    base: '/apis/apps/v1',
    plural: 'deployments',
    names: ['deployments', 'deployment', 'deploy'],
  },
  { kind: 'ConfigMap', base: '/api/v1', plural: 'configmaps', names: ['configmaps', 'configmap', 'cm'] },
  { kind: 'Secret', base: '/api/v1', plural: 'secrets', names: ['secrets', 'secret'] },
];

/** The kind a user means by `po`, `pods`, `deploy`, … */
export function resourceKind(word: string): ResourceKind {
  const found = KINDS.find((kind) => kind.names.includes(word.toLowerCase()));
  if (found) return found;
  throw new InvalidArgumentError(
    `there is no resource "${word}" here; there are ${KINDS.map((kind) => kind.names[0]).join(', ')}`,
  );
}

export function collectionPath(kind: ResourceKind, namespace: string | undefined): string {
  return namespace === undefined
    ? `${kind.base}/${kind.plural}`
    : `${kind.base}/namespaces/${encodeURIComponent(namespace)}/${kind.plural}`;
}

export function objectPath(kind: ResourceKind, namespace: string, name: string): string {
  return `${collectionPath(kind, namespace)}/${encodeURIComponent(name)}`;
}
