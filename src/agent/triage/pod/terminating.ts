import { seriesName } from '../citation.ts';
import { describePod } from '../next-step.ts';
import { duration, rfc3339 } from '../words.ts';
import { healthy, type PodFailureOf } from './pod-failure.ts';

const STUCK_AFTER_MS = 60_000;

/** Being deleted: nothing is wrong with it, unless it stays a minute past its grace period. */
export const terminating: PodFailureOf = (pod) => {
  const { object, deletionAt, ref } = pod.view;
  if (deletionAt === undefined) return undefined;
  const graceMs =
    (object.metadata.deletionGracePeriodSeconds ?? object.spec.terminationGracePeriodSeconds ?? 30) * 1000;
  const overdue = pod.now - deletionAt - graceMs;
  if (overdue < STUCK_AFTER_MS) return healthy('The pod is being deleted.');
  return {
    cause: 'StuckTerminating',
    confidence: 'certain',
    summary: `The pod was to be gone after ${duration(graceMs)} and is still there ${duration(overdue)} later.`,
    evidence: [
      {
        fact: `its deletion was asked for with a grace period of ${duration(graceMs)}`,
        source: seriesName('kube_pod_deletion_timestamp', ref),
        at: rfc3339(deletionAt),
      },
    ],
    next: [describePod(ref, 'see which container does not end')],
  };
};
