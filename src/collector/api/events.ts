import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { openEventStream } from '../../http/event-stream.ts';
import { parseRequest } from '../../http/parse-request.ts';
import type { PodEvent } from '../../model/event.ts';
import { type Clock, systemClock } from '../../util/clock.ts';
import type { EventLog, RecordQuery } from '../storage/storage.ts';
import { toList } from './pods.ts';
import { MAX_TIME_MS, MIN_TIME_MS, timeParameter } from './prometheus-parameters.ts';

export interface EventRoutesOptions {
  readonly log: EventLog;
  readonly clock?: Clock;
}

const MOST_REPLAYED = 10_000;

const name = z.string().min(1).max(253).optional();
const query = z.object({
  namespace: name,
  pod: name,
  /** Of the pod, or of another object that events are about. */
  uid: name,
  workload: name,
  container: name,
  /** Of what events are about: Pod, Deployment, … */
  kind: name,
  type: name,
  reason: name,
  /** Inclusive; seconds since 1970, or RFC 3339. */
  from: z.string().max(64).optional(),
  to: z.string().max(64).optional(),
  limit: z.coerce.number().int().min(1).max(10_000).default(500),
  watch: z.enum(['1', 'true', '0', 'false']).default('0'),
});

/**
 * `GET /api/events`: recorded events, newest first, between two times when asked. With `watch=1` the events from now on as server-sent events, each
 * with an id; a client that comes back with Last-Event-ID first gets what it missed, at least once (up to 10,000).
 * What an agent recorded before that time but delivers later is not replayed.
 */
export function eventRoutes({ log, clock = systemClock }: EventRoutesOptions): FastifyPluginAsync {
  return async (app) => {
    app.get('/api/events', async (request, reply) => {
      const { watch, limit, from, to, kind, ...fields } = parseRequest(query, request.query, 'query');
      const wanted = { ...given({ ...fields, object: kind }), ...bounds({ from, to }) };
      if (watch === '0' || watch === 'false') return toList(await log.searchEvents({ ...wanted, limit }));
      const stream = openEventStream(reply, { clock });
      const send = (event: PodEvent) =>
        stream.send({ id: `${event.at}-${event.id}`, event: 'event', data: event });
      const last = request.headers['last-event-id'];
      // What comes while the missed ones are looked for goes after them.
      let over = false;
      stream.onEnd(() => {
        over = true;
      });
      let waiting: PodEvent[] | undefined = typeof last === 'string' ? [] : undefined;
      stream.onEnd(
        log.subscribe((records) => {
          for (const record of records) {
            if (record.kind !== 'event' || !isWanted(record.event, wanted)) continue;
            if (waiting === undefined) send(record.event);
            // A client that is cut off comes back, and finds them all.
            else if (waiting.push(record.event) > MOST_REPLAYED) stream.end();
          }
        }),
      );
      if (typeof last === 'string') {
        const missed = await missedSince(log, last, wanted);
        for (const event of [...missed, ...(waiting ?? [])]) if (!over) send(event);
        waiting = undefined;
      }
      return reply;
    });
  };
}

type Fields = Pick<
  RecordQuery,
  'namespace' | 'pod' | 'uid' | 'workload' | 'container' | 'object' | 'type' | 'reason'
>;
type Wanted = Fields & Pick<RecordQuery, 'sinceMs' | 'untilMs'>;

/** @throws CodedError saying which cannot be read */
function bounds(texts: { readonly from: string | undefined; readonly to: string | undefined }) {
  const form = new URLSearchParams();
  for (const [name, text] of Object.entries(texts)) if (text !== undefined) form.set(name, text);
  return {
    ...(texts.from !== undefined && { sinceMs: timeParameter(form, 'from', MIN_TIME_MS) }),
    ...(texts.to !== undefined && { untilMs: timeParameter(form, 'to', MAX_TIME_MS) }),
  };
}

function given(fields: { readonly [Name in keyof Fields]: string | undefined }): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Oldest first. Events of the same millisecond may come again: their order in the record is not known. */
async function missedSince(log: EventLog, lastEventId: string, wanted: Wanted): Promise<readonly PodEvent[]> {
  const match = /^(\d{1,16})-(.*)$/.exec(lastEventId);
  if (match === null) return [];
  const sinceMs = Math.max(Number(match[1]), wanted.sinceMs ?? MIN_TIME_MS);
  const events = await log.searchEvents({ ...wanted, sinceMs, limit: MOST_REPLAYED });
  return events.filter((event) => event.id !== match[2]).toReversed();
}

const isSame = (a: string, b: string | undefined) => b === undefined || a.toLowerCase() === b.toLowerCase();

function isWanted({ at, pod, container, object, type, reason }: PodEvent, wanted: Wanted): boolean {
  return (
    isSame(object?.kind ?? 'Pod', wanted.object) &&
    isSame(type, wanted.type) &&
    isSame(reason, wanted.reason) &&
    at >= (wanted.sinceMs ?? MIN_TIME_MS) &&
    at <= (wanted.untilMs ?? MAX_TIME_MS) &&
    (wanted.namespace === undefined || wanted.namespace === pod.namespace) &&
    (wanted.pod === undefined || wanted.pod === pod.name) &&
    (wanted.uid === undefined || wanted.uid === pod.uid) &&
    (wanted.workload === undefined || wanted.workload === pod.workload) &&
    (wanted.container === undefined || wanted.container === container)
  );
}
