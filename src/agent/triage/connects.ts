import type { Evidence } from '../../model/evidence.ts';
import { seriesName } from './citation.ts';
import type { Death } from './death.ts';
import { rfc3339 } from './words.ts';

/** Connections out of the pod's network that were refused or given up in this life, as the kernel counted them. */
export const failedConnectsFact = (death: Death): Evidence | undefined =>
  errorsFact(death, death.life.failedConnects, 'connect_failed', (count) =>
    count === 1 ? 'a failed connection' : `${count} failed connections`,
  );

/** What was sent and not acknowledged in time: a peer that is gone, or packets that are dropped. */
export const unansweredFact = (death: Death): Evidence | undefined =>
  errorsFact(death, death.life.retransmitTimeouts, 'retransmit_timeout', (count) =>
    count === 1 ? 'a segment without an answer in time' : `${count} segments without an answer in time`,
  );

function errorsFact(
  { life }: Death,
  count: number | undefined,
  kind: string,
  words: (count: number) => string,
): Evidence | undefined {
  if (!count) return undefined;
  return {
    fact: `the kernel counted ${words(count)} out of the pod's network in this life`,
    source: `${seriesName('podvitals_pod_network_errors_total', life.pod).slice(0, -1)},kind=${JSON.stringify(kind)}}`,
    at: rfc3339(life.finishedAt),
  };
}
