import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { isCodedError } from '../../../util/coded-error.ts';
import { Agent, request } from '../../../util/node-http.ts';
import { answerError, connectionError, podmanError } from './podman-error.ts';

export interface PodmanRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below `/v4.0.0/libpod`, already encoded: `/containers/cart/json`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
  /** Sent as JSON; a Buffer as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Milliseconds until it is given up; 60 s when left out. Streams: until the answer begins. */
  readonly timeoutMs?: number;
}

/** One Podman service, asked over its unix socket. Every failure is a CodedError `PODMAN_*`. */
export interface PodmanConnection {
  readonly socket: string;
  /** The answer as JSON, checked; a 204 or 304 gives undefined to the schema. At most 32 MiB. */
  ask<T>(request: PodmanRequest, schema: z.ZodType<T>): Promise<T>;
  /** The body piece by piece; resolves when Podman ends it, or the signal does. */
  stream(request: PodmanRequest, onChunk: (chunk: Buffer) => void): Promise<void>;
  /** The body as text, at most 32 MiB: of answers that are no JSON, or many. */
  text(request: PodmanRequest): Promise<string>;
  /** Headers of `/_ping`, lower case. */
  ping(): Promise<Readonly<Record<string, string>>>;
  close(): void;
}

const API = '/v4.0.0/libpod';
const MOST_BYTES = 32 * 2 ** 20;
const MOST_ERROR_BYTES = 64 * 1024;
const TIMEOUT_MS = 60_000;
const MOST_SOCKETS = 8;

export function createConnection(socket: string): PodmanConnection {
  const agent = new Agent({ keepAlive: true, maxSockets: MOST_SOCKETS });

  const open = (asked: PodmanRequest, path: string, own: boolean) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const { method = 'GET', body, headers, signal, timeoutMs = TIMEOUT_MS } = asked;
      const bytes = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
      const outgoing = request(
        {
          socketPath: socket,
          path,
          method,
          // A stream holds its connection for as long as it lasts.
          agent: own ? false : agent,
          headers: {
            host: 'podman',
            ...headers,
            ...(bytes === undefined ? {} : { 'content-length': bytes.length }),
            ...(bytes === undefined || Buffer.isBuffer(body) ? {} : { 'content-type': 'application/json' }),
          },
          ...(signal ? { signal } : {}),
        },
        (answer) => {
          if (own) outgoing.setTimeout(0);
          resolve(answer);
        },
      );
      outgoing.setTimeout(timeoutMs, () =>
        outgoing.destroy(
          podmanError('PODMAN_TIMEOUT', `Podman at ${socket} did not answer ${path} within ${timeoutMs} ms`),
        ),
      );
      outgoing.once('error', (error) => reject(isCodedError(error) ? error : connectionError(socket, error)));
      outgoing.end(bytes);
    });

  const good = async (asked: PodmanRequest, own = false) => {
    const answer = await open(asked, `${API}${asked.path}${queryOf(asked.query)}`, own);
    const status = answer.statusCode ?? 0;
    if (status < 400) return answer;
    const said = await readAll(socket, answer, MOST_ERROR_BYTES).catch(() => '');
    throw answerError(`${asked.method ?? 'GET'} ${asked.path} on ${socket}`, status, said);
  };

  return {
    socket,
    async ask(asked, schema) {
      const text = await readAll(socket, await good(asked), MOST_BYTES);
      return parseAnswer(socket, asked.path, text, schema);
    },
    text: async (asked) => readAll(socket, await good(asked), MOST_BYTES),
    async stream(asked, onChunk) {
      const answer = await good(asked, true);
      try {
        for await (const chunk of answer) onChunk(chunk as Buffer);
      } catch (error) {
        if (asked.signal?.aborted) return;
        throw isCodedError(error) ? error : connectionError(socket, error);
      }
    },
    async ping() {
      const answer = await open({ path: '/_ping', timeoutMs: 10_000 }, '/_ping', false);
      await readAll(socket, answer, MOST_ERROR_BYTES);
      return answer.headers as Readonly<Record<string, string>>;
    },
    close: () => agent.destroy(),
  };
}

function queryOf(query: PodmanRequest['query']): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) parameters.append(name, String(one));
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

async function readAll(socket: string, answer: IncomingMessage, most: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > most) {
        answer.destroy();
        throw podmanError('PODMAN_BAD_ANSWER', `Podman at ${socket} answered with more than ${most} bytes`);
      }
      chunks.push(chunk);
    }
  } catch (error) {
    throw isCodedError(error) ? error : connectionError(socket, error);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** @throws CodedError `PODMAN_BAD_ANSWER`, naming the field that is not as expected. */
export function parseAnswer<T>(socket: string, what: string, text: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = text.trim() === '' ? undefined : JSON.parse(text);
  } catch (error) {
    const shown = JSON.stringify(text.slice(0, 80));
    throw podmanError(
      'PODMAN_BAD_ANSWER',
      `Podman at ${socket} answered ${what} with no whole JSON: ${shown}`,
      {
        cause: error,
      },
    );
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw podmanError(
    'PODMAN_BAD_ANSWER',
    `Podman at ${socket} answered ${what} unexpectedly: ${issue?.path.join('.') || 'the answer'}: ${issue?.message}`,
  );
}
