import { isUtf8 } from 'node:buffer';
import * as http from 'node:http';
import * as https from 'node:https';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CodedError } from '../../util/coded-error.ts';
import type { TextFormat } from '../../wire/prometheus/content-type.ts';
import { createSpareBytes, type SpareBytes } from '../../wire/prometheus/spare-bytes.ts';

export interface ExpositionRequest {
  readonly url: string;
  readonly timeoutMs: number;
  readonly authorization?: string;
  readonly compression: boolean;
  readonly followRedirects: boolean;
  readonly fallbackFormat?: TextFormat;
  /** Bytes of the answer, unpacked; 0 is no limit. */
  readonly bodyBytes: number;
  /** Of the answer before, unpacked: memory for as much is made at once. */
  readonly expectedBytes: number;
  /** Asked before more is held in memory; false when there is no room for it. */
  readonly hold: (bytes: number) => boolean;
}

export interface Exposition {
  /** UTF-8; whoever is done with it gives it back to `bodies`. */
  readonly body: Uint8Array;
  readonly format: TextFormat;
}

/** Connections that are kept between scrapes, and memory for what comes by them. */
export interface ScrapeConnections {
  readonly http: http.Agent;
  readonly https: https.Agent;
  readonly bodies: SpareBytes;
  close(): void;
}

const MOST_SPARE_BYTES = 16 * 1024 ** 2;

export function createConnections(): ScrapeConnections {
  const agents = { http: new http.Agent({ keepAlive: true }), https: new https.Agent({ keepAlive: true }) };
  return {
    ...agents,
    bodies: createSpareBytes(MOST_SPARE_BYTES),
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

const ACCEPT = [
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5',
  'application/openmetrics-text;version=0.0.1;q=0.4',
  'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3',
  'text/plain;version=0.0.4;q=0.2',
  '*/*;q=0.1',
].join(',');
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const MOST_REDIRECTS = 10;

/**
 * Asks a target for what it exposes. Whatever the target does, it ends when `signal` is aborted, and holds no more than
 * `bodyBytes` and what `hold` grants.
 *
 * @throws SCRAPE_FAILED, SCRAPE_LIMIT with Prometheus' words where it has them: they are shown as the target's last error.
 */
export async function fetchExposition(
  request: ExpositionRequest,
  connections: ScrapeConnections,
  signal: AbortSignal,
): Promise<Exposition> {
  try {
    const response = await follow(request, connections, signal);
    try {
      const format = formatOf(response.headers['content-type'], request.fallbackFormat);
      return { body: await readBody(response, request, connections.bodies), format };
    } finally {
      if (!response.complete) response.destroy();
    }
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw failed(
      `Get ${JSON.stringify(request.url)}: ${signal.aborted ? 'context deadline exceeded' : reasonOf(error)}`,
    );
  }
}

async function follow(
  request: ExpositionRequest,
  connections: ScrapeConnections,
  signal: AbortSignal,
): Promise<http.IncomingMessage> {
  const first = new URL(request.url);
  let url = first;
  for (let redirects = 0; ; redirects += 1) {
    const response = await get(url, headersFor(request, url.origin === first.origin), connections, signal);
    const { statusCode = 0, statusMessage = '', headers } = response;
    if (statusCode === 200) return response;
    response.destroy();
    if (!request.followRedirects || !REDIRECTS.has(statusCode) || headers.location === undefined)
      throw failed(`server returned HTTP status ${statusCode} ${statusMessage}`.trim());
    if (redirects >= MOST_REDIRECTS) throw new Error(`stopped after ${MOST_REDIRECTS} redirects`);
    url = new URL(headers.location, url);
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new Error(`unsupported protocol scheme ${JSON.stringify(url.protocol.slice(0, -1))}`);
  }
}

/** What proves who we are goes to the target alone, wherever it sends us. */
function headersFor(request: ExpositionRequest, sameOrigin: boolean): http.OutgoingHttpHeaders {
  return {
    accept: ACCEPT,
    'accept-encoding': request.compression ? 'gzip' : 'identity',
    'user-agent': 'podvitals',
    'x-prometheus-scrape-timeout-seconds': String(request.timeoutMs / 1000),
    ...(request.authorization !== undefined && sameOrigin && { authorization: request.authorization }),
  };
}

function get(
  url: URL,
  headers: http.OutgoingHttpHeaders,
  connections: ScrapeConnections,
  signal: AbortSignal,
): Promise<http.IncomingMessage> {
  const secure = url.protocol === 'https:';
  const options = { headers, signal, agent: secure ? connections.https : connections.http };
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const send = () => {
    const request = (secure ? https : http).request(url, options, resolve);
    request.on('error', (error: NodeJS.ErrnoException) => {
      // The target closed a connection that was kept, just as it was used again.
      if (request.reusedSocket && error.code === 'ECONNRESET' && !signal.aborted) send();
      else reject(error);
    });
    request.end();
  };
  send();
  return promise;
}

async function readBody(
  response: http.IncomingMessage,
  request: ExpositionRequest,
  bodies: SpareBytes,
): Promise<Uint8Array> {
  const unpacked =
    response.headers['content-encoding'] === 'gzip' ? gunzip(response, request.expectedBytes) : response;
  const body = createBody(request.expectedBytes, bodies);
  let bytes = 0;
  try {
    for await (const part of unpacked) {
      const { length } = part as Buffer;
      bytes += length;
      if (request.bodyBytes > 0 && bytes > request.bodyBytes) throw beyondLimit('body size limit exceeded');
      if (!request.hold(length)) throw beyondLimit('too much is being scraped at once');
      body.add(part as Buffer);
    }
    return body.end();
  } finally {
    unpacked.destroy();
  }
}

const SMALLEST_BODY = 4096;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** Puts parts of a body together, and sees that it is UTF-8, a part at a time. */
function createBody(expectedBytes: number, bodies: SpareBytes) {
  // A little more, as bodies grow; not what a large one of before might have us hold for nothing.
  const first = Math.min(MOST_SPARE_BYTES, expectedBytes + (expectedBytes >>> 4));
  let held = bodies.take(Math.max(SMALLEST_BODY, first));
  let length = 0;
  let checked = 0;
  const check = (end: number) => {
    if (!isUtf8(held.subarray(checked, end))) throw failed('invalid UTF-8 in the body');
    checked = end;
  };
  return {
    add(part: Buffer) {
      if (length + part.length > held.length) {
        const larger = bodies.take(Math.max(held.length * 2, length + part.length));
        larger.set(held.subarray(0, length));
        bodies.give(held);
        held = larger;
      }
      held.set(part, length);
      length += part.length;
      check(endOfCharacters(held, checked, length));
    },
    end(): Uint8Array {
      check(length);
      const hasMark = length >= 3 && BYTE_ORDER_MARK.every((byte, i) => held[i] === byte);
      return held.subarray(hasMark ? 3 : 0, length);
    },
  };
}

const CONTINUATION = 0x80;
const START = 0xc0;

/** The end without a last character of which more may come; a character has at most four bytes. */
function endOfCharacters(bytes: Uint8Array, from: number, to: number): number {
  for (let at = to - 1; at >= from && to - at < 4; at -= 1) {
    const byte = bytes[at]!;
    if (byte >= START) return at;
    if (byte < CONTINUATION) break;
  }
  return to;
}

// Each part is a way through a thread and back.
const LARGE_BODY = 256 * 1024;
const LARGE_PART = 64 * 1024;

function gunzip(response: http.IncomingMessage, expectedBytes: number): Readable {
  const unpacked = createGunzip(expectedBytes < LARGE_BODY ? {} : { chunkSize: LARGE_PART });
  response.on('error', (error) => unpacked.destroy(error));
  return response.pipe(unpacked);
}

const FORMATS: Readonly<Record<string, TextFormat>> = {
  'text/plain': 'prometheus-0.0.4',
  'application/openmetrics-text': 'openmetrics-1.0.0',
};

function formatOf(contentType: string | undefined, fallback: TextFormat | undefined): TextFormat {
  const mediaType = (contentType ?? '').split(';')[0]!.trim().toLowerCase();
  const format = Object.hasOwn(FORMATS, mediaType) ? FORMATS[mediaType] : fallback;
  if (format !== undefined) return format;
  const what =
    mediaType === '' ? 'sending blank Content-Type' : `sending Content-Type ${JSON.stringify(mediaType)}`;
  throw failed(`non-compliant scrape target ${what} and no fallback_scrape_protocol specified for target`);
}

function reasonOf(error: unknown): string {
  const { errors, message, code } = error as AggregateError & { readonly code?: string };
  return message || (errors?.[0] as Error | undefined)?.message || code || 'failed';
}

const failed = (message: string) => new CodedError('SCRAPE_FAILED', message);
/** The target exposes more than is taken. */
export const beyondLimit = (message: string) => new CodedError('SCRAPE_LIMIT', message);
