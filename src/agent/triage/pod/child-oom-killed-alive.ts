import { manifestOf } from '../next-step.ts';
import { containersOf } from '../pod-evidence.ts';
import { eventFact, type PodFailureOf } from './pod-failure.ts';

const RECENT_MS = 600_000;

/** The kernel killed a child for memory and the container lives on: Kubernetes shows nothing of it. */
export const childOomKilledAlive: PodFailureOf = (pod) => {
  const event = pod.events.findLast(
    (candidate) => candidate.reason === 'OOMKill' && pod.now - candidate.at < RECENT_MS,
  );
  const container = containersOf(pod).find(
    ({ name, status }) => name === event?.container && status?.state.running,
  );
  if (!event || !container || event.attempt !== container.status?.restartCount) return undefined;
  return {
    cause: 'ChildOOMKilled',
    confidence: 'certain',
    summary: `The kernel killed a child process of container ${container.name} for memory; the container runs on, and Kubernetes shows no sign of it.`,
    evidence: [eventFact(event)],
    next: [manifestOf(pod.view.ref, 'raise resources.limits.memory, or run fewer children at a time')],
  };
};
