import type { PodTemplate } from '../../../model/kubernetes.ts';
import type { Service } from '../../../model/kubernetes-service.ts';
import type { CronJob, DaemonSet, Deployment, Job, StatefulSet } from '../../../model/kubernetes-workload.ts';
import { withDefaults } from './defaulting.ts';

const templateOf = (template: PodTemplate): PodTemplate => ({
  ...template,
  spec: withDefaults(template.spec),
});

// Source: kubernetes/pkg/apis/apps/v1/defaults.go, pkg/apis/batch/v1/defaults.go, pkg/apis/core/v1/defaults.go

/** Replicas left out stay left out: the manifest does not say. */
export function withDeploymentDefaults(spec: Deployment['spec']): Deployment['spec'] {
  const { type = 'RollingUpdate', rollingUpdate } = spec.strategy ?? {};
  return {
    progressDeadlineSeconds: 600,
    revisionHistoryLimit: 10,
    ...spec,
    strategy:
      type === 'Recreate'
        ? { type }
        : { type, rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%', ...rollingUpdate } },
    template: templateOf(spec.template),
  };
}

export function withStatefulSetDefaults(spec: StatefulSet['spec']): StatefulSet['spec'] {
  const { type = 'RollingUpdate', rollingUpdate } = spec.updateStrategy ?? {};
  return {
    podManagementPolicy: 'OrderedReady',
    revisionHistoryLimit: 10,
    ...spec,
    persistentVolumeClaimRetentionPolicy: {
      whenDeleted: 'Retain',
      whenScaled: 'Retain',
      ...spec.persistentVolumeClaimRetentionPolicy,
    },
    updateStrategy:
      type === 'OnDelete' ? { type } : { type, rollingUpdate: { partition: 0, ...rollingUpdate } },
    template: templateOf(spec.template),
  };
}

export function withDaemonSetDefaults(spec: DaemonSet['spec']): DaemonSet['spec'] {
  const { type = 'RollingUpdate', rollingUpdate } = spec.updateStrategy ?? {};
  return {
    revisionHistoryLimit: 10,
    ...spec,
    updateStrategy:
      type === 'OnDelete'
        ? { type }
        : { type, rollingUpdate: { maxSurge: 0, maxUnavailable: 1, ...rollingUpdate } },
    template: templateOf(spec.template),
  };
}

export function withJobDefaults(spec: Job['spec']): Job['spec'] {
  const { parallelism = 1 } = spec;
  return {
    // Where each index has its own tries, those of all are not limited.
    backoffLimit: spec.backoffLimitPerIndex === undefined ? 6 : 2 ** 31 - 1,
    suspend: false,
    // With neither, one pod is to succeed; with parallelism alone, the first success is enough.
    ...(spec.completions === undefined && spec.parallelism === undefined ? { completions: 1 } : {}),
    ...spec,
    parallelism,
    podReplacementPolicy:
      spec.podReplacementPolicy ?? (spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed'),
    template: templateOf(spec.template),
  };
}

export function withCronJobDefaults(spec: CronJob['spec']): CronJob['spec'] {
  return {
    concurrencyPolicy: 'Allow',
    suspend: false,
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 1,
    ...spec,
    jobTemplate: { ...spec.jobTemplate, spec: withJobDefaults(spec.jobTemplate.spec) },
  };
}

export function withServiceDefaults(spec: Service['spec']): Service['spec'] {
  return {
    type: 'ClusterIP',
    ...spec,
    ...(spec.ports && {
      ports: spec.ports.map((port) => ({ protocol: 'TCP', targetPort: port.port, ...port })),
    }),
  };
}
