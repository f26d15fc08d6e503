import type { LabelSelector, ObjectMeta, PodTemplate } from './kubernetes.ts';

/** A number, or a share of another number: `1`, `25%`. */
export type IntOrString = number | string;

/** A condition of a workload, as the API shows it; times are RFC 3339 in whole seconds. */
export interface WorkloadCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime: string;
  /** Deployments: when it was last true anew. */
  readonly lastUpdateTime?: string;
  /** Jobs. */
  readonly lastProbeTime?: string;
}

export interface Deployment {
  readonly apiVersion: 'apps/v1';
  readonly kind: 'Deployment';
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly replicas: number;
    readonly selector: LabelSelector;
    readonly template: PodTemplate;
    readonly minReadySeconds?: number;
    readonly progressDeadlineSeconds?: number;
    readonly revisionHistoryLimit?: number;
    readonly paused?: boolean;
    readonly strategy?: {
      readonly type?: 'RollingUpdate' | 'Recreate';
      readonly rollingUpdate?: { readonly maxSurge?: IntOrString; readonly maxUnavailable?: IntOrString };
    };
  };
  readonly status: {
    readonly observedGeneration: number;
    readonly replicas: number;
    readonly updatedReplicas: number;
    readonly readyReplicas: number;
    readonly availableReplicas: number;
    readonly unavailableReplicas: number;
    readonly conditions?: readonly WorkloadCondition[];
  };
}

export interface ReplicaSet {
  readonly apiVersion: 'apps/v1';
  readonly kind: 'ReplicaSet';
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly replicas: number;
    readonly selector: LabelSelector;
    readonly template: PodTemplate;
    readonly minReadySeconds?: number;
  };
  readonly status: {
    readonly observedGeneration: number;
    readonly replicas: number;
    readonly fullyLabeledReplicas: number;
    readonly readyReplicas: number;
    readonly availableReplicas: number;
    readonly conditions?: readonly WorkloadCondition[];
  };
}

/** What a StatefulSet asks for each of its pods; kept without limit of size. */
export interface VolumeClaimTemplate {
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly resources?: { readonly requests?: Readonly<Record<string, string>> } };
}

export interface StatefulSet {
  readonly apiVersion: 'apps/v1';
  readonly kind: 'StatefulSet';
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly replicas: number;
    readonly selector: LabelSelector;
    readonly template: PodTemplate;
    readonly volumeClaimTemplates?: readonly VolumeClaimTemplate[];
    /** What becomes of the data when the set is deleted, or scaled below their pod; Retain when left out. */
    readonly persistentVolumeClaimRetentionPolicy?: {
      readonly whenDeleted?: 'Retain' | 'Delete';
      readonly whenScaled?: 'Retain' | 'Delete';
    };
    readonly serviceName?: string;
    readonly minReadySeconds?: number;
    readonly revisionHistoryLimit?: number;
    readonly podManagementPolicy?: 'OrderedReady' | 'Parallel';
    readonly ordinals?: { readonly start?: number };
    readonly updateStrategy?: {
      readonly type?: 'RollingUpdate' | 'OnDelete';
      readonly rollingUpdate?: { readonly partition?: number };
    };
  };
  readonly status: {
    readonly observedGeneration: number;
    readonly replicas: number;
    readonly readyReplicas: number;
    readonly availableReplicas: number;
    readonly currentReplicas: number;
    readonly updatedReplicas: number;
    readonly currentRevision: string;
    readonly updateRevision: string;
  };
}

export interface DaemonSet {
  readonly apiVersion: 'apps/v1';
  readonly kind: 'DaemonSet';
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly selector: LabelSelector;
    readonly template: PodTemplate;
    readonly minReadySeconds?: number;
    readonly revisionHistoryLimit?: number;
    readonly updateStrategy?: {
      readonly type?: 'RollingUpdate' | 'OnDelete';
      readonly rollingUpdate?: { readonly maxSurge?: IntOrString; readonly maxUnavailable?: IntOrString };
    };
  };
  readonly status: {
    readonly observedGeneration: number;
    readonly desiredNumberScheduled: number;
    readonly currentNumberScheduled: number;
    readonly numberReady: number;
    readonly numberAvailable: number;
    readonly numberUnavailable: number;
    readonly numberMisscheduled: number;
    readonly updatedNumberScheduled: number;
  };
}

/** A template that a StatefulSet or DaemonSet had, to go back to. */
export interface ControllerRevision {
  readonly apiVersion: 'apps/v1';
  readonly kind: 'ControllerRevision';
  readonly metadata: ObjectMeta;
  readonly revision: number;
  readonly data: { readonly spec: { readonly template: PodTemplate } };
}

export interface Job {
  readonly apiVersion: 'batch/v1';
  readonly kind: 'Job';
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly template: PodTemplate;
    readonly parallelism?: number;
    readonly completions?: number;
    readonly completionMode?: 'NonIndexed' | 'Indexed';
    readonly backoffLimit?: number;
    /** Of an indexed Job: each index has its own tries. */
    readonly backoffLimitPerIndex?: number;
    readonly maxFailedIndexes?: number;
    readonly activeDeadlineSeconds?: number;
    readonly ttlSecondsAfterFinished?: number;
    readonly suspend?: boolean;
    readonly podReplacementPolicy?: 'TerminatingOrFailed' | 'Failed';
    /** The first rule that matches a failed pod says what becomes of it. */
    readonly podFailurePolicy?: {
      readonly rules: readonly {
        readonly action: 'FailJob' | 'FailIndex' | 'Ignore' | 'Count';
        readonly onExitCodes?: {
          readonly containerName?: string;
          readonly operator: 'In' | 'NotIn';
          readonly values: readonly number[];
        };
        readonly onPodConditions?: readonly { readonly type: string; readonly status?: string }[];
      }[];
    };
    /** Of an indexed Job: the first rule that is met ends it well, though not all indexes have succeeded. */
    readonly successPolicy?: {
      readonly rules: readonly {
        /** `0,2-4`. */
        readonly succeededIndexes?: string;
        readonly succeededCount?: number;
      }[];
    };
  };
  readonly status: {
    readonly active: number;
    readonly ready: number;
    readonly terminating: number;
    readonly succeeded: number;
    readonly failed: number;
    readonly startTime?: string;
    readonly completionTime?: string;
    /** `0-2,5`, of an indexed Job. */
    readonly completedIndexes?: string;
    readonly failedIndexes?: string;
    readonly conditions?: readonly WorkloadCondition[];
  };
}

export interface CronJob {
  readonly apiVersion: 'batch/v1';
  readonly kind: 'CronJob';
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly schedule: string;
    readonly timeZone?: string;
    readonly startingDeadlineSeconds?: number;
    readonly concurrencyPolicy?: 'Allow' | 'Forbid' | 'Replace';
    readonly suspend?: boolean;
    readonly successfulJobsHistoryLimit?: number;
    readonly failedJobsHistoryLimit?: number;
    readonly jobTemplate: {
      readonly metadata?: PodTemplate['metadata'];
      readonly spec: Job['spec'];
    };
  };
  readonly status: {
    readonly active?: readonly {
      readonly apiVersion: string;
      readonly kind: string;
      readonly namespace: string;
      readonly name: string;
      readonly uid: string;
    }[];
    readonly lastScheduleTime?: string;
    readonly lastSuccessfulTime?: string;
  };
}

/** Has no namespace; it is kept in `default`. */
export interface PriorityClass {
  readonly apiVersion: 'scheduling.k8s.io/v1';
  readonly kind: 'PriorityClass';
  readonly metadata: ObjectMeta;
  readonly value: number;
  readonly globalDefault?: boolean;
  readonly description?: string;
  readonly preemptionPolicy?: 'PreemptLowerPriority' | 'Never';
}

/** How many pods of a set must stay, or may go, at once. */
export interface PodDisruptionBudget {
  readonly apiVersion: 'policy/v1';
  readonly kind: 'PodDisruptionBudget';
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly minAvailable?: IntOrString;
    readonly maxUnavailable?: IntOrString;
    readonly selector?: LabelSelector;
    readonly unhealthyPodEvictionPolicy?: 'IfHealthyBudget' | 'AlwaysAllow';
  };
  readonly status?: {
    readonly currentHealthy: number;
    readonly desiredHealthy: number;
    readonly disruptionsAllowed: number;
    readonly expectedPods: number;
  };
}
