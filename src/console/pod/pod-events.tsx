import type { PodEvent } from '../../model/event.ts';
import { timeOf } from '../format.ts';

/** What happened to the pod, newest first. */
export function PodEvents({ events, now }: { events: readonly PodEvent[]; now: number }) {
  if (events.length === 0) return <p class="faint">Nothing is recorded yet.</p>;
  return (
    <ul class="events">
      {events.map((event) => (
        <li key={event.id} class={`event event-${event.type.toLowerCase()}`}>
          <time dateTime={new Date(event.at).toISOString()}>{timeOf(event.at, now)}</time>
          <b>
            {event.reason}
            {event.type === 'Warning' && <span class="hidden"> (warning)</span>}
          </b>
          <span>{event.message}</span>
        </li>
      ))}
    </ul>
  );
}
