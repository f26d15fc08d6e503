import type { PodState } from '../../model/record.ts';
import type { KeyValue } from '../pod/key-value.ts';
import type { PodView } from '../pod/view.ts';

const MOST_DEPARTURES = 256;
const PREFIX = 'departures/';

interface Departure {
  readonly view?: PodView;
  /** What was told last of it. */
  readonly state?: PodState;
}

/**
 * Pods that are going or gone: an agent that is killed before the last word about a pod is durable says it again after
 * its restart, when the pod itself is not there any more. The last 256.
 */
export interface Departures {
  leaving(view: PodView): void;
  left(uid: string, state: PodState | undefined): void;
  has(uid: string): boolean;
  of(uid: string): Departure | undefined;
}

export function createDepartures(keyValue?: KeyValue): Departures {
  const departures = new Map<string, Departure>(
    (keyValue?.entries(PREFIX) ?? []).map(([key, value]) => [key.slice(PREFIX.length), value as Departure]),
  );
  const gone = new Set<string>();
  const put = (uid: string, departure: Departure) => {
    departures.delete(uid);
    departures.set(uid, departure);
    void keyValue?.set(`${PREFIX}${uid}`, departure);
    if (departures.size <= MOST_DEPARTURES) return;
    const oldest = departures.keys().next().value!;
    departures.delete(oldest);
    gone.delete(oldest);
    void keyValue?.delete(`${PREFIX}${oldest}`);
  };
  return {
    leaving: (view) => put(view.ref.uid, { view }),
    left(uid, state) {
      gone.add(uid);
      put(uid, state === undefined ? {} : { state });
    },
    has: (uid) => gone.has(uid),
    of: (uid) => departures.get(uid),
  };
}
