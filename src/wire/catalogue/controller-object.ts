import { family } from './family.ts';
import { NAMESPACE, OWNER, ofPoint, ofResource } from './label.ts';

const time = (help: string, otlp: string) => ({ unit: 's', help, otlp });
const pods = (help: string, otlp: string) => ({ unit: '{pod}', help, otlp, additive: true });
const number = (help: string, otlp: string) => ({ unit: '1', help, otlp });
const condition = ofPoint('condition', 'podvitals.condition.status');

const ofReplicaSet = family({
  path: 'kube-state-metrics',
  labels: [NAMESPACE, ofResource('replicaset', 'k8s.replicaset.name')],
}).gauge;

/** Source: kube-state-metrics docs/metrics/workload/replicaset-metrics.md */
export const replicaSetSignals = {
  owner: ofReplicaSet('kube_replicaset_owner', {
    unit: '1',
    help: "A ReplicaSet's owner; one without owner has one series with three empty labels. Always 1.",
    labels: OWNER,
    otlp: 'podvitals.replicaset.owner',
  }),
  created: ofReplicaSet(
    'kube_replicaset_created',
    time('When the ReplicaSet was created, in Unix time.', 'podvitals.replicaset.created'),
  ),
  specReplicas: ofReplicaSet(
    'kube_replicaset_spec_replicas',
    pods('Pods wanted.', 'k8s.replicaset.pod.desired'),
  ),
  replicas: ofReplicaSet(
    'kube_replicaset_status_replicas',
    pods('Pods there are.', 'podvitals.replicaset.pod.current'),
  ),
  fullyLabeled: ofReplicaSet(
    'kube_replicaset_status_fully_labeled_replicas',
    pods('Pods that carry all labels of the template.', 'podvitals.replicaset.pod.fully_labeled'),
  ),
  ready: ofReplicaSet(
    'kube_replicaset_status_ready_replicas',
    pods('Pods that are ready.', 'podvitals.replicaset.pod.ready'),
  ),
  observedGeneration: ofReplicaSet(
    'kube_replicaset_status_observed_generation',
    number('The generation of the ReplicaSet that is acted on.', 'podvitals.replicaset.observed_generation'),
  ),
  generation: ofReplicaSet(
    'kube_replicaset_metadata_generation',
    number('The generation of the ReplicaSet that was last asked for.', 'podvitals.replicaset.generation'),
  ),
};

const ofStatefulSet = family({
  path: 'kube-state-metrics',
  labels: [NAMESPACE, ofResource('statefulset', 'k8s.statefulset.name')],
}).gauge;
const revision = [ofPoint('revision', 'podvitals.revision')];

/** Source: kube-state-metrics docs/metrics/workload/statefulset-metrics.md */
export const statefulSetSignals = {
  created: ofStatefulSet(
    'kube_statefulset_created',
    time('When the StatefulSet was created, in Unix time.', 'podvitals.statefulset.created'),
  ),
  specReplicas: ofStatefulSet(
    'kube_statefulset_replicas',
    pods('Pods wanted.', 'k8s.statefulset.pod.desired'),
  ),
  replicas: ofStatefulSet(
    'kube_statefulset_status_replicas',
    pods('Pods there are.', 'podvitals.statefulset.pod.there'),
  ),
  current: ofStatefulSet(
    'kube_statefulset_status_replicas_current',
    pods('Pods of the revision that was rolled out last.', 'k8s.statefulset.pod.current'),
  ),
  ready: ofStatefulSet(
    'kube_statefulset_status_replicas_ready',
    pods('Pods that are ready.', 'k8s.statefulset.pod.ready'),
  ),
  available: ofStatefulSet('kube_statefulset_status_replicas_available', {
    ...pods('Pods that have been ready for minReadySeconds.', 'k8s.statefulset.pod.available'),
    stability: 'experimental',
  }),
  updated: ofStatefulSet(
    'kube_statefulset_status_replicas_updated',
    pods('Pods made from the present template.', 'k8s.statefulset.pod.updated'),
  ),
  observedGeneration: ofStatefulSet(
    'kube_statefulset_status_observed_generation',
    number(
      'The generation of the StatefulSet that is acted on.',
      'podvitals.statefulset.observed_generation',
    ),
  ),
  generation: ofStatefulSet(
    'kube_statefulset_metadata_generation',
    number('The generation of the StatefulSet that was last asked for.', 'podvitals.statefulset.generation'),
  ),
  currentRevision: ofStatefulSet('kube_statefulset_status_current_revision', {
    ...number('The revision that was rolled out last; always 1.', 'podvitals.statefulset.current_revision'),
    labels: revision,
  }),
  updateRevision: ofStatefulSet('kube_statefulset_status_update_revision', {
    ...number('The revision of the present template; always 1.', 'podvitals.statefulset.update_revision'),
    labels: revision,
  }),
  claimRetention: ofStatefulSet('kube_statefulset_persistentvolumeclaim_retention_policy', {
    ...number(
      'What becomes of its claims when it is deleted or scaled down: Retain or Delete; always 1.',
      'podvitals.statefulset.claim_retention',
    ),
    labels: [
      ofPoint('when_deleted', 'podvitals.when_deleted'),
      ofPoint('when_scaled', 'podvitals.when_scaled'),
    ],
    stability: 'experimental',
  }),
};

const ofDaemonSet = family({
  path: 'kube-state-metrics',
  labels: [NAMESPACE, ofResource('daemonset', 'k8s.daemonset.name')],
}).gauge;
const nodes = (help: string, otlp: string) => ({ unit: '{node}', help, otlp, additive: true });

/** Source: kube-state-metrics docs/metrics/workload/daemonset-metrics.md */
export const daemonSetSignals = {
  created: ofDaemonSet(
    'kube_daemonset_created',
    time('When the DaemonSet was created, in Unix time.', 'podvitals.daemonset.created'),
  ),
  desired: ofDaemonSet(
    'kube_daemonset_status_desired_number_scheduled',
    nodes('Nodes that should run its pod.', 'k8s.daemonset.node.desired_scheduled'),
  ),
  current: ofDaemonSet(
    'kube_daemonset_status_current_number_scheduled',
    nodes('Nodes that run its pod and should.', 'k8s.daemonset.node.current_scheduled'),
  ),
  ready: ofDaemonSet(
    'kube_daemonset_status_number_ready',
    nodes('Nodes whose pod is ready.', 'k8s.daemonset.node.ready'),
  ),
  available: ofDaemonSet(
    'kube_daemonset_status_number_available',
    nodes('Nodes whose pod has been ready for minReadySeconds.', 'podvitals.daemonset.node.available'),
  ),
  unavailable: ofDaemonSet(
    'kube_daemonset_status_number_unavailable',
    nodes('Nodes whose pod is missing or not available.', 'podvitals.daemonset.node.unavailable'),
  ),
  misscheduled: ofDaemonSet(
    'kube_daemonset_status_number_misscheduled',
    nodes('Nodes that run its pod and should not.', 'k8s.daemonset.node.misscheduled'),
  ),
  updated: ofDaemonSet(
    'kube_daemonset_status_updated_number_scheduled',
    nodes('Nodes whose pod is made from the present template.', 'podvitals.daemonset.node.updated'),
  ),
  observedGeneration: ofDaemonSet(
    'kube_daemonset_status_observed_generation',
    number('The generation of the DaemonSet that is acted on.', 'podvitals.daemonset.observed_generation'),
  ),
  generation: ofDaemonSet(
    'kube_daemonset_metadata_generation',
    number('The generation of the DaemonSet that was last asked for.', 'podvitals.daemonset.generation'),
  ),
};

const ofJob = family({
  path: 'kube-state-metrics',
  labels: [NAMESPACE, ofResource('job_name', 'k8s.job.name')],
}).gauge;

/** Source: kube-state-metrics docs/metrics/workload/job-metrics.md and internal/store/job.go */
export const jobSignals = {
  info: ofJob('kube_job_info', number('The Job; always 1.', 'podvitals.job.info')),
  owner: ofJob('kube_job_owner', {
    ...number(
      "A Job's owner; one without owner has one series with three empty labels. Always 1.",
      'podvitals.job.owner',
    ),
    labels: OWNER,
  }),
  created: ofJob(
    'kube_job_created',
    time('When the Job was created, in Unix time.', 'podvitals.job.created'),
  ),
  parallelism: ofJob(
    'kube_job_spec_parallelism',
    pods('Pods that may run at a time.', 'k8s.job.pod.max_parallel'),
  ),
  completions: ofJob(
    'kube_job_spec_completions',
    pods('Pods that must end well.', 'k8s.job.pod.desired_successful'),
  ),
  activeDeadline: ofJob(
    'kube_job_spec_active_deadline_seconds',
    time('How long the Job may take.', 'podvitals.job.active_deadline'),
  ),
  active: ofJob('kube_job_status_active', pods('Pods that are not over.', 'k8s.job.pod.active')),
  ready: ofJob('kube_job_status_ready', {
    ...pods('Pods that are ready.', 'podvitals.job.pod.ready'),
    stability: 'experimental',
  }),
  succeeded: ofJob('kube_job_status_succeeded', pods('Pods that ended well.', 'k8s.job.pod.successful')),
  failed: ofJob('kube_job_status_failed', {
    ...pods(
      'Pods that failed; once the Job has failed, 1 for the reason it failed for and 0 for the others.',
      'k8s.job.pod.failed',
    ),
    labels: [ofPoint('reason', 'podvitals.job.failure_reason')],
  }),
  startTime: ofJob(
    'kube_job_status_start_time',
    time('When the Job began, in Unix time.', 'podvitals.job.start_time'),
  ),
  completionTime: ofJob(
    'kube_job_status_completion_time',
    time('When the Job was complete, in Unix time.', 'podvitals.job.completion_time'),
  ),
  complete: ofJob('kube_job_complete', {
    ...number('1 for the status of the condition Complete, 0 for the two others.', 'podvitals.job.complete'),
    labels: [condition],
  }),
  hasFailed: ofJob('kube_job_failed', {
    ...number('1 for the status of the condition Failed, 0 for the two others.', 'podvitals.job.failed'),
    labels: [condition],
  }),
  suspended: ofJob('kube_job_status_suspended', {
    ...number('1 while the Job is suspended.', 'podvitals.job.suspended'),
    stability: 'experimental',
  }),
};

const ofCronJob = family({
  path: 'kube-state-metrics',
  labels: [NAMESPACE, ofResource('cronjob', 'k8s.cronjob.name')],
}).gauge;

/** Source: kube-state-metrics docs/metrics/workload/cronjob-metrics.md */
export const cronJobSignals = {
  info: ofCronJob('kube_cronjob_info', {
    ...number('When the CronJob is due; always 1.', 'podvitals.cronjob.info'),
    labels: [ofPoint('schedule'), ofPoint('concurrency_policy'), ofPoint('timezone')],
  }),
  created: ofCronJob(
    'kube_cronjob_created',
    time('When the CronJob was created, in Unix time.', 'podvitals.cronjob.created'),
  ),
  nextSchedule: ofCronJob(
    'kube_cronjob_next_schedule_time',
    time('When it is due next, in Unix time.', 'podvitals.cronjob.next_schedule_time'),
  ),
  active: ofCronJob('kube_cronjob_status_active', {
    unit: '{job}',
    help: 'Jobs of it that are not over.',
    otlp: 'k8s.cronjob.job.active',
    additive: true,
  }),
  lastSchedule: ofCronJob(
    'kube_cronjob_status_last_schedule_time',
    time('When it was last due and made a Job, in Unix time.', 'podvitals.cronjob.last_schedule_time'),
  ),
  lastSuccessful: ofCronJob(
    'kube_cronjob_status_last_successful_time',
    time('When a Job of it was last complete, in Unix time.', 'podvitals.cronjob.last_successful_time'),
  ),
  suspend: ofCronJob(
    'kube_cronjob_spec_suspend',
    number('1 while it makes no Jobs.', 'podvitals.cronjob.suspend'),
  ),
  startingDeadline: ofCronJob(
    'kube_cronjob_spec_starting_deadline_seconds',
    time('How late a Job may still be made.', 'podvitals.cronjob.starting_deadline'),
  ),
  successfulHistory: ofCronJob('kube_cronjob_spec_successful_job_history_limit', {
    ...number('Jobs that ended well that are kept.', 'podvitals.cronjob.successful_history_limit'),
    stability: 'experimental',
  }),
  failedHistory: ofCronJob('kube_cronjob_spec_failed_job_history_limit', {
    ...number('Failed Jobs that are kept.', 'podvitals.cronjob.failed_history_limit'),
    stability: 'experimental',
  }),
};
