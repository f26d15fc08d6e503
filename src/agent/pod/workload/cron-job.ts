import type { CronJob, Job } from '../../../model/kubernetes-workload.ts';
import type { Stored } from '../object-store.ts';
import { apiTime } from '../pod-record.ts';
import { type CronSchedule, createCronSchedule } from './cron-schedule.ts';
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
  /** A time that passed beyond the deadline with no Job, and was not told of yet. */
  readonly missed?: number;
  /** More times passed than are counted; the last of them is due all the same. */
  readonly tooManyMissed: boolean;
  readonly wakeAt?: number;
}

// Source: kubernetes/pkg/controller/cronjob/utils.go, mostRecentScheduleTime
const MOST_MISSED = 100;

/** Source: kubernetes/pkg/controller/cronjob: cronjob_controllerv2.go (syncCronJob), utils.go */
export function decideCronJob(
  {
    metadata,
    spec,
    status,
    toldMissed = 0,
  }: Pick<Stored<'CronJob'>, 'metadata' | 'spec' | 'status' | 'toldMissed'>,
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
  const nothing = { status: seen, replace: [], forget, completed, held: false, tooManyMissed: false };
  if (spec.suspend) return nothing;

  const schedule = createCronSchedule(spec.schedule, spec.timeZone);
  const wake = (): { readonly wakeAt?: number } => {
    const next = schedule.next(now);
    return next === undefined ? {} : { wakeAt: next };
  };
  const hasJobOf = (at: number) => jobs.some((job) => job.metadata.name === jobName(metadata.name, at));
  const since = Date.parse(status.lastScheduleTime ?? metadata.creationTimestamp);
  const deadline = spec.startingDeadlineSeconds;
  const earliest = deadline === undefined ? since : Math.max(since, now - deadline * 1000 - 1);
  const due = schedule.latest(earliest, now);
  const lapsed = earliest > since && active.length === 0 ? schedule.latest(since, earliest) : undefined;
  const isNews = lapsed !== undefined && lapsed > toldMissed && !hasJobOf(lapsed);
  const idle = { ...nothing, ...wake(), ...(isNews ? { missed: lapsed } : {}) };
  if (due === undefined) return idle;
  // Made before the earlier agent died, and not noted.
  if (hasJobOf(due)) return { ...idle, status: { ...seen, lastScheduleTime: apiTime(due) } };
  if (spec.concurrencyPolicy === 'Forbid' && active.length > 0) return { ...idle, held: true };
  const replace = spec.concurrencyPolicy === 'Replace' ? active : [];
  const tooManyMissed = passes(schedule, earliest, due) > MOST_MISSED;
  return { ...idle, status: { ...seen, lastScheduleTime: apiTime(due) }, due, replace, tooManyMissed };
}

/** How many times of the schedule there are up to `until`; no more than one beyond what matters are counted. */
function passes(schedule: CronSchedule, after: number, until: number): number {
  let count = 0;
  for (let at = schedule.next(after); at !== undefined && at <= until && count <= MOST_MISSED; count += 1)
    at = schedule.next(at);
  return count;
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
