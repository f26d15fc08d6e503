import type { PodmanEvent } from '../../engines/podman/event-stream.ts';

/** The newest events of each container and pod, oldest first. */
export interface RecentEvents {
  add(event: PodmanEvent): void;
  of(id: string): readonly PodmanEvent[];
  forget(id: string): void;
}

const MOST_EVENTS = 64;
const MOST_IDS = 4096;

export function createRecentEvents(): RecentEvents {
  const byId = new Map<string, PodmanEvent[]>();
  return {
    add(event) {
      const known = byId.get(event.id) ?? [];
      byId.delete(event.id);
      byId.set(event.id, known);
      known.push(event);
      known.sort((a, b) => a.nano - b.nano);
      if (known.length > MOST_EVENTS) known.shift();
      if (byId.size > MOST_IDS) byId.delete(byId.keys().next().value!);
    },
    of: (id) => byId.get(id) ?? [],
    forget: (id) => void byId.delete(id),
  };
}
