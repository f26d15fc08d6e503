import type { KubernetesObject } from '../../model/kubernetes-object.ts';

/** The API's path of each kind: group and plural name. */
export const RESOURCES: readonly {
  readonly base: string;
  readonly plural: string;
  readonly kind: KubernetesObject['kind'];
  readonly apiVersion: string;
}[] = [
  { base: '/api/v1', plural: 'pods', kind: 'Pod', apiVersion: 'v1' },
  { base: '/api/v1', plural: 'services', kind: 'Service', apiVersion: 'v1' },
  { base: '/api/v1', plural: 'endpoints', kind: 'Endpoints', apiVersion: 'v1' },
  { base: '/api/v1', plural: 'configmaps', kind: 'ConfigMap', apiVersion: 'v1' },
  { base: '/api/v1', plural: 'secrets', kind: 'Secret', apiVersion: 'v1' },
  { base: '/apis/apps/v1', plural: 'deployments', kind: 'Deployment', apiVersion: 'apps/v1' },
  { base: '/apis/apps/v1', plural: 'replicasets', kind: 'ReplicaSet', apiVersion: 'apps/v1' },
  { base: '/apis/apps/v1', plural: 'statefulsets', kind: 'StatefulSet', apiVersion: 'apps/v1' },
  { base: '/apis/apps/v1', plural: 'daemonsets', kind: 'DaemonSet', apiVersion: 'apps/v1' },
  {
    base: '/apis/apps/v1',
    plural: 'controllerrevisions',
    kind: 'ControllerRevision',
    apiVersion: 'apps/v1',
  },
  {
    base: '/apis/policy/v1',
    plural: 'poddisruptionbudgets',
    kind: 'PodDisruptionBudget',
    apiVersion: 'policy/v1',
  },
  {
    base: '/apis/scheduling.k8s.io/v1',
    plural: 'priorityclasses',
    kind: 'PriorityClass',
    apiVersion: 'scheduling.k8s.io/v1',
  },
  { base: '/apis/batch/v1', plural: 'jobs', kind: 'Job', apiVersion: 'batch/v1' },
  { base: '/apis/batch/v1', plural: 'cronjobs', kind: 'CronJob', apiVersion: 'batch/v1' },
];
