import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { CodedError } from '../util/coded-error.ts';
import { isAllowedHost } from './host-check.ts';
import { refusedOrigin } from './origin-check.ts';

/**
 * What a route needs of its caller. `health` is answered without a token. `read` needs the token where one is set.
 * `change` needs a token or the unix socket, always. Left out: `read` for GET and HEAD, `change` for all others, so
 * that a route which forgets to say is closed rather than open.
 */
export type Access = 'health' | 'read' | 'change';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
}

export interface AccessOptions {
  readonly unixSocket: boolean;
  /** The caller proved itself by a client certificate, which TLS has checked already. */
  readonly clientCertificates: boolean;
  readonly allowedHosts: readonly string[];
  readonly hasToken: ((authorization: string | undefined) => boolean) | undefined;
}

/** Checks Host, origin and token of every request, unknown paths included, before any route looks at it. */
export function accessCheck(options: AccessOptions): FastifyPluginAsync {
  const plugin: FastifyPluginAsync = async (app) => {
    // Not a promise: most requests are let in, and are small.
    app.addHook('onRequest', (request, reply, done) => done(refusal(request, reply, options)));
  };
  // The checks are for the whole server, not for a context of their own.
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true });
}

/** Why a request is not let in. */
function refusal(
  request: FastifyRequest,
  reply: FastifyReply,
  { unixSocket, clientCertificates, allowedHosts, hasToken }: AccessOptions,
): CodedError | undefined {
  const refused =
    (unixSocket ? undefined : refusedHost(request, allowedHosts)) ?? foreignOrigin(request, allowedHosts);
  if (refused !== undefined) return refused;
  const access = request.routeOptions.config.access ?? accessOf(request.method);
  if (access === 'health' || unixSocket || clientCertificates) return undefined;
  if (hasToken === undefined) return access === 'change' ? tokenless(request) : undefined;
  if (hasToken(request.headers.authorization)) return undefined;
  reply.header('www-authenticate', 'Bearer, Basic realm="podvitals", charset="UTF-8"');
  return new CodedError(
    'HTTP_UNAUTHORIZED',
    'this needs the token: send it as "Authorization: Bearer TOKEN", or as the password when a browser asks',
    { status: 401 },
  );
}

function accessOf(method: string): Access {
  return method === 'GET' || method === 'HEAD' ? 'read' : 'change';
}

function refusedHost(request: FastifyRequest, allowedHosts: readonly string[]): CodedError | undefined {
  if (isAllowedHost(request.headers.host, request.socket.localAddress, allowedHosts)) return undefined;
  const name = (request.headers.host ?? '').replace(/[^\x21-\x7e]/g, '?').slice(0, 100);
  return new CodedError(
    'HTTP_HOST_REFUSED',
    `the Host header "${name}" is no name of this server; if it should be, add it to the allowed hosts`,
    { status: 403 },
  );
}

function foreignOrigin(request: FastifyRequest, allowedHosts: readonly string[]): CodedError | undefined {
  const { headers } = request;
  const who = refusedOrigin(
    {
      method: request.method,
      host: headers.host,
      origin: headers.origin,
      fetchSite: one(headers['sec-fetch-site']),
      fetchMode: one(headers['sec-fetch-mode']),
      fetchDest: one(headers['sec-fetch-dest']),
    },
    allowedHosts,
  );
  if (who === null) return undefined;
  return new CodedError(
    'HTTP_ORIGIN_REFUSED',
    `this request came from ${who}; only pages of this server may ask`,
    {
      status: 403,
    },
  );
}

function tokenless(request: FastifyRequest): CodedError {
  return new CodedError(
    'HTTP_TOKEN_NEEDED',
    `${request.method} ${request.url.split('?')[0]} changes state, which needs the control socket, or a server started with a token`,
    { status: 403 },
  );
}

const one = (header: string | string[] | undefined) => (Array.isArray(header) ? header.join(',') : header);
