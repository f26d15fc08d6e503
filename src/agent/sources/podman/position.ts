import type { WriteBehind } from '../../pod/write-behind.ts';

/** How far the events are accounted for, nanoseconds, and which containers that are in them are gone; durable. */
export interface Position {
  readonly position: number;
  readonly gone: readonly string[];
}

export interface PositionKeeper {
  /** Undefined: this Podman was never looked at. */
  readonly nano: number | undefined;
  /** Takes note that all events up to here are accounted for; never goes back. */
  advance(nano: number): void;
  isGone(containerId: string): boolean;
  /** The container is gone: events that are asked for again tell nothing new of it. */
  forget(containerId: string): void;
}

const MOST_GONE = 256;

export const positionKey = (socket: string) => `podman/${encodeURIComponent(socket)}`;

export function createPosition(
  writer: WriteBehind,
  socket: string,
  known: Partial<Position>,
): PositionKeeper {
  const gone = new Set<string>(known.gone);
  let { position } = known;
  const mark = () => writer.mark(positionKey(socket), () => ({ position, gone: [...gone] }) as Position);
  return {
    get nano() {
      return position;
    },
    advance(nano) {
      if (nano <= (position ?? 0)) return;
      position = nano;
      mark();
    },
    isGone: (containerId) => gone.has(containerId),
    forget(containerId) {
      gone.add(containerId);
      if (gone.size > MOST_GONE) gone.delete(gone.values().next().value!);
      mark();
    },
  };
}
