import type { Job } from '../../../model/kubernetes-workload.ts';
import { type IndexRange, parseRanges } from './job-index.ts';

type Policy = NonNullable<Job['spec']['successPolicy']>;

/**
 * In the controller's words, the first rule by which an indexed Job has succeeded already; undefined: none yet. A rule
 * with indexes and a count wants that many of these indexes, one with indexes alone all of them. `completed` is in
 * order: `0,2-4`. Source: kubernetes/pkg/controller/job/success_policy.go, matchSuccessPolicy
 */
export function metSuccessRule(policy: Policy | undefined, completed = ''): string | undefined {
  if (!policy || completed === '') return undefined;
  const succeeded = parseRanges(completed);
  const met = policy.rules.findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) return total(succeeded) >= (succeededCount ?? Infinity);
    const wanted = parseRanges(succeededIndexes);
    return wanted.length > 0 && overlap(wanted, succeeded) >= (succeededCount ?? total(wanted));
  });
  return met === -1 ? undefined : `Matched rules at index ${met}`;
}

const total = (ranges: readonly IndexRange[]) =>
  ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);

/** How many indexes are in both, without counting them out: there may be very many, and it is asked often. */
function overlap(a: readonly IndexRange[], b: readonly IndexRange[]): number {
  let count = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [[aFirst, aLast], [bFirst, bLast]] = [a[i]!, b[j]!];
    count += Math.max(0, Math.min(aLast, bLast) - Math.max(aFirst, bFirst) + 1);
    if (aLast < bLast) i += 1;
    else j += 1;
  }
  return count;
}
