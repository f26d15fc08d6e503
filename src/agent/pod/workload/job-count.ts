import type { Job, WorkloadCondition } from '../../../model/kubernetes-workload.ts';
import type { JobLedger } from '../object-store.ts';
import type { PodRecord } from '../pod-record.ts';
import { isTerminal } from '../status/phase.ts';
import { isActive } from './availability.ts';
import { indexOf, parseIndexes, printIndexes } from './job-index.ts';
import { failIndex } from './job-index-back-off.ts';
import { judgePodFailure } from './pod-failure-policy.ts';

/** The first condition of a Job's end: to what it comes, and why. */
export type JobEnding = Pick<WorkloadCondition, 'type' | 'reason' | 'message'>;

/** What a Job has come to, with the pods that are over since it was last counted. */
export function countPods(
  status: Job['status'],
  ledger: JobLedger,
  pods: readonly PodRecord[],
  now: number,
  spec: Job['spec'],
): { readonly status: Job['status']; readonly ledger: JobLedger; readonly ending?: JobEnding } {
  const {
    completionMode,
    completions = 0,
    podReplacementPolicy,
    podFailurePolicy,
    backoffLimitPerIndex,
  } = spec;
  let { succeeded, failed } = status;
  let { failures, failedAt, indexFailures = {} } = ledger;
  const known = new Set(ledger.counted);
  const indexed = completionMode === 'Indexed';
  const done = new Set(parseIndexes(status.completedIndexes));
  const failedIndexes = new Set(parseIndexes(status.failedIndexes));
  let ending: JobEnding | undefined;
  for (const pod of pods) {
    if (known.has(pod.ref.uid) || isActive(pod)) continue;
    // Source: job_controller.go, isPodFailed
    if (podReplacementPolicy === 'Failed' && !isTerminal(pod.phase)) continue;
    known.add(pod.ref.uid);
    if (pod.phase === 'Succeeded') {
      const index = indexOf(pod);
      if (!indexed) succeeded += 1;
      else if (index !== undefined && index < completions) done.add(index);
      failures = 0;
    } else if (pod.deletion?.request.by !== 'rollout') {
      const { counts, failsIndex, failsJob } = judgePodFailure(podFailurePolicy, pod);
      if (failsJob !== undefined)
        ending ??= { type: 'FailureTarget', reason: 'PodFailurePolicy', message: failsJob };
      if (counts) failed += 1;
      const index = indexOf(pod);
      if (backoffLimitPerIndex === undefined || index === undefined) {
        // What is ignored is held back all the same, or it would be tried without end.
        failures += 1;
        failedAt = now;
      } else {
        const limit = counts ? backoffLimitPerIndex : Infinity;
        const next = failIndex(indexFailures, index, limit, now);
        indexFailures = next.failures;
        if (next.isOver || failsIndex) failedIndexes.add(index);
      }
    }
  }
  const there = pods.map(({ ref }) => ref.uid).filter((uid) => known.has(uid));
  return {
    status: indexed
      ? {
          ...status,
          succeeded: done.size,
          failed,
          ...(done.size === 0 ? {} : { completedIndexes: printIndexes(done) }),
          ...(failedIndexes.size === 0 ? {} : { failedIndexes: printIndexes(failedIndexes) }),
        }
      : { ...status, succeeded, failed },
    ledger: {
      counted: there,
      failures,
      ...(failedAt === undefined ? {} : { failedAt }),
      ...(Object.keys(indexFailures).length === 0 ? {} : { indexFailures }),
    },
    ...(ending && { ending }),
  };
}
