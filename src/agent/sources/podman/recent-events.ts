import type { PodmanEvent } from '../../engines/podman/event-stream.ts';

/** Events of each container and pod, oldest first: all that are not accounted for, and the newest of those that are. */
export interface RecentEvents {
  add(event: PodmanEvent): void;
  of(id: string): readonly PodmanEvent[];
  /** They are accounted for: only the newest are kept, for what may follow from them. */
  settle(id: string): void;
  forget(id: string): void;
}

const MOST_SETTLED = 64;
/** What a container that dies each second writes in 40 minutes; beyond it the inspection counts. */
const MOST_EVENTS = 10_000;
const MOST_IDS = 4096;

export function createRecentEvents(): RecentEvents {
  const byId = new Map<string, PodmanEvent[]>();
  return {
    add(event) {
      const known = byId.get(event.id) ?? [];
      byId.delete(event.id);
      byId.set(event.id, known);
      const isLate = event.nano < (known.at(-1)?.nano ?? 0);
      known.push(event);
      if (isLate) known.sort((a, b) => a.nano - b.nano);
      if (known.length > MOST_EVENTS) known.shift();
      if (byId.size > MOST_IDS) byId.delete(byId.keys().next().value!);
    },
    of: (id) => byId.get(id) ?? [],
    settle(id) {
      const known = byId.get(id);
      if (known && known.length > MOST_SETTLED) byId.set(id, known.slice(-MOST_SETTLED));
    },
    forget: (id) => void byId.delete(id),
  };
}
