import { type BackOffOptions, backOffDelay } from '../../../util/back-off.ts';
import { type Clock, sleep } from '../../../util/clock.ts';
import { event as eventSchema } from './answers.ts';
import { type PodmanConnection, parseAnswer } from './connection.ts';
import { createLines } from './lines.ts';
import { podmanError } from './podman-error.ts';

/** Something Podman did or noticed: `container` `died`, `pod` `stop`, … */
export interface PodmanEvent {
  /** Nanoseconds since the epoch, exact to 256. */
  readonly nano: number;
  readonly type: string;
  readonly action: string;
  /** Of the container, pod, image or volume. */
  readonly id: string;
  readonly name: string;
  readonly podId: string;
  /** Of a death. */
  readonly exitCode?: number;
  /** Of `health_status`. */
  readonly health?: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface FollowEventsOptions {
  readonly clock: Clock;
  /** Nanoseconds: events after it; left out: from now on. */
  readonly since?: number;
  /** In the order Podman writes them, each once. */
  readonly onEvent: (event: PodmanEvent) => void;
  /** The stream has begun, or has begun again: what was missed comes now. */
  readonly onConnected: () => void;
  /** It could not be opened, or broke off; it is tried again after `retryMs`. */
  readonly onTrouble: (error: unknown, retryMs: number) => void;
  /** A line that is no event; it is passed over. */
  readonly onBadEvent: (error: unknown) => void;
  readonly signal: AbortSignal;
  readonly backOff?: BackOffOptions;
}

const BACK_OFF: BackOffOptions = { baseMs: 250, capMs: 30_000 };
/** A stream that held so long did not fail at once: the next failure starts from the shortest delay. */
const HELD_MS = 10_000;
/** Processes write events beside each other: one may come up to so much after a later one. */
const OVERLAP_NS = 10e9;
const MOST_REMEMBERED = 4096;
const MOST_LINE = 1024 * 1024;

/**
 * Follows the events of one Podman, over restarts of its service: it asks again from a little before the last one it
 * saw, and drops what it has seen. Resolves when the signal ends it.
 */
export async function followEvents(
  connection: PodmanConnection,
  options: FollowEventsOptions,
): Promise<void> {
  const { clock, onEvent, onConnected, onTrouble, onBadEvent, signal, backOff = BACK_OFF } = options;
  const seen = new Set<string>();
  const first = options.since ?? clock.now() * 1e6;
  let newest = first;
  let from = first;
  let failures = 0;

  const take = (line: string) => {
    let event: PodmanEvent;
    try {
      event = parseEvent(connection.socket, line);
    } catch (error) {
      return onBadEvent(error);
    }
    const key = `${event.nano} ${event.id} ${event.action}`;
    if (seen.has(key)) return;
    seen.add(key);
    if (seen.size > MOST_REMEMBERED) seen.delete(seen.values().next().value!);
    newest = Math.max(newest, event.nano);
    onEvent(event);
  };

  while (!signal.aborted) {
    const begun = clock.monotonic();
    try {
      const lines = createLines(MOST_LINE, take);
      // The answer's head comes with its first event: that there is a service is known before.
      await connection.ping();
      onConnected();
      await connection.stream(
        { path: '/events', query: { stream: true, since: toRfc3339(from) }, signal, timeoutMs: 0 },
        lines.push,
      );
      lines.end();
      if (signal.aborted) return;
      throw podmanError('PODMAN_CONNECTION_LOST', `Podman at ${connection.socket} ended its events`);
    } catch (error) {
      if (signal.aborted) return;
      if (clock.monotonic() - begun > HELD_MS) failures = 0;
      const retryMs = backOffDelay(backOff, failures++);
      from = Math.max(first, newest - OVERLAP_NS);
      onTrouble(error, retryMs);
      await sleep(clock, retryMs, signal).catch(() => {});
    }
  }
}

/** Podman takes times to the nanosecond, and numbers only as a float of seconds. */
export function toRfc3339(nano: number): string {
  const ms = Math.floor(nano / 1e6);
  const below = Math.max(0, Math.floor(nano - ms * 1e6));
  return new Date(ms).toISOString().replace('Z', `${String(below).padStart(6, '0')}Z`);
}

/** @throws CodedError `PODMAN_BAD_ANSWER`. */
export function parseEvent(socket: string, line: string): PodmanEvent {
  const { Type, Action, Actor, timeNano, HealthStatus } = parseAnswer(socket, 'an event', line, eventSchema);
  const attributes = Actor.Attributes;
  const code = Number(attributes.containerExitCode);
  const health = HealthStatus ?? attributes.health_status;
  return {
    nano: timeNano,
    type: Type,
    action: Action,
    id: Actor.ID,
    name: attributes.name ?? '',
    podId: attributes.podId ?? '',
    ...(Action === 'died' && Number.isInteger(code) ? { exitCode: code } : {}),
    ...(health ? { health } : {}),
    attributes,
  };
}
