import type { Stored } from '../object-store.ts';
import type { Reconcile } from './control-loop.ts';
import type { ControllerContext } from './controller.ts';
import { decideCronJob, jobOf } from './cron-job.ts';
import { finishedBy } from './job.ts';
import { canonicalJson } from './pod-names.ts';
import { normal, type WorkloadWords, warning } from './workload-event.ts';

/** Looks after CronJobs: a Job at each due time. */
export function createCronJobController(context: ControllerContext): Reconcile {
  const { objects, clock } = context;
  return (namespace, name) => {
    const cronJob = objects.get('CronJob', namespace, name);
    if (!cronJob) return undefined;
    const decision = decideCronJob(cronJob, objects.ownedBy('Job', cronJob.metadata.uid), clock.now());
    const tell = (words: WorkloadWords) => context.tell(cronJob, words);
    for (const { metadata, status } of decision.completed)
      tell(
        normal(
          'SawCompletedJob',
          `Saw completed job: ${metadata.name}, condition: ${finishedBy(status)?.type}`,
        ),
      );
    if (decision.held)
      tell(
        normal(
          'JobAlreadyActive',
          'Not starting job because prior execution is running and concurrency policy is Forbid',
        ),
      );
    if (decision.missed !== undefined)
      tell(
        warning(
          'MissSchedule',
          `Missed scheduled time to start a job: ${new Date(decision.missed).toUTCString().replace('GMT', '+0000')}`,
        ),
      );
    if (decision.tooManyMissed)
      tell(
        warning(
          'TooManyMissedTimes',
          'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
        ),
      );
    const drop = (job: Stored<'Job'>, message: string) => {
      context.deleteObject(job, { by: 'delete', message });
      tell(normal('SuccessfulDelete', `Deleted job ${job.metadata.name}`));
    };
    for (const job of decision.replace) drop(job, `Replaced by the next Job of CronJob ${name}`);
    for (const job of decision.forget) drop(job, `Beyond the history of CronJob ${name}`);
    const job = decision.due === undefined ? undefined : jobOf(cronJob, decision.due, clock.now());
    // One of somebody else's that has the name stays what it is, and no other comes of this time.
    if (job && !objects.get('Job', namespace, job.metadata.name)) {
      void objects.put(job);
      tell(normal('SuccessfulCreate', `Created job ${job.metadata.name}`));
      context.soon('Job', namespace, job.metadata.name);
    }
    const next = {
      ...cronJob,
      status: decision.status,
      ...(decision.missed !== undefined && { toldMissed: decision.missed }),
    };
    if (canonicalJson(next) !== canonicalJson(cronJob)) void objects.put(next);
    return decision.wakeAt;
  };
}
