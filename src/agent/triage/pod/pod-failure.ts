import type { PodEvent } from '../../../model/event.ts';
import type { Evidence } from '../../../model/evidence.ts';
import type { Verdict } from '../../../model/verdict.ts';
import { seriesName } from '../citation.ts';
import type { Finding } from '../failure.ts';
import type { PodEvidence } from '../pod-evidence.ts';
import { brief, rfc3339 } from '../words.ts';

/** One thing that may be wrong with a pod as it stands; undefined when it does not hold. */
export type PodFailureOf = (pod: PodEvidence) => Finding | undefined;

export const eventFact = (event: PodEvent): Evidence => ({
  fact: `${event.reason}: ${brief(event.message, 300)}`,
  source: event.id,
  at: rfc3339(event.at),
});

/** What a container waits for, cited by its event, else by the series that shows the reason. */
export function waitingFact(
  pod: PodEvidence,
  container: string,
  waiting: { readonly reason: string; readonly message?: string },
  event: PodEvent | undefined,
): Evidence {
  if (event) return eventFact(event);
  const series = seriesName('kube_pod_container_status_waiting_reason', pod.view.ref, container);
  return {
    fact: `container ${container} waits: ${waiting.reason}${waiting.message ? `: ${brief(waiting.message, 300)}` : ''}`,
    source: `${series.slice(0, -1)},reason=${JSON.stringify(waiting.reason)}}`,
    at: rfc3339(pod.now),
  };
}

/** A verdict that nothing is wrong. */
export const healthy = (summary: string, evidence: readonly Evidence[] = []): Verdict => ({
  cause: 'None',
  failureMode: null,
  confidence: 'certain',
  summary,
  evidence,
  next: [],
});
