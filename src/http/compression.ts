import { pipeline, type Readable } from 'node:stream';
import { constants, createGzip, gzip } from 'node:zlib';
import { negotiate } from '@fastify/accept-negotiator';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isLoopback } from './host-check.ts';

// Less does not pay: it fits into a few packets anyway.
const LEAST_BYTES = 4096;
// Most clients are near: time counts more than the last tenth of the size.
const OPTIONS = { level: constants.Z_BEST_SPEED };
const COMPRESSIBLE =
  /^(?:text\/(?!event-stream)|application\/(?:json|yaml|javascript|openmetrics-text|xml)\b|[^;]+\+(?:json|xml)\b)/i;

/**
 * Answers are packed with gzip where the client takes it, from 4 KiB on, streams whatever their length; not for a client on this
 * machine, where it costs more than it saves, unless a proxy says that it is one. Only what can be made smaller, so no event
 * streams. `@fastify/compress` does more, and asks of each answer whether it is one of `fetch`: Node then loads all of that,
 * which a small agent has no use for.
 */
export function compressAnswers(app: FastifyInstance): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    if (!isWanted(request, reply, payload)) return done();
    if (isStream(payload)) {
      announce(reply).removeHeader('content-length');
      const packed = createGzip(OPTIONS);
      // Who reads sees that it broke off: the packed stream is destroyed with the other.
      pipeline(payload, packed, () => {});
      return done(null, packed);
    }
    gzip(payload, OPTIONS, (error, packed) => {
      if (error) return done(error);
      announce(reply).header('content-length', packed.length);
      done(null, packed);
    });
  });
}

function isWanted(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): payload is string | Buffer | Readable {
  if (staysOnMachine(request) || request.method === 'HEAD' || reply.statusCode === 206) return false;
  if (reply.hasHeader('content-encoding')) return false;
  if (!COMPRESSIBLE.test(String(reply.getHeader('content-type') ?? 'application/json'))) return false;
  if (negotiate(request.headers['accept-encoding'] ?? '', ['gzip']) === null) return false;
  return typeof payload === 'string' || Buffer.isBuffer(payload)
    ? Buffer.byteLength(payload) >= LEAST_BYTES
    : isStream(payload);
}

function announce(reply: FastifyReply): FastifyReply {
  const vary = reply.getHeader('vary');
  return reply
    .header('content-encoding', 'gzip')
    .header('vary', vary === undefined ? 'accept-encoding' : `${vary}, accept-encoding`);
}

const isStream = (payload: unknown): payload is Readable =>
  typeof (payload as { readonly pipe?: unknown } | null)?.pipe === 'function';

function staysOnMachine({ ip, headers }: FastifyRequest): boolean {
  const isProxy = 'x-forwarded-for' in headers || 'forwarded' in headers || 'via' in headers;
  return !isProxy && (ip === undefined || isLoopback(ip.replace(/^::ffff:/, '')));
}
