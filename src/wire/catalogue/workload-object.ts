import { family } from './family.ts';
import { NAMESPACE, NODE, ofPoint, ofResource } from './label.ts';
import type { Signal } from './signal.ts';

const deployment = family({
  path: 'kube-state-metrics',
  labels: [NAMESPACE, ofResource('deployment', 'k8s.deployment.name')],
});
const pods = (name: string, help: string, otlp: string) =>
  deployment.gauge(name, { unit: '{pod}', help, otlp, additive: true });

/** Source: kube-state-metrics docs/metrics/workload/deployment-metrics.md */
export const deploymentSignals = {
  created: deployment.gauge('kube_deployment_created', {
    unit: 's',
    help: 'When the Deployment was created, in Unix time.',
    otlp: 'podvitals.deployment.created',
  }),
  specReplicas: pods('kube_deployment_spec_replicas', 'Pods wanted.', 'k8s.deployment.pod.desired'),
  replicas: pods('kube_deployment_status_replicas', 'Pods there are.', 'podvitals.deployment.pod.current'),
  ready: pods(
    'kube_deployment_status_replicas_ready',
    'Pods that are ready.',
    'podvitals.deployment.pod.ready',
  ),
  available: pods(
    'kube_deployment_status_replicas_available',
    'Pods that have been ready for minReadySeconds.',
    'k8s.deployment.pod.available',
  ),
  unavailable: pods(
    'kube_deployment_status_replicas_unavailable',
    'Pods that are missing or not available.',
    'podvitals.deployment.pod.unavailable',
  ),
  updated: pods(
    'kube_deployment_status_replicas_updated',
    'Pods made from the present template.',
    'podvitals.deployment.pod.updated',
  ),
  observedGeneration: deployment.gauge('kube_deployment_status_observed_generation', {
    unit: '1',
    help: 'The generation of the Deployment that is acted on.',
    otlp: 'podvitals.deployment.observed_generation',
  }),
  generation: deployment.gauge('kube_deployment_metadata_generation', {
    unit: '1',
    help: 'The generation of the Deployment that was last asked for.',
    otlp: 'podvitals.deployment.generation',
  }),
  paused: deployment.gauge('kube_deployment_spec_paused', {
    unit: '1',
    help: '1 while the Deployment is paused.',
    otlp: 'podvitals.deployment.paused',
  }),
  condition: deployment.gauge('kube_deployment_status_condition', {
    unit: '1',
    help: '1 for the status of a condition, 0 for the two others.',
    labels: [
      ofPoint('reason', 'podvitals.condition.reason'),
      ofPoint('condition', 'podvitals.condition.type'),
      ofPoint('status', 'podvitals.condition.status'),
    ],
    otlp: 'podvitals.deployment.condition',
  }),
};

export const namespaceSignals = {
  phase: family({ path: 'kube-state-metrics', labels: [NAMESPACE] }).gauge('kube_namespace_status_phase', {
    unit: '{namespace}',
    help: '1 for the phase the namespace is in, 0 for the other.',
    labels: [ofPoint('phase', 'k8s.namespace.phase')],
    otlp: 'podvitals.namespace.status.phase',
    additive: true,
  }),
};

const node = family({ path: 'kube-state-metrics', labels: [NODE] });
const NODE_RESOURCES = [
  { key: 'cpu', unit: 'core', otlpUnit: '{cpu}' },
  { key: 'memory', unit: 'byte', otlpUnit: 'By' },
] as const;

function nodeResources(
  name: string,
  help: string,
  otlp: (resource: string) => string,
): { readonly cpu: Signal; readonly memory: Signal } {
  const entries = NODE_RESOURCES.map(({ key, unit, otlpUnit }) => [
    key,
    node.gauge(name, {
      unit: otlpUnit,
      help,
      constants: [
        ['resource', key],
        ['unit', unit],
      ],
      otlp: otlp(key),
      additive: true,
    }),
  ]);
  return Object.fromEntries(entries);
}

// kube_node_info is left out on purpose: kubernetes-mixin's KubeletDown (critical) fires when it exists without an
// `up{job="kubelet"}`, and a store that is pushed to has no `up`.
export const nodeCapacity = nodeResources(
  'kube_node_status_capacity',
  'What the node has of a resource, in cores or bytes.',
  (resource) => `podvitals.node.${resource}.capacity`,
);
export const nodeAllocatable = nodeResources(
  'kube_node_status_allocatable',
  'What pods may use of a resource of the node, in cores or bytes.',
  (resource) => `k8s.node.${resource}.allocatable`,
);

export const nodeSignals = {
  condition: node.gauge('kube_node_status_condition', {
    unit: '1',
    help: '1 for the status each condition of the node has, 0 for the others.',
    labels: [
      ofPoint('condition', 'podvitals.node.condition'),
      ofPoint('status', 'podvitals.node.condition.status'),
    ],
    otlp: 'podvitals.node.status.condition',
    additive: true,
  }),
  unschedulable: node.gauge('kube_node_spec_unschedulable', {
    unit: '1',
    help: '1 while the node is cordoned: it takes no new pods.',
    otlp: 'podvitals.node.spec.unschedulable',
  }),
  taint: node.gauge('kube_node_spec_taint', {
    unit: '1',
    help: 'A taint of the node; always 1.',
    labels: [ofPoint('key'), ofPoint('value'), ofPoint('effect')],
    otlp: 'podvitals.node.spec.taint',
  }),
};
