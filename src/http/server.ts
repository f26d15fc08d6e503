import type { AddressInfo } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  LogController,
} from 'fastify';
import { type Clock, systemClock } from '../util/clock.ts';
import { CodedError, isCodedError } from '../util/coded-error.ts';
import { accessCheck } from './access.ts';
import { compressAnswers } from './compression.ts';
import { endStreamsOnClose } from './event-stream.ts';
import { isLoopback, urlHost } from './host-check.ts';
import { securityHeaders } from './security-headers.ts';
import { toStatus } from './status.ts';
import { createTokenCheck } from './token.ts';
import { prepareSocket } from './unix-socket.ts';

/** Where to listen: an address and a port (0: any free one), or the path of a unix socket. */
export type Listen = { readonly host: string; readonly port: number } | { readonly socket: string };

/** PEM text. With `clientCa` only clients with a certificate it signed may connect. */
export interface Tls {
  readonly key: string;
  readonly cert: string;
  readonly clientCa?: string | undefined;
}

export interface HttpServerOptions {
  /** Who answers, for messages: `collector`, `agent`. */
  readonly name: string;
  readonly listen: Listen;
  readonly token?: string | undefined;
  readonly tls?: Tls | undefined;
  readonly logger?: FastifyBaseLogger | undefined;
  /** Names beside localhost and the address itself under which clients may ask, e.g. that of the external URL. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** What is still missing before requests can be answered, in words, or null. Left out: ready once it listens. */
  readonly notReady?: (() => string | null) | undefined;
  /** What people should know though requests are answered, in words; shown at `/-/ready`. */
  readonly concerns?: (() => readonly string[]) | undefined;
  readonly clock?: Clock | undefined;
}

export interface HttpServer {
  /** Routes go onto this before `listen`. */
  readonly app: FastifyInstance;
  /** Resolves with the URL (`http://127.0.0.1:7638`, `unix:/run/podvitals/agent.sock`). */
  listen(): Promise<string>;
  /** Ends live streams, lets requests under way finish for up to 5 s, then closes. Idempotent. */
  close(): Promise<void>;
}

const BODY_LIMIT_BYTES = 1 << 20;
// On the socket of whoever may do anything anyway: exec has its command in the query, as Kubernetes has it, and that may
// be a script. As much as Go's servers take, so the API server.
const SOCKET_HEADER_BYTES = 1 << 20;
const REQUEST_TIMEOUT_MS = 30_000;
// Longer than the 60 s for which common proxies and clients keep a connection: who closes first loses requests.
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
const CLOSE_GRACE_MS = 5_000;
const MOST_CONNECTIONS = 1_000;
const MOST_REQUESTS_PER_MINUTE = 12_000;

/**
 * A server with the limits and checks that every HTTP door of podvitals has: bodies up to 1 MiB, time-outs, a request
 * rate per client, compression, a strict content security policy, Host and Origin checks, a token, errors as
 * Kubernetes Status objects, `/-/healthy` and `/-/ready`.
 *
 * @throws HTTP_TOKEN_REQUIRED when it should listen beyond this machine with neither token nor client certificates;
 * HTTP_TOKEN_SHORT. `listen` rejects with HTTP_PORT_TAKEN, HTTP_LISTEN_FAILED, HTTP_SOCKET_TAKEN, HTTP_SOCKET_PATH.
 */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { listen, name, clock = systemClock } = options;
  requireProtection(options);
  const app = createApp(options);
  app.server.maxConnections = MOST_CONNECTIONS;
  endStreamsOnClose(app);
  answerErrors(app);
  secureHeaders(app);
  // Awaited, so that they also hold for routes that are put on `app` itself.
  await app.register(
    accessCheck({
      unixSocket: 'socket' in listen,
      clientCertificates: options.tls?.clientCa !== undefined,
      allowedHosts: ownNames(options),
      hasToken: options.token === undefined ? undefined : createTokenCheck(options.token),
    }),
  );
  await limit(app, 'socket' in listen);
  answerHealth(app, options);

  let closing: Promise<void> | undefined;
  return {
    app,
    async listen() {
      try {
        return 'socket' in listen
          ? await listenOnSocket(app, listen.socket)
          : await listenOnPort(app, listen, options);
      } catch (error) {
        await app.close();
        throw listenError(error, listen, name);
      }
    },
    close() {
      closing ??= close(app, clock);
      return closing;
    },
  };
}

function requireProtection({ listen, name, token, tls }: HttpServerOptions): void {
  if ('socket' in listen || isLoopback(listen.host)) return;
  if (token !== undefined || tls?.clientCa !== undefined) return;
  throw new CodedError(
    'HTTP_TOKEN_REQUIRED',
    `the ${name} would listen on ${listen.host}, where others can reach it, without a token; set one (--token or PODVITALS_TOKEN) or client certificates, or listen on 127.0.0.1`,
  );
}

const noSchemas = () => {
  throw new Error('routes have no schemas of Fastify here');
};

function createApp({ tls, logger, listen }: HttpServerOptions): FastifyInstance {
  const common = {
    ...(logger === undefined ? { logger: false } : { loggerInstance: logger }),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // A path that is no URL never reaches the error handler.
    frameworkErrors: (error: unknown, _request: unknown, reply: FastifyReply) => {
      const status = statusOf(error);
      reply.code(status.code).send(status);
    },
    routerOptions: { maxParamLength: 300 },
    // Routes check what they are given themselves: Fastify's own compilers of schemas, half a megabyte, are not loaded.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    http: {
      headersTimeout: REQUEST_TIMEOUT_MS,
      ...('socket' in listen ? { maxHeaderSize: SOCKET_HEADER_BYTES } : {}),
    },
  };
  if (tls === undefined) return Fastify(common) as FastifyInstance;
  const { http: timeouts, ...rest } = common;
  const https = {
    ...timeouts,
    key: tls.key,
    cert: tls.cert,
    ...(tls.clientCa === undefined ? {} : { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true }),
  };
  // Fastify types a TLS server apart; the routes see no difference.
  return Fastify({ ...rest, https }) as unknown as FastifyInstance;
}

function ownNames({ listen, allowedHosts = [] }: HttpServerOptions): readonly string[] {
  if ('socket' in listen || isLoopback(listen.host) || /^[\d.:[\]]+$/.test(listen.host)) return allowedHosts;
  return [...allowedHosts, listen.host];
}

// First of the hooks, so that refusals carry these headers as well.
function secureHeaders(app: FastifyInstance): void {
  const headers = securityHeaders();
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
}

async function limit(app: FastifyInstance, unixSocket: boolean): Promise<void> {
  compressAnswers(app);
  if (unixSocket) return;
  await app.register(rateLimit, {
    max: MOST_REQUESTS_PER_MINUTE,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, context) =>
      new CodedError(
        'HTTP_TOO_MANY_REQUESTS',
        `more than ${context.max} requests in a minute from one address; ask again in ${Math.ceil(context.ttl / 1000)} s`,
        { status: 429 },
      ),
  });
}

function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const status = statusOf(error);
    if (status.code >= 500)
      request.log.error({ err: error, path: request.url.split('?')[0] }, 'request failed');
    reply.code(status.code).type('application/json; charset=utf-8').send(status);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]!.slice(0, 200);
    reply.code(404).send(toStatus(404, `there is nothing at ${request.method} ${path}`));
  });
}

/** Coded errors and fastify's own speak for themselves; anything else is a defect, told in the log only. */
function statusOf(error: unknown) {
  if (isCodedError(error)) {
    return toStatus(error.status, error.status === 500 ? `${error.message} (${error.code})` : error.message);
  }
  const { statusCode, message } = error as { statusCode?: unknown; message?: unknown };
  if (
    typeof statusCode === 'number' &&
    statusCode >= 400 &&
    statusCode < 500 &&
    typeof message === 'string'
  ) {
    return toStatus(statusCode, message);
  }
  return toStatus(500, 'podvitals failed to answer; its log says why');
}

function answerHealth(app: FastifyInstance, { name, notReady, concerns }: HttpServerOptions): void {
  const config = { access: 'health', rateLimit: false } as const;
  app.get('/-/healthy', { config }, async (_request, reply) =>
    reply.type('text/plain; charset=utf-8').send(`the ${name} is healthy\n`),
  );
  app.get('/-/ready', { config }, async (_request, reply) => {
    const missing = notReady?.() ?? null;
    if (missing !== null) throw new CodedError('HTTP_NOT_READY', missing, { status: 503 });
    const lines = [`the ${name} is ready`, ...(concerns?.() ?? [])];
    return reply.type('text/plain; charset=utf-8').send(`${lines.join('\n')}\n`);
  });
}

async function listenOnSocket(app: FastifyInstance, socket: string): Promise<string> {
  const place = await prepareSocket(socket);
  app.server.once('close', place.remove);
  try {
    await app.listen({ path: place.bindPath });
    place.publish();
  } catch (error) {
    place.remove();
    throw error;
  }
  return `unix:${socket}`;
}

async function listenOnPort(
  app: FastifyInstance,
  { host, port }: { readonly host: string; readonly port: number },
  { tls }: HttpServerOptions,
): Promise<string> {
  await app.listen({ host, port });
  const address = app.server.address() as AddressInfo;
  const shown = host === 'localhost' ? host : urlHost(address.address);
  return `${tls === undefined ? 'http' : 'https'}://${shown}:${address.port}`;
}

function listenError(error: unknown, listen: Listen, name: string): unknown {
  if (isCodedError(error)) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined || 'socket' in listen) return error;
  const place = `${urlHost(listen.host)}:${listen.port}`;
  if (code === 'EADDRINUSE') {
    return new CodedError(
      'HTTP_PORT_TAKEN',
      `the ${name} cannot listen on ${place}: another process has port ${listen.port}; ask who with: ss -ltnp 'sport = :${listen.port}'; stop it or choose another port`,
      { cause: error },
    );
  }
  const why: Readonly<Record<string, string>> = {
    EACCES: 'ports below 1024 need root or CAP_NET_BIND_SERVICE; choose a higher one',
    EADDRNOTAVAIL: `${listen.host} is no address of this machine; see: ip addr`,
    ENOTFOUND: `the name ${listen.host} has no address; use an IP address`,
  };
  return new CodedError('HTTP_LISTEN_FAILED', `the ${name} cannot listen on ${place}: ${why[code] ?? code}`, {
    cause: error,
  });
}

async function close(app: FastifyInstance, clock: Clock): Promise<void> {
  const cancel = clock.setTimer(CLOSE_GRACE_MS, () => app.server.closeAllConnections(), { unref: true });
  try {
    await app.close();
  } finally {
    cancel();
  }
}
