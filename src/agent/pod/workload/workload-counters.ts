import type { WorkloadType } from '../../../model/pod-ref.ts';
import type { PodRecord } from '../pod-record.ts';

/** Upper bounds of the start-up histogram, in seconds. */
export const STARTUP_BOUNDS = [0.5, 1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 120, 180, 300, 600] as const;

/** What a workload has counted; durable JSON. Pods that are gone are folded in, those that are there are added. */
export interface WorkloadRecord {
  readonly namespace: string;
  readonly name: string;
  readonly type: WorkloadType;
  /** Up to when the milliseconds below are integrated, and the numbers since then. */
  at: number;
  desired: number;
  ready: number;
  pods: number;
  desiredMs: number;
  readyMs: number;
  podMs: number;
  folded: Folded;
  /** Uids folded in whose records may still be there; the newest 100. */
  foldedUids: string[];
  podLabels: Readonly<Record<string, string>>;
}

export interface Folded {
  readonly restarts: number;
  readonly initRestarts: number;
  readonly crashLoops: number;
  readonly judged: number;
  readonly slow: number;
  readonly startupCounts: readonly number[];
  readonly startupSum: number;
}

const NOTHING: Folded = {
  restarts: 0,
  initRestarts: 0,
  crashLoops: 0,
  judged: 0,
  slow: 0,
  startupCounts: new Array<number>(STARTUP_BOUNDS.length + 1).fill(0),
  startupSum: 0,
};
const MOST_FOLDED_UIDS = 100;

export function newWorkload(namespace: string, name: string, type: WorkloadType, at: number): WorkloadRecord {
  return {
    namespace,
    name,
    type,
    at,
    desired: 0,
    ready: 0,
    pods: 0,
    desiredMs: 0,
    readyMs: 0,
    podMs: 0,
    folded: NOTHING,
    foldedUids: [],
    podLabels: {},
  };
}

type Levels = Pick<WorkloadRecord, 'desired' | 'ready' | 'pods'>;

/** What the milliseconds are at `now`, without changing the record. */
export function integrated(workload: WorkloadRecord, now: number) {
  const ms = Math.max(0, now - workload.at);
  return {
    desiredMs: workload.desiredMs + ms * workload.desired,
    // More ready pods than desired are surge: they do not count.
    readyMs: workload.readyMs + ms * Math.min(workload.ready, workload.desired),
    podMs: workload.podMs + ms * workload.pods,
  };
}

/** Brings the record to `at` and goes on with new levels. A time before the record's own counts as its own. */
export function setLevels(workload: WorkloadRecord, at: number, levels: Levels): boolean {
  const { desired, ready, pods } = levels;
  if (workload.desired === desired && workload.ready === ready && workload.pods === pods) return false;
  Object.assign(workload, integrated(workload, at), { at: Math.max(at, workload.at), desired, ready, pods });
  return true;
}

/** A pod's own share of the counts. */
function shareOf(pod: PodRecord): Folded {
  const sum = (init: boolean, pick: (container: PodRecord['containers'][number]) => number) =>
    pod.containers
      .filter((container) => container.init === init)
      .reduce((so, container) => so + pick(container), 0);
  const attempts = (init: boolean) => sum(init, (container) => container.life?.attempt ?? 0);
  const { readyAt, createdAt } = pod.startup;
  const seconds = readyAt === undefined ? undefined : (readyAt - createdAt) / 1000;
  const bucket = seconds === undefined ? -1 : STARTUP_BOUNDS.findIndex((bound) => seconds <= bound);
  return {
    restarts: attempts(false),
    initRestarts: attempts(true),
    crashLoops:
      sum(false, (container) => container.crashLoops) + sum(true, (container) => container.crashLoops),
    judged: pod.start === undefined ? 0 : 1,
    slow: pod.start === 'slow' ? 1 : 0,
    startupCounts: NOTHING.startupCounts.map((_zero, index) =>
      seconds !== undefined && index === (bucket < 0 ? STARTUP_BOUNDS.length : bucket) ? 1 : 0,
    ),
    startupSum: seconds ?? 0,
  };
}

const add = (a: Folded, b: Folded): Folded => ({
  restarts: a.restarts + b.restarts,
  initRestarts: a.initRestarts + b.initRestarts,
  crashLoops: a.crashLoops + b.crashLoops,
  judged: a.judged + b.judged,
  slow: a.slow + b.slow,
  startupCounts: a.startupCounts.map((count, index) => count + b.startupCounts[index]!),
  startupSum: a.startupSum + b.startupSum,
});

/** Keeps the counts of a pod that is about to go; a second time does nothing. */
export function foldPod(workload: WorkloadRecord, pod: PodRecord): void {
  if (workload.foldedUids.includes(pod.ref.uid)) return;
  workload.folded = add(workload.folded, shareOf(pod));
  workload.foldedUids = [...workload.foldedUids, pod.ref.uid].slice(-MOST_FOLDED_UIDS);
}

/** The counts of pods that are gone and of those that are there. */
export function totals(workload: WorkloadRecord, pods: Iterable<PodRecord>): Folded {
  let total = workload.folded;
  for (const pod of pods) if (!workload.foldedUids.includes(pod.ref.uid)) total = add(total, shareOf(pod));
  return total;
}
