import { family } from './family.ts';
import { NODE, OF_POD, OWNER, ofPoint, REASON } from './label.ts';

const { gauge } = family({ path: 'kube-state-metrics', labels: OF_POD });
const condition = [ofPoint('condition', 'podvitals.condition.status')];
const time = (otlp: string, help: string, stability: 'stable' | 'experimental' = 'stable') => ({
  unit: 's',
  help,
  otlp,
  stability,
});

/**
 * Kubernetes labels of pods that become Prometheus labels on `kube_pod_labels`, as kube-state-metrics does with
 * `--metric-labels-allowlist`: the ones our routing and dashboards read.
 */
export const PROMOTED_POD_LABELS = [
  'app.kubernetes.io/name',
  'app.kubernetes.io/part-of',
  'team',
  'tier',
  'user',
] as const;

/**
 * What kube-state-metrics says about pods. Source: kube-state-metrics docs/metrics/workload/pod-metrics.md, with the
 * values its internal/store/pod.go writes.
 */
export const podSignals = {
  info: gauge('kube_pod_info', {
    unit: '1',
    help: 'Where a pod runs and what created it; always 1.',
    labels: [
      ofPoint('host_ip'),
      ofPoint('pod_ip', 'k8s.pod.ip'),
      NODE,
      ofPoint('created_by_kind'),
      ofPoint('created_by_name'),
      ofPoint('priority_class'),
      ofPoint('host_network'),
    ],
    otlp: 'podvitals.pod.info',
  }),
  owner: gauge('kube_pod_owner', {
    unit: '1',
    help: "A pod's owner, one series each; a pod without owner has one series with three empty labels. Always 1.",
    labels: OWNER,
    otlp: 'podvitals.pod.owner',
  }),
  labels: gauge('kube_pod_labels', {
    unit: '1',
    help: 'Kubernetes labels of a pod, those that are promoted; always 1.',
    labels: PROMOTED_POD_LABELS.map((label) =>
      ofPoint(`label_${label.replace(/[^a-zA-Z0-9_]/g, '_')}`, `k8s.pod.label.${label}`),
    ),
    otlp: 'podvitals.pod.labels',
  }),
  phase: gauge('kube_pod_status_phase', {
    unit: '{pod}',
    help: '1 for the phase the pod is in, 0 for the four others.',
    labels: [ofPoint('phase', 'k8s.pod.status.phase')],
    otlp: 'k8s.pod.status.phase',
    additive: true,
  }),
  ready: gauge('kube_pod_status_ready', {
    unit: '{pod}',
    help: '1 for the status of the condition Ready, 0 for the two others.',
    labels: condition,
    otlp: 'podvitals.pod.status.ready',
    additive: true,
  }),
  scheduled: gauge('kube_pod_status_scheduled', {
    unit: '{pod}',
    help: '1 for the status of the condition PodScheduled, 0 for the two others.',
    labels: condition,
    otlp: 'podvitals.pod.status.scheduled',
    additive: true,
  }),
  reason: gauge('kube_pod_status_reason', {
    unit: '{pod}',
    help: 'Why a pod is in its phase; there only while true, then 1.',
    labels: [REASON],
    otlp: 'podvitals.pod.status.reason',
    additive: true,
    stability: 'experimental',
  }),
  qosClass: gauge('kube_pod_status_qos_class', {
    unit: '{pod}',
    help: '1 for the quality of service class the pod has, 0 for the two others.',
    labels: [ofPoint('qos_class')],
    otlp: 'podvitals.pod.status.qos_class',
    additive: true,
    stability: 'experimental',
  }),
  unschedulable: gauge('kube_pod_status_unschedulable', {
    unit: '{pod}',
    help: '1 while no node can take the pod; absent otherwise.',
    otlp: 'podvitals.pod.status.unschedulable',
    additive: true,
  }),
  restartPolicy: gauge('kube_pod_restart_policy', {
    unit: '1',
    help: "The pod's restart policy; always 1.",
    labels: [ofPoint('type', 'podvitals.restart_policy')],
    otlp: 'podvitals.pod.restart_policy',
  }),
  created: gauge(
    'kube_pod_created',
    time('podvitals.pod.created', 'When the pod was created, in Unix time.'),
  ),
  startTime: gauge(
    'kube_pod_start_time',
    time('podvitals.pod.start_time', 'When the node took the pod on, in Unix time.'),
  ),
  completionTime: gauge(
    'kube_pod_completion_time',
    time('podvitals.pod.completion_time', 'When the last container to end so far ended, in Unix time.'),
  ),
  deletionTimestamp: gauge(
    'kube_pod_deletion_timestamp',
    time('podvitals.pod.deletion_time', 'When the pod is to be gone, in Unix time.', 'experimental'),
  ),
  scheduledTime: gauge(
    'kube_pod_status_scheduled_time',
    time('podvitals.pod.status.scheduled_time', 'When the pod was given its node, in Unix time.'),
  ),
  initializedTime: gauge(
    'kube_pod_status_initialized_time',
    time(
      'podvitals.pod.status.initialized_time',
      'When the init containers were done, in Unix time.',
      'experimental',
    ),
  ),
  containerReadyTime: gauge(
    'kube_pod_status_container_ready_time',
    time(
      'podvitals.pod.status.container_ready_time',
      'Since when all containers are ready, in Unix time.',
      'experimental',
    ),
  ),
  readyTime: gauge(
    'kube_pod_status_ready_time',
    time('podvitals.pod.status.ready_time', 'Since when the pod is ready, in Unix time.', 'experimental'),
  ),
};
