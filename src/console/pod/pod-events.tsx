import { useState } from 'preact/hooks';
import type { PodEvent } from '../../model/event.ts';
import { count, timeOf } from '../format.ts';

const AT_FIRST = 12;

/** What happened to the pod, newest first. */
export function PodEvents({ events, now }: { events: readonly PodEvent[]; now: number }) {
  const [all, setAll] = useState(false);
  if (events.length === 0) return <p class="faint">Nothing is recorded yet.</p>;
  const shown = all ? events : events.slice(0, AT_FIRST);
  return (
    <>
      <ul class="events">
        {shown.map((event) => (
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
      {shown.length < events.length && (
        <button type="button" class="more" onClick={() => setAll(true)}>
          Show {count(events.length - shown.length, 'older event')}
        </button>
      )}
    </>
  );
}
