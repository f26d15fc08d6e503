import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../util/clock.ts';
import { copyPiecesFor } from './piece-buffers.ts';
import { type Form, readForm } from './prometheus-parameters.ts';
import { beginText, type WriteText } from './text-bytes.ts';

/** One route: what it answers to a form; or it sends the reply itself. */
export type FormHandler = (form: Form, request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

type Method = 'GET' | 'POST' | 'PUT';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/**
 * Puts a route of the Prometheus API at /api/v1/`url`. Its answers are `application/json` without a charset; other
 * methods get a 405 in plain text, at which clients (Grafana) try again with the other one.
 */
export function apiRoute(
  app: FastifyInstance,
  url: string,
  methods: readonly Method[],
  handler: FormHandler,
): void {
  // Asking by POST changes nothing.
  const common = { url: `/api/v1/${url}`, config: { access: 'read' as const } };
  app.route({
    ...common,
    method: [...methods],
    handler: async (request, reply) => {
      const answer = await handler(readForm(request), request, reply);
      // A reply that a handler sent itself comes to nothing when it is waited for.
      if (reply.sent) return reply;
      return sendJson(reply, answer);
    },
  });
  app.route({
    ...common,
    method: METHODS.filter((method) => !methods.some((one) => one === method)),
    handler: async (_request, reply) =>
      reply
        .code(405)
        .header('allow', methods.join(', '))
        .type('text/plain; charset=utf-8')
        .send('Method Not Allowed\n'),
  });
}

/** As bytes: to text fastify would add a charset, which Prometheus does not name. */
export function sendJson(reply: FastifyReply, answer: unknown): FastifyReply {
  return reply.type('application/json').send(Buffer.from(JSON.stringify(answer)));
}

/**
 * JSON written a piece at a time: a short one is sent as a whole, of a long one each piece as it is ready. `onWritten` is
 * called once all of it is text; not when the client went before.
 */
export function sendPieces(
  reply: FastifyReply,
  write: WriteText,
  clock: Clock,
  onWritten?: () => void,
): FastifyReply {
  reply.type('application/json');
  const { first, rest } = beginText(write, clock, copyPiecesFor(reply.raw));
  if (rest === undefined) {
    onWritten?.();
    return reply.send(first);
  }
  const all = async function* () {
    yield first;
    yield* rest;
    onWritten?.();
  };
  return reply.send(Readable.from(all(), { objectMode: false }));
}

/** Forms as text, for `readForm`. */
export function acceptForms(app: FastifyInstance): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, body),
  );
}
