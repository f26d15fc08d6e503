import type { CronJob, Job } from '../../../model/kubernetes-workload.ts';
import { isTimeZone, parseSchedule } from '../workload/cron-schedule.ts';
import type { Path, Report } from './problem.ts';
import { atLeast, exactlyOne, oneOf } from './rules.ts';
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
    'backoffLimitPerIndex',
    'maxFailedIndexes',
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
  oneOf(
    spec.podReplacementPolicy,
    ['TerminatingOrFailed', 'Failed'],
    [...path, 'podReplacementPolicy'],
    report,
  );
  checkIndexes(spec, path, report);
  if (spec.podFailurePolicy) checkFailurePolicy(spec, [...path, 'podFailurePolicy'], report);
  if (spec.successPolicy) checkSuccessPolicy(spec, [...path, 'successPolicy'], report);
  const pod = checkTemplate(spec.template, [...path, 'template'], report);
  if (pod && pod.restartPolicy !== 'Never' && pod.restartPolicy !== 'OnFailure')
    report({
      path: [...path, 'template', 'spec', 'restartPolicy'],
      value: pod.restartPolicy,
      message: 'must be Never or OnFailure in a Job',
    });
}

function checkIndexes(spec: Job['spec'], path: Path, report: Report): void {
  const { backoffLimitPerIndex, maxFailedIndexes, completions = 0 } = spec;
  const pod = spec.template.spec as Job['spec']['template']['spec'] | undefined;
  if (backoffLimitPerIndex === undefined) {
    if (maxFailedIndexes !== undefined)
      report({ path: [...path, 'maxFailedIndexes'], message: 'needs backoffLimitPerIndex' });
    return;
  }
  const place = [...path, 'backoffLimitPerIndex'];
  if (spec.completionMode !== 'Indexed')
    report({ path: place, message: 'may only be set where completionMode is Indexed' });
  if (pod?.restartPolicy !== 'Never')
    report({ path: place, message: 'may only be set where the restartPolicy of the pod is Never' });
  if ((maxFailedIndexes ?? 0) > completions)
    report({
      path: [...path, 'maxFailedIndexes'],
      value: maxFailedIndexes,
      message: 'must be at most completions',
    });
}

const MOST_RULES = 20;
const MOST_EXIT_CODES = 255;

/** Source: kubernetes/pkg/apis/batch/validation/validation.go, validatePodFailurePolicy */
function checkFailurePolicy(spec: Job['spec'], path: Path, report: Report): void {
  const { rules } = spec.podFailurePolicy!;
  const pod = spec.template.spec as Job['spec']['template']['spec'] | undefined;
  if (pod?.restartPolicy !== 'Never')
    report({ path, message: 'may only be set where the restartPolicy of the pod is Never' });
  if (spec.podReplacementPolicy === 'TerminatingOrFailed')
    report({ path, message: 'may only be set where podReplacementPolicy is Failed' });
  if (rules.length > MOST_RULES) report({ path, message: `must have at most ${MOST_RULES} rules` });
  const names = [...(pod?.initContainers ?? []), ...(pod?.containers ?? [])].map(({ name }) => name);
  for (const [index, rule] of rules.entries()) {
    const place = [...path, 'rules', index];
    oneOf(rule.action, ['FailJob', 'FailIndex', 'Ignore', 'Count'], [...place, 'action'], report);
    exactlyOne(rule, ['onExitCodes', 'onPodConditions'], place, report);
    if (rule.action === 'FailIndex' && spec.backoffLimitPerIndex === undefined)
      report({ path: [...place, 'action'], value: 'FailIndex', message: 'needs backoffLimitPerIndex' });
    if (!rule.onExitCodes) continue;
    const { containerName, operator, values } = rule.onExitCodes;
    const codes = [...place, 'onExitCodes'];
    oneOf(operator, ['In', 'NotIn'], [...codes, 'operator'], report);
    if (containerName !== undefined) oneOf(containerName, names, [...codes, 'containerName'], report);
    if (values.length === 0 || values.length > MOST_EXIT_CODES)
      report({ path: [...codes, 'values'], message: `must be from 1 to ${MOST_EXIT_CODES} exit codes` });
    if (operator === 'In' && values.includes(0))
      report({ path: [...codes, 'values'], value: 0, message: 'may not be 0 with In: that is no failure' });
  }
}

const MOST_INDEXES_TEXT = 65_536;

/** Source: kubernetes/pkg/apis/batch/validation/validation.go, validateSuccessPolicy */
function checkSuccessPolicy(spec: Job['spec'], path: Path, report: Report): void {
  const { completions = 0, completionMode } = spec;
  const { rules } = spec.successPolicy!;
  if (completionMode !== 'Indexed')
    report({ path, message: 'may only be set where completionMode is Indexed' });
  const place = [...path, 'rules'];
  if (rules.length === 0 || rules.length > MOST_RULES)
    report({ path: place, message: `must have from 1 to ${MOST_RULES} rules` });
  for (const [number, { succeededCount, succeededIndexes }] of rules.entries()) {
    const rule = [...place, number];
    if (succeededCount === undefined && succeededIndexes === undefined)
      report({ path: rule, message: 'needs succeededCount, succeededIndexes or both; none is set' });
    const found =
      succeededIndexes === undefined
        ? { total: completions }
        : countIndexes(succeededIndexes.slice(0, MOST_INDEXES_TEXT + 1), completions);
    if ('error' in found)
      report({ path: [...rule, 'succeededIndexes'], value: succeededIndexes, message: found.error });
    atLeast(succeededCount, 0, [...rule, 'succeededCount'], report);
    if ('total' in found && (succeededCount ?? 0) > found.total)
      report({
        path: [...rule, 'succeededCount'],
        value: succeededCount,
        message: `must be at most ${found.total}, ${succeededIndexes === undefined ? 'the completions' : 'as many as succeededIndexes has'}`,
      });
  }
}

/** How many indexes `0,2-4` names. Source: validation.go, validateIndexesFormat */
function countIndexes(
  text: string,
  completions: number,
): { readonly total: number } | { readonly error: string } {
  if (text.length > MOST_INDEXES_TEXT) return { error: `must have at most ${MOST_INDEXES_TEXT} characters` };
  let [total, last] = [0, -1];
  for (const part of text === '' ? [] : text.split(',')) {
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part);
    if (!match) return { error: 'must be indexes and ranges of them, such as 0,2-4' };
    const [from, to] = [Number(match[1]), Number(match[2] ?? match[1])];
    if (from <= last || (match[2] !== undefined && to <= from))
      return { error: `indexes must increase; ${part} does not` };
    if (to >= completions) return { error: `${to} is no index: completions is ${completions}` };
    total += to - from + 1;
    last = to;
  }
  return { total };
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
