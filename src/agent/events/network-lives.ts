import type { FlightRecorder, NetworkErrors } from './flight-recorder.ts';

interface ContainerLife {
  readonly pod: { readonly uid: string };
  readonly container: string;
  readonly attempt: number;
  readonly containerId: string;
}

/** Which life the counters of a pod's network belong to: one may be over before anybody could look at its start. */
export interface NetworkLives {
  started(life: ContainerLife): void;
  died(life: ContainerLife): void;
  forget(podUid: string): void;
}

const NONE: NetworkErrors = { failedConnects: 0, retransmitTimeouts: 0 };
const MOST_PODS = 2048;

/** A network is new with its pod, so the first life begins at 0; each later one where the one before it ended. */
export function createNetworkLives(
  read: (podUid: string) => NetworkErrors | undefined,
  flightRecorder: Pick<FlightRecorder, 'recordNetwork'>,
): NetworkLives {
  const ends = new Map<string, Map<string, NetworkErrors>>();
  return {
    started({ pod, container, attempt, containerId }) {
      const now = read(pod.uid);
      const before = attempt === 0 ? NONE : ends.get(pod.uid)?.get(container);
      if (now) flightRecorder.recordNetwork(containerId, before ?? now);
    },
    died({ pod, container, containerId }) {
      const now = read(pod.uid);
      if (!now) return;
      flightRecorder.recordNetwork(containerId, now);
      const known = ends.get(pod.uid) ?? new Map<string, NetworkErrors>();
      known.set(container, now);
      ends.set(pod.uid, known);
      if (ends.size > MOST_PODS) ends.delete(ends.keys().next().value!);
    },
    forget: (podUid) => void ends.delete(podUid),
  };
}
