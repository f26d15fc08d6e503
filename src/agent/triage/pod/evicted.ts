import { seriesName } from '../citation.ts';
import { evictionCause } from '../eviction.ts';
import { describePod, manifestOf } from '../next-step.ts';
import { lastEvent } from '../pod-evidence.ts';
import { brief, rfc3339 } from '../words.ts';
import { eventFact, type PodFailureOf } from './pod-failure.ts';

const WORDS = {
  EvictedMemory: [
    'memory',
    'give it a memory request that covers its use: pods above their request go first',
  ],
  EvictedDisk: [
    'disk space',
    'limit ephemeral-storage, rotate what it writes, or write to a volume of its own',
  ],
  EvictedPids: ['process numbers', 'find what forks without end, and set a PID limit for each pod'],
} as const;

/** The node ended the pod to save itself, or because it used more of the node than it may. */
export const evicted: PodFailureOf = (pod) => {
  const { object, ref } = pod.view;
  const event = lastEvent(pod, ['Evicted']);
  const isEvicted = object.status.reason === 'Evicted';
  if (!isEvicted && (event === undefined || object.status.phase !== 'Failed')) return undefined;
  const message = object.status.message ?? event?.message ?? '';
  const cause = evictionCause(message);
  if (cause === undefined) return undefined;
  const [resource, remedy] = WORDS[cause];
  const own = /exceed/i.test(message) && !/low on resource/i.test(message);
  return {
    cause,
    confidence: 'certain',
    summary: `The pod was evicted from node ${ref.node} ${own ? `because it used more ${resource} than it may` : `because the node was short of ${resource}`}: ${brief(message, 240)}`,
    evidence: [
      ...(event ? [eventFact(event)] : []),
      {
        fact: `its status is Failed, reason Evicted: ${brief(message, 240)}`,
        source: `${seriesName('kube_pod_status_reason', ref).slice(0, -1)},reason="Evicted"}`,
        at: rfc3339(event?.at ?? pod.now),
      },
    ],
    next: [
      describePod(ref, 'read the whole message: what the node had, and what each container used'),
      {
        command: 'podvitals top pods -A',
        why: `see who uses the ${resource} of node ${ref.node} now`,
      },
      manifestOf(ref, remedy),
    ],
  };
};
