import { z } from 'zod';

/** Prometheus' words for how a client proves itself. */
const credentials = {
  headers: z.record(z.string().max(256), z.string().max(8_192)).optional(),
  basic_auth: z.strictObject({ username: z.string(), password: z.string() }).optional(),
  authorization: z.strictObject({ type: z.string().optional(), credentials: z.string() }).optional(),
};

const httpUrl = z.url({ protocol: /^https?$/, error: 'write it as http://host:port' });

/** A server that is asked queries. */
export const querySchema = z.strictObject({ url: httpUrl, ...credentials });

/** Prometheus' block of the same name, as far as it is honoured, and the bounds of what may wait. */
export const remoteWriteSchema = z.strictObject({
  url: httpUrl,
  name: z.string().min(1).max(100).optional(),
  remote_timeout: z.string().optional(),
  queue: z.strictObject({ size: z.string().optional(), age: z.string().optional() }).optional(),
  ...credentials,
});

export interface ServerUrl {
  /** Without user and password. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface RemoteWriteUrl extends ServerUrl {
  readonly name: string;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

/** User and password of a URL go into a header: they are not for logs and metrics. */
export function serverUrl(given: z.infer<typeof querySchema>): ServerUrl {
  const url = new URL(given.url);
  const { basic_auth: basic, authorization } = given;
  const user = url.username !== '' || url.password !== '';
  const headers: Record<string, string> = { ...given.headers };
  if (user)
    headers.authorization = basicAuth(decodeURIComponent(url.username), decodeURIComponent(url.password));
  if (basic) headers.authorization = basicAuth(basic.username, basic.password);
  if (authorization) headers.authorization = `${authorization.type ?? 'Bearer'} ${authorization.credentials}`;
  url.username = '';
  url.password = '';
  return { url: url.href, headers };
}

const basicAuth = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

/** How a receiver is called where it has no name of its own; its query may hold a secret. */
export function nameOfUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
