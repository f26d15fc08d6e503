import type { Job } from '../../../model/kubernetes-workload.ts';
import type { JobLedger } from '../object-store.ts';
import { parseIndexes, pendingIndexes } from './job-index.ts';

/** On pods of a Job with backoffLimitPerIndex: how often its index failed before. */
export const INDEX_FAILURES_KEY = 'batch.kubernetes.io/job-index-failure-count';

const BACK_OFF_MS = 10_000;
const LONGEST_BACK_OFF_MS = 600_000;

/** 10 s after a failure, doubling with each in a row up to 10 min. Source: kubernetes/pkg/controller/job/backoff_utils.go */
export const backOffAfter = (failures: number, failedAt: number): number =>
  failedAt + Math.min(BACK_OFF_MS * 2 ** (failures - 1), LONGEST_BACK_OFF_MS);

export type IndexFailures = NonNullable<JobLedger['indexFailures']>;

/** What another failure makes of an index, and whether that was its last try. */
export function failIndex(
  failures: IndexFailures,
  index: number,
  limit: number,
  now: number,
): { readonly failures: IndexFailures; readonly isOver: boolean } {
  const count = (failures[index]?.failures ?? 0) + 1;
  return {
    failures: { ...failures, [index]: { failures: count, failedAt: now } },
    isOver: count > limit,
  };
}

/**
 * The next indexes to make pods for, and when one that is held back may be tried again. Done, failed and busy ones are
 * left out. Source: kubernetes/pkg/controller/job/indexed_job_utils.go, getPodsWithDelayedDeletionPerIndex
 */
export function indexesDue(
  { spec: { completions = 0, backoffLimitPerIndex }, status }: Pick<Job, 'spec' | 'status'>,
  failures: IndexFailures,
  active: ReadonlySet<number>,
  most: number,
  now: number,
): { readonly indexes: readonly number[]; readonly heldUntil?: number } {
  const over = new Set([...parseIndexes(status.completedIndexes), ...parseIndexes(status.failedIndexes)]);
  const held = new Map<number, number>();
  if (backoffLimitPerIndex !== undefined)
    for (const [key, { failures: count, failedAt }] of Object.entries(failures)) {
      const [index, until] = [Number(key), backOffAfter(count, failedAt)];
      if (until > now && !over.has(index) && !active.has(index)) held.set(index, until);
    }
  const indexes = pendingIndexes(completions, new Set([...over, ...active, ...held.keys()]), most);
  return held.size === 0 ? { indexes } : { indexes, heldUntil: Math.min(...held.values()) };
}
