import type { Job, WorkloadCondition } from '../../../model/kubernetes-workload.ts';
import type { JobLedger } from '../object-store.ts';
import { apiTime, type PodRecord } from '../pod-record.ts';
import { isTerminal } from '../status/phase.ts';
import { earliest, isActive } from './availability.ts';
import { countPods, type JobEnding } from './job-count.ts';
import { indexOf, parseIndexes } from './job-index.ts';
import { backOffAfter, indexesDue } from './job-index-back-off.ts';
import { metSuccessRule } from './success-policy.ts';

const has = (status: Job['status'], types: readonly string[]) =>
  status.conditions?.find((condition) => types.includes(condition.type) && condition.status === 'True');

/** The condition with which a Job is over. Source: kubernetes/pkg/controller/job/utils.go, IsJobFinished */
export const finishedBy = (status: Job['status']) => has(status, ['Complete', 'Failed']);

export const isFinished = (status: Job['status']) => finishedBy(status) !== undefined;

export interface JobDecision {
  readonly status: Job['status'];
  readonly ledger: JobLedger;
  readonly create: number;
  /** Of an indexed Job: which ones, as many as `create`. */
  readonly indexes: readonly number[];
  readonly delete: readonly PodRecord[];
  readonly why: 'surplus' | 'suspended' | 'complete' | 'failed';
  /** Its time after the end is over. */
  readonly expired: boolean;
  readonly wakeAt?: number;
}

export const NO_LEDGER: JobLedger = { counted: [], failures: 0 };

/**
 * What a Job needs. Every pod that is over, or was ended from outside, is counted once, by the ledger; a pod that the
 * Job gave up itself is not. Source: kubernetes/pkg/controller/job/job_controller.go, syncJob and manageJob
 */
export function decideJob(
  job: Pick<Job, 'spec' | 'status'>,
  ledger: JobLedger,
  pods: readonly PodRecord[],
  now: number,
): JobDecision {
  const { spec } = job;
  const replacesFailedOnly = (spec.podReplacementPolicy ?? 'TerminatingOrFailed') === 'Failed';
  const counted = countPods(job.status, ledger, pods, now, spec);
  const active = pods.filter(isActive);
  const terminating = pods.filter((pod) => pod.deletion && !isTerminal(pod.phase)).length;
  const base = {
    ...counted.status,
    active: active.length,
    ready: active.filter(({ ready }) => ready).length,
    terminating,
  };
  const nothing = {
    ledger: counted.ledger,
    create: 0,
    indexes: [],
    delete: [],
    why: 'surplus',
    expired: false,
  } as const;

  const over = finishedBy(base);
  if (over) {
    const ttl = spec.ttlSecondsAfterFinished;
    if (ttl === undefined) return { ...nothing, status: base };
    const expiresAt = Date.parse(over.lastTransitionTime) + ttl * 1000;
    return now >= expiresAt
      ? { ...nothing, status: base, expired: true }
      : { ...nothing, status: base, wakeAt: expiresAt };
  }

  const started = startedStatus(base, spec.suspend ?? false, now);
  const ending =
    has(started, ['FailureTarget', 'SuccessCriteriaMet']) ??
    counted.ending ??
    verdict(spec, started, active, pods, now);
  if (ending) return end(started, ending, active, terminating, nothing, now);
  if (spec.suspend) return { ...nothing, status: started, delete: active, why: 'suspended' };

  const { parallelism = 1, completions } = spec;
  const wanted =
    completions === undefined
      ? started.succeeded > 0
        ? active.length
        : parallelism
      : Math.max(0, Math.min(completions - started.succeeded - failedIndexesOf(started), parallelism));
  const deadline = deadlineOf(spec, started);
  if (active.length > wanted)
    return withWake(
      { ...nothing, status: started, delete: youngest(active, active.length - wanted) },
      deadline,
    );
  const heldUntil = backOffUntil(counted.ledger);
  if (active.length < wanted && heldUntil > now)
    return withWake({ ...nothing, status: started }, Math.min(heldUntil, deadline ?? heldUntil));
  // Source: job_controller.go, manageJob, onlyReplaceFailedPods
  const missing = Math.max(0, wanted - active.length - (replacesFailedOnly ? terminating : 0));
  if (spec.completionMode !== 'Indexed')
    return withWake({ ...nothing, status: started, create: missing }, deadline);
  const { indexes, heldUntil: nextIndexAt } = indexesDue(
    { spec, status: started },
    counted.ledger.indexFailures ?? {},
    new Set(active.flatMap((pod) => indexOf(pod) ?? [])),
    missing,
    now,
  );
  return withWake(
    { ...nothing, status: started, create: indexes.length, indexes },
    earliest(deadline, nextIndexAt),
  );
}

const failedIndexesOf = ({ failedIndexes }: Job['status']) => parseIndexes(failedIndexes).size;

const withWake = (decision: JobDecision, wakeAt: number | undefined): JobDecision =>
  wakeAt === undefined ? decision : { ...decision, wakeAt };

const youngest = (pods: readonly PodRecord[], most: number) =>
  [...pods]
    .sort((a, b) => Number(a.ready) - Number(b.ready) || b.startup.createdAt - a.startup.createdAt)
    .slice(0, most);

function backOffUntil({ failures, failedAt }: JobLedger): number {
  return failures === 0 || failedAt === undefined ? 0 : backOffAfter(failures, failedAt);
}

function deadlineOf(
  { activeDeadlineSeconds }: Job['spec'],
  { startTime }: Job['status'],
): number | undefined {
  if (activeDeadlineSeconds === undefined || startTime === undefined) return undefined;
  return Date.parse(startTime) + activeDeadlineSeconds * 1000;
}

/** Whether the Job has come to its end, and to which. */
function verdict(
  spec: Job['spec'],
  status: Job['status'],
  active: readonly PodRecord[],
  pods: readonly PodRecord[],
  now: number,
): JobEnding | undefined {
  const fail = (reason: string, message: string) => ({ type: 'FailureTarget', reason, message });
  const { backoffLimit = 6, completions, maxFailedIndexes = Infinity } = spec;
  if (status.failed > backoffLimit || restartedTooOften(spec, active))
    return fail('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  const deadline = deadlineOf(spec, status);
  if (!spec.suspend && deadline !== undefined && now >= deadline)
    return fail('DeadlineExceeded', 'Job was active longer than specified deadline');
  const failedIndexes = failedIndexesOf(status);
  if (failedIndexes > maxFailedIndexes)
    return fail(
      'MaxFailedIndexesExceeded',
      'Job has exceeded the specified maximal number of failed indexes',
    );
  if (failedIndexes > 0 && status.succeeded + failedIndexes >= (completions ?? 0))
    return fail('FailedIndexes', 'Job has failed indexes');
  const rule = metSuccessRule(spec.successPolicy, status.completedIndexes);
  if (rule !== undefined) return { type: 'SuccessCriteriaMet', reason: 'SuccessPolicy', message: rule };
  const done =
    completions === undefined
      ? status.succeeded > 0 && pods.every((pod) => !isActive(pod))
      : status.succeeded >= completions;
  return done
    ? {
        type: 'SuccessCriteriaMet',
        reason: 'CompletionsReached',
        message: 'Reached expected number of succeeded pods',
      }
    : undefined;
}

/** With restartPolicy OnFailure the restarts within pods count. Source: pastBackoffLimitOnFailure */
function restartedTooOften(
  { template, backoffLimit = 6 }: Job['spec'],
  active: readonly PodRecord[],
): boolean {
  if (template.spec.restartPolicy !== 'OnFailure') return false;
  const restarts = active
    .flatMap(({ containers }) => containers)
    .reduce((sum, { life }) => sum + (life?.attempt ?? 0), 0);
  return backoffLimit === 0 ? restarts > 0 : restarts >= backoffLimit;
}

/** The last condition comes when no pod runs any more. */
function end(
  status: Job['status'],
  ending: JobEnding,
  active: readonly PodRecord[],
  terminating: number,
  nothing: Omit<JobDecision, 'status'>,
  now: number,
): JobDecision {
  const failed = ending.type === 'FailureTarget';
  const first = withCondition(status, ending, 'True', now);
  if (active.length + terminating > 0)
    return { ...nothing, status: first, delete: active, why: failed ? 'failed' : 'complete' };
  const last = withCondition(first, { ...ending, type: failed ? 'Failed' : 'Complete' }, 'True', now);
  return {
    ...nothing,
    status: failed ? last : { ...last, completionTime: apiTime(now) },
    // Looked at once more, for its time after the end.
    wakeAt: now,
  };
}

/** A Job that is suspended has not started; one that is resumed starts anew. */
function startedStatus(status: Job['status'], suspend: boolean, now: number): Job['status'] {
  const was = has(status, ['Suspended']);
  if (suspend) {
    const { startTime: _none, ...rest } = status;
    return was
      ? rest
      : withCondition(
          rest,
          { type: 'Suspended', reason: 'JobSuspended', message: 'Job suspended' },
          'True',
          now,
        );
  }
  const running = was
    ? withCondition(status, { type: 'Suspended', reason: 'JobResumed', message: 'Job resumed' }, 'False', now)
    : status;
  return running.startTime === undefined ? { ...running, startTime: apiTime(now) } : running;
}

function withCondition(
  status: Job['status'],
  { type, reason = '', message = '' }: JobEnding,
  value: WorkloadCondition['status'],
  now: number,
): Job['status'] {
  const before = status.conditions?.find((one) => one.type === type);
  if (before?.status === value) return status;
  const at = apiTime(now);
  const condition = { type, status: value, reason, message, lastProbeTime: at, lastTransitionTime: at };
  return {
    ...status,
    conditions: [...(status.conditions ?? []).filter((one) => one.type !== type), condition],
  };
}
