import type { Job } from '../../../model/kubernetes-workload.ts';
import { parseIndexes } from './job-index.ts';

type Policy = NonNullable<Job['spec']['successPolicy']>;

/**
 * In the controller's words, the first rule by which an indexed Job has succeeded already; undefined: none yet. A rule
 * with indexes and a count wants that many of these indexes, one with indexes alone all of them.
 * Source: kubernetes/pkg/controller/job/success_policy.go, matchSuccessPolicy
 */
export function metSuccessRule(
  policy: Policy | undefined,
  succeeded: ReadonlySet<number>,
): string | undefined {
  if (succeeded.size === 0) return undefined;
  const met = (policy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) return succeeded.size >= (succeededCount ?? Infinity);
    const wanted = parseIndexes(succeededIndexes);
    const reached = [...wanted].filter((index) => succeeded.has(index)).length;
    return wanted.size > 0 && reached >= (succeededCount ?? wanted.size);
  });
  return met === -1 ? undefined : `Matched rules at index ${met}`;
}
