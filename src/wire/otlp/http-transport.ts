import type { IncomingMessage } from 'node:http';
import { request as secureRequest, Agent as TlsAgent } from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Clock } from '../../util/clock.ts';
import { messageOf } from '../../util/coded-error.ts';
import { Agent as PlainAgent, request as plainRequest } from '../../util/node-http.ts';
import { retryAfterMs } from '../../util/retry-after.ts';
import type { OtlpEndpoint } from './environment.ts';
import { acceptedOf } from './export-response.ts';
import { withTlsRemedy } from './tls-trouble.ts';
import type { ExportOutcome, OtlpTransport } from './transport.ts';

// Source: https://opentelemetry.io/docs/specs/otlp/#failures-1
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const LONGEST_ANSWER_BYTES = 64 * 1024;
const compress = promisify(gzip);

/** Sends binary protobuf by HTTP to one endpoint, whose URL is of the signal itself (`…/v1/metrics`). */
export function httpTransport(endpoint: OtlpEndpoint, clock: Clock): OtlpTransport {
  const isPlain = endpoint.url.protocol === 'http:';
  const agent = isPlain
    ? new PlainAgent({ keepAlive: true, maxSockets: 2 })
    : new TlsAgent({ keepAlive: true, maxSockets: 2, ...endpoint.tls });
  const send = isPlain ? plainRequest : secureRequest;

  return {
    async export(_signal, request, abort) {
      try {
        const body = endpoint.compression === 'gzip' ? await compress(request) : request;
        return await new Promise<ExportOutcome>((resolve, reject) => {
          const timeout = AbortSignal.timeout(endpoint.timeoutMs);
          const call = send(endpoint.url, {
            method: 'POST',
            agent,
            headers: headersOf(endpoint, body.length),
            signal: abort === undefined ? timeout : AbortSignal.any([abort, timeout]),
          });
          call.on('error', reject);
          call.on('response', (response) =>
            readAnswer(response).then((text) => resolve(outcomeOf(response, text, clock)), reject),
          );
          call.end(body);
        });
      } catch (error) {
        return { kind: 'retry', message: withTlsRemedy(`POST ${endpoint.url.href}: ${messageOf(error)}`) };
      }
    },
    async close() {
      agent.destroy();
    },
  };
}

function headersOf(endpoint: OtlpEndpoint, length: number): Record<string, string | number> {
  return {
    ...endpoint.headers,
    'content-type': 'application/x-protobuf',
    'content-length': length,
    'user-agent': 'podvitals',
    ...(endpoint.compression === 'gzip' && { 'content-encoding': 'gzip' }),
  };
}

async function readAnswer(response: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.length;
    if (size <= LONGEST_ANSWER_BYTES) parts.push(part);
  }
  return Buffer.concat(parts);
}

function outcomeOf(response: IncomingMessage, body: Buffer, clock: Clock): ExportOutcome {
  const code = response.statusCode ?? 0;
  if (code >= 200 && code < 300) return acceptedOf(body);
  const message = `HTTP ${code}: ${body.toString('utf8').slice(0, 500).replace(/\s+/g, ' ')}`;
  if (!RETRYABLE.has(code)) return { kind: 'refused', message };
  const afterMs = retryAfterMs(response.headers['retry-after'], clock.now());
  return afterMs === undefined ? { kind: 'retry', message } : { kind: 'retry', message, afterMs };
}
