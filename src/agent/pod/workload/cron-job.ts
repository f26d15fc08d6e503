import type { CronJob, Job } from '../../../model/kubernetes-workload.ts';
import type { Stored } from '../object-store.ts';
import { apiTime } from '../pod-record.ts';
import { createCronSchedule } from './cron-schedule.ts';
import { finishedBy, isFinished } from './job.ts';
import { ownerReference } from './owner.ts';
import { derivedUid } from './pod-names.ts';

export interface CronDecision {
  readonly status: CronJob['status'];
  /** The time a Job is due for. */
  readonly due?: number;
  /** Jobs in the way of the next. */
  readonly replace: readonly Stored<'Job'>[];
  /** Finished Jobs beyond the history. */
  readonly forget: readonly Stored<'Job'>[];
  /** Jobs that were known to run, and are over. */
  readonly completed: readonly Stored<'Job'>[];
  /** The one that is due must wait for the one that runs. */
  readonly held: boolean;
  readonly wakeAt?: number;
}

/** Source: kubernetes/pkg/controller/cronjob: cronjob_controllerv2.go (syncCronJob), utils.go */
export function decideCronJob(
  { metadata, spec, status }: Pick<CronJob, 'metadata' | 'spec' | 'status'>,
  jobs: readonly Stored<'Job'>[],
  now: number,
): CronDecision {
  const active = jobs.filter((job) => !isFinished(job.status));
  const successes = jobs
    .filter((job) => finishedBy(job.status)?.type === 'Complete')
    .map((job) => job.status.completionTime ?? '');
  const lastSuccessfulTime = [status.lastSuccessfulTime ?? '', ...successes].sort().at(-1);
  const { active: _active, ...before } = status;
  const seen: CronJob['status'] = {
    ...before,
    ...(active.length === 0 ? {} : { active: active.map(referenceTo) }),
    ...(lastSuccessfulTime ? { lastSuccessfulTime } : {}),
  };
  const forget = beyondHistory(spec, jobs);
  const known = new Set(status.active?.map(({ uid }) => uid));
  const completed = jobs.filter((job) => known.has(job.metadata.uid) && isFinished(job.status));
  if (spec.suspend) return { status: seen, replace: [], forget, completed, held: false };

  const schedule = createCronSchedule(spec.schedule, spec.timeZone);
  const wake = (): { readonly wakeAt?: number } => {
    const next = schedule.next(now);
    return next === undefined ? {} : { wakeAt: next };
  };
  const since = Date.parse(status.lastScheduleTime ?? metadata.creationTimestamp);
  const deadline = spec.startingDeadlineSeconds;
  const earliest = deadline === undefined ? since : Math.max(since, now - deadline * 1000 - 1);
  const due = schedule.latest(earliest, now);
  const idle = { status: seen, replace: [], forget, completed, held: false, ...wake() };
  if (due === undefined) return idle;
  // Made before the earlier agent died, and not noted.
  if (jobs.some((job) => job.metadata.name === jobName(metadata.name, due)))
    return { ...idle, status: { ...seen, lastScheduleTime: apiTime(due) } };
  if (spec.concurrencyPolicy === 'Forbid' && active.length > 0) return { ...idle, held: true };
  const replace = spec.concurrencyPolicy === 'Replace' ? active : [];
  return { ...idle, status: { ...seen, lastScheduleTime: apiTime(due) }, due, replace };
}

/** `backup-28953123`: the minute it is due for. Source: utils.go, getJobName */
export const jobName = (cronJob: string, due: number) => `${cronJob}-${Math.floor(due / 60_000)}`;

/** The Job of one time; its uid is the same whenever it is made again. */
export function jobOf(cronJob: Stored<'CronJob'>, due: number, now: number): Stored<'Job'> {
  const { metadata, spec, folder } = cronJob;
  const { labels, annotations } = spec.jobTemplate.metadata ?? {};
  const name = jobName(metadata.name, due);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace: metadata.namespace,
      uid: derivedUid(`${metadata.uid}/${name}`),
      creationTimestamp: apiTime(now),
      generation: 1,
      ...(labels && { labels }),
      annotations: { ...annotations, 'batch.kubernetes.io/cronjob-scheduled-timestamp': apiTime(due) },
      ownerReferences: [ownerReference(cronJob)],
    },
    spec: spec.jobTemplate.spec,
    status: { active: 0, ready: 0, terminating: 0, succeeded: 0, failed: 0 },
    ...(folder === undefined ? {} : { folder }),
  };
}

function beyondHistory(spec: CronJob['spec'], jobs: readonly Stored<'Job'>[]): readonly Stored<'Job'>[] {
  const oldest = (type: string, limit: number) => {
    const finished = jobs
      .filter((job) => finishedBy(job.status)?.type === type)
      .sort((a, b) => (startOf(a) < startOf(b) ? -1 : 1));
    return finished.slice(0, Math.max(0, finished.length - limit));
  };
  return [
    ...oldest('Complete', spec.successfulJobsHistoryLimit ?? 3),
    ...oldest('Failed', spec.failedJobsHistoryLimit ?? 1),
  ];
}

const startOf = (job: Job) => job.status.startTime ?? job.metadata.creationTimestamp;

function referenceTo({ apiVersion, kind, metadata }: Job) {
  const { namespace, name, uid } = metadata;
  return { apiVersion, kind, namespace, name, uid };
}
