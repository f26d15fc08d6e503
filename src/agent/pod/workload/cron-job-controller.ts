import type { Reconcile } from './control-loop.ts';
import type { ControllerContext } from './controller.ts';
import { decideCronJob, jobOf } from './cron-job.ts';
import { canonicalJson } from './pod-names.ts';

/** Looks after CronJobs: a Job at each due time. */
export function createCronJobController(context: ControllerContext): Reconcile {
  const { objects, clock } = context;
  return (namespace, name) => {
    const cronJob = objects.get('CronJob', namespace, name);
    if (!cronJob) return undefined;
    const decision = decideCronJob(cronJob, objects.ownedBy('Job', cronJob.metadata.uid), clock.now());
    for (const job of decision.replace)
      context.deleteObject(job, { by: 'delete', message: `Replaced by the next Job of CronJob ${name}` });
    for (const job of decision.forget)
      context.deleteObject(job, { by: 'delete', message: `Beyond the history of CronJob ${name}` });
    if (decision.due !== undefined) {
      const job = jobOf(cronJob, decision.due, clock.now());
      void objects.put(job);
      context.soon('Job', namespace, job.metadata.name);
    }
    const next = { ...cronJob, status: decision.status };
    if (canonicalJson(next) !== canonicalJson(cronJob)) void objects.put(next);
    return decision.wakeAt;
  };
}
