import type { ContainerStatus, Pod } from './kubernetes.ts';
import type { PodRef } from './pod-ref.ts';
import { podStatusWord } from './pod-status-word.ts';
import type { PodState } from './record.ts';
import type { Verdict } from './verdict.ts';

/** How much a pod needs somebody: broken now, shows a fault but serves, not (yet) ready, or nothing. */
export type Trouble = 'broken' | 'faulty' | 'unready' | 'none';

/** A pod in one line. Times are integer milliseconds. */
export interface PodSummary extends PodRef {
  readonly at: number;
  /** As kubectl's STATUS column: `Running`, `CrashLoopBackOff`, `Init:0/1`, …; `Deleted` once it is gone. */
  readonly word: string;
  readonly readyContainers: number;
  readonly containers: number;
  readonly restarts: number;
  /** When a container died last; absent: never. */
  readonly lastRestartAt?: number;
  readonly createdAt: number;
  readonly deleted: boolean;
  readonly trouble: Trouble;
  readonly verdict: Pick<Verdict, 'cause' | 'failureMode' | 'confidence' | 'summary'>;
}

/** Worst first. */
export const TROUBLES: readonly Trouble[] = ['broken', 'faulty', 'unready', 'none'];

export function summarizePod({ at, pod, object, verdict, deleted }: PodState): PodSummary {
  const statuses = object.status.containerStatuses ?? [];
  const all = [...(object.status.initContainerStatuses ?? []), ...statuses];
  const lastRestartAt = lastDeath(all);
  return {
    ...pod,
    at,
    word: deleted ? 'Deleted' : podStatusWord(object),
    readyContainers: statuses.filter(({ ready }) => ready).length,
    containers: object.spec.containers.length,
    restarts: all.reduce((sum, { restartCount }) => sum + restartCount, 0),
    ...(lastRestartAt === undefined ? {} : { lastRestartAt }),
    createdAt: Date.parse(object.metadata.creationTimestamp),
    deleted,
    trouble: troubleOf(object, verdict),
    verdict: {
      cause: verdict.cause,
      failureMode: verdict.failureMode,
      confidence: verdict.confidence,
      summary: verdict.summary,
    },
  };
}

/** Worst first, then by most restarts, then by name. */
export function compareTrouble(a: PodSummary, b: PodSummary): number {
  return (
    TROUBLES.indexOf(a.trouble) - TROUBLES.indexOf(b.trouble) ||
    b.restarts - a.restarts ||
    (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
  );
}

function troubleOf(pod: Pod, { cause }: Verdict): Trouble {
  const ready = pod.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  const done = pod.status.phase === 'Succeeded';
  if (cause !== 'None') return ready || done ? 'faulty' : 'broken';
  if (pod.status.phase === 'Failed') return 'broken';
  return ready || done ? 'none' : 'unready';
}

function lastDeath(statuses: readonly ContainerStatus[]): number | undefined {
  const ends = statuses.flatMap(({ state, lastState }) =>
    [state.terminated, lastState.terminated].flatMap((end) => (end ? [Date.parse(end.finishedAt)] : [])),
  );
  return ends.length === 0 ? undefined : Math.max(...ends);
}
