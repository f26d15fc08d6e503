import type { Verdict } from '../../model/verdict.ts';
import { toVerdict } from './failure.ts';
import { childOomKilledAlive } from './pod/child-oom-killed-alive.ts';
import { cpuThrottledAlive } from './pod/cpu-throttled-alive.ts';
import { dependencyFlapping } from './pod/dependency-flapping.ts';
import { evicted } from './pod/evicted.ts';
import { imagePullFailed } from './pod/image-pull-failed.ts';
import { initWaiting } from './pod/init-waiting.ts';
import { lastDeath } from './pod/last-death.ts';
import { notReady } from './pod/not-ready.ts';
import { healthy, type PodFailureOf } from './pod/pod-failure.ts';
import { referenceMissing } from './pod/reference-missing.ts';
import { startFailed } from './pod/start-failed.ts';
import { terminating } from './pod/terminating.ts';
import { unexplainedDeath } from './pod/unexplained-death.ts';
import { unschedulable } from './pod/unschedulable.ts';
import { isReady, type PodEvidence } from './pod-evidence.ts';

/** What keeps a container from starting comes before how it died, and that before what it does while it runs. */
const FAILURES: readonly PodFailureOf[] = [
  terminating,
  evicted,
  unschedulable,
  imagePullFailed,
  referenceMissing,
  startFailed,
  dependencyFlapping,
  lastDeath,
  unexplainedDeath,
  childOomKilledAlive,
  initWaiting,
  notReady,
  cpuThrottledAlive,
];

/** What is wrong with a pod now; `None` for one that is well, done, or only just starting. Pure. */
export function diagnosePod(arrived: PodEvidence): Verdict {
  const pod = {
    ...arrived,
    lives: arrived.lives.toSorted((a, b) => a.finishedAt - b.finishedAt || a.attempt - b.attempt),
    events: arrived.events.toSorted((a, b) => a.at - b.at),
  };
  for (const failureOf of FAILURES) {
    const verdict = failureOf(pod);
    if (verdict) return toVerdict(verdict);
  }
  const { phase } = pod.view.object.status;
  if (phase === 'Succeeded') return healthy('The pod has done its work.');
  return healthy(isReady(pod) ? 'The pod is ready and nothing is wrong with it.' : 'The pod is starting.');
}
