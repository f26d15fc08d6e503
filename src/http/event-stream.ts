import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { type Clock, systemClock } from '../util/clock.ts';
import { CodedError } from '../util/coded-error.ts';

/** One server-sent event. `id` is what the client names when it comes back; neither may hold a line break. */
export interface ServerSentEvent {
  readonly id?: string;
  readonly event?: string;
  /** Sent as one line of JSON. */
  readonly data: unknown;
}

export interface EventStream {
  /** False once the stream is over. */
  send(event: ServerSentEvent): boolean;
  end(): void;
  /** Called once, however the stream ends. */
  onEnd(run: () => void): void;
}

const HEARTBEAT_MS = 15_000;
const RETRY_MS = 2_000;
/** What a client may leave unread before it is cut off; it comes back with Last-Event-ID. */
const MOST_UNREAD_BYTES = 1 << 20;
const MOST_STREAMS = 200;

const open = new WeakMap<object, Set<EventStream>>();

/** Ends every stream of `app` when it closes; called once for each server. */
export function endStreamsOnClose(app: FastifyInstance): void {
  const streams = new Set<EventStream>();
  open.set(app.server, streams);
  app.addHook('preClose', async () => {
    for (const stream of [...streams]) stream.end();
  });
}

/**
 * Answers a request with server-sent events. It is never compressed. A client that reads too slowly
 * is cut off, a heartbeat comment tells proxies that the line lives, and closing the server ends the stream.
 * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
 *
 * @throws HTTP_STREAMS_FULL (503) when 200 streams are open.
 */
export function openEventStream(
  reply: FastifyReply,
  {
    clock = systemClock,
    mostUnreadBytes = MOST_UNREAD_BYTES,
  }: { clock?: Clock; mostUnreadBytes?: number } = {},
): EventStream {
  const streams = open.get(reply.server.server) ?? new Set();
  if (streams.size >= MOST_STREAMS) {
    throw new CodedError(
      'HTTP_STREAMS_FULL',
      `${MOST_STREAMS} live streams are open already; try again later`,
      {
        status: 503,
      },
    );
  }
  const body = new Readable({ read() {}, highWaterMark: mostUnreadBytes });
  const endings: (() => void)[] = [];
  const push = (text: string): boolean => {
    if (body.destroyed || body.readableEnded) return false;
    if (body.readableLength > mostUnreadBytes) {
      body.destroy();
      return false;
    }
    body.push(text);
    return true;
  };
  const stream: EventStream = {
    send: (event) => push(toFrame(event)),
    end() {
      if (!body.destroyed) body.push(null);
      finish();
    },
    onEnd(run) {
      if (finished) run();
      else endings.push(run);
    },
  };
  let cancelHeartbeat = () => {};
  const heartbeat = () => {
    cancelHeartbeat = clock.setTimer(
      HEARTBEAT_MS,
      () => {
        if (push(': still here\n\n')) heartbeat();
      },
      { unref: true },
    );
  };
  let finished = false;
  const finish = () => {
    if (finished) return;
    finished = true;
    cancelHeartbeat();
    streams.delete(stream);
    for (const run of endings) run();
  };
  body.once('close', finish);
  reply.raw.once('close', () => {
    body.destroy();
    finish();
  });
  streams.add(stream);
  heartbeat();
  push(`retry: ${RETRY_MS}\n\n`);
  reply
    .header('content-type', 'text/event-stream; charset=utf-8')
    .header('cache-control', 'no-store')
    .header('x-accel-buffering', 'no')
    .send(body);
  return stream;
}

function toFrame({ id, event, data }: ServerSentEvent): string {
  const oneLine = (text: string) => text.replace(/[\r\n\0]/g, ' ');
  let frame = '';
  if (id !== undefined) frame += `id: ${oneLine(id)}\n`;
  if (event !== undefined) frame += `event: ${oneLine(event)}\n`;
  return `${frame}data: ${JSON.stringify(data)}\n\n`;
}
