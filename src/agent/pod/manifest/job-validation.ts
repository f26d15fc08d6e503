import type { CronJob, Job } from '../../../model/kubernetes-workload.ts';
import { isTimeZone, parseSchedule } from '../workload/cron-schedule.ts';
import type { Path, Report } from './problem.ts';
import { atLeast, oneOf } from './rules.ts';
import { checkTemplate } from './workload-validation.ts';

const MOST_PODS = 500;
// The list of completed indexes is part of the object.
const MOST_COMPLETIONS = 100_000;

// Source: kubernetes/pkg/apis/batch/validation/validation.go
export function checkJob(spec: Job['spec'], path: Path, report: Report): void {
  for (const field of [
    'parallelism',
    'completions',
    'backoffLimit',
    'activeDeadlineSeconds',
    'ttlSecondsAfterFinished',
  ] as const) {
    atLeast(spec[field], 0, [...path, field], report);
  }
  if ((spec.parallelism ?? 0) > MOST_PODS)
    report({
      path: [...path, 'parallelism'],
      value: spec.parallelism,
      message: `must be at most ${MOST_PODS} on one machine`,
    });
  oneOf(spec.completionMode, ['NonIndexed', 'Indexed'], [...path, 'completionMode'], report);
  if (spec.completionMode === 'Indexed' && spec.completions === undefined)
    report({ path: [...path, 'completions'], message: 'required when completionMode is Indexed' });
  if ((spec.completions ?? 0) > MOST_COMPLETIONS)
    report({
      path: [...path, 'completions'],
      value: spec.completions,
      message: `must be at most ${MOST_COMPLETIONS}`,
    });
  const pod = checkTemplate(spec.template, [...path, 'template'], report);
  if (pod && pod.restartPolicy !== 'Never' && pod.restartPolicy !== 'OnFailure')
    report({
      path: [...path, 'template', 'spec', 'restartPolicy'],
      value: pod.restartPolicy,
      message: 'must be Never or OnFailure in a Job',
    });
}

export function checkCronJob(spec: CronJob['spec'], report: Report): void {
  const schedule = parseSchedule(spec.schedule);
  if ('error' in schedule)
    report({ path: ['spec', 'schedule'], value: spec.schedule, message: schedule.error });
  if (spec.timeZone !== undefined && !isTimeZone(spec.timeZone))
    report({
      path: ['spec', 'timeZone'],
      value: spec.timeZone,
      message: 'must be a time zone of the IANA database, such as Europe/Berlin',
    });
  oneOf(spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace'], ['spec', 'concurrencyPolicy'], report);
  for (const field of [
    'startingDeadlineSeconds',
    'successfulJobsHistoryLimit',
    'failedJobsHistoryLimit',
  ] as const) {
    atLeast(spec[field], 0, ['spec', field], report);
  }
  const job = spec.jobTemplate.spec as Job['spec'] | undefined;
  if (job === undefined) report({ path: ['spec', 'jobTemplate', 'spec'], message: 'required, but missing' });
  else checkJob(job, ['spec', 'jobTemplate', 'spec'], report);
}
