import type { Clock } from '../../util/clock.ts';
import { messageOf } from '../../util/coded-error.ts';
import { retryAfterMs } from '../../util/retry-after.ts';
import { snappyEncode } from './snappy.ts';

export interface RemoteWriteEndpoint {
  /** Without user and password: those are in `headers`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/**
 * What came of a request. `retry`: send it again, not before `afterMs` when the receiver said so. `refused`: it never
 * will be taken whole; with `badSamples` parts of it may be.
 */
export type RemoteWriteOutcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'retry'; readonly message: string; readonly afterMs?: number }
  | { readonly kind: 'refused'; readonly message: string; readonly badSamples: boolean };

/** Brings requests to a receiver of remote write 1.0. Never rejects; an aborted request is a `retry`. */
export interface RemoteWriteClient {
  write(request: Uint8Array, abort: AbortSignal): Promise<RemoteWriteOutcome>;
}

const LONGEST_MESSAGE = 500;

export function createRemoteWriteClient(endpoint: RemoteWriteEndpoint, clock: Clock): RemoteWriteClient {
  return {
    async write(request, abort) {
      try {
        const response = await fetch(endpoint.url, {
          method: 'POST',
          headers: {
            ...endpoint.headers,
            'content-type': 'application/x-protobuf',
            'content-encoding': 'snappy',
            'x-prometheus-remote-write-version': '0.1.0',
            'user-agent': 'podvitals',
          },
          // A body that followed a redirect could end up anywhere, with our headers.
          redirect: 'manual',
          body: Buffer.from(snappyEncode(request)),
          signal: AbortSignal.any([abort, AbortSignal.timeout(endpoint.timeoutMs)]),
        });
        return await outcomeOf(response, clock);
      } catch (error) {
        return { kind: 'retry', message: reasonOf(error) };
      }
    },
  };
}

async function outcomeOf(response: Response, clock: Clock): Promise<RemoteWriteOutcome> {
  const { status } = response;
  const text = (await beginning(response)).replace(/\s+/g, ' ').trim();
  if (status >= 200 && status < 300) return { kind: 'accepted' };
  const message = `HTTP ${status}: ${text}`;
  if (status < 500 && status !== 429) return { kind: 'refused', message, badSamples: status === 400 };
  const afterMs = retryAfterMs(response.headers.get('retry-after') ?? undefined, clock.now());
  return afterMs === undefined ? { kind: 'retry', message } : { kind: 'retry', message, afterMs };
}

/** The beginning of an answer; the rest is not read. */
async function beginning(response: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const part of response.body ?? []) {
    text += decoder.decode(part as Uint8Array, { stream: true });
    if (text.length >= LONGEST_MESSAGE) break;
  }
  return text.slice(0, LONGEST_MESSAGE);
}

/** `fetch` says only that it failed; why is the cause. */
function reasonOf(error: unknown): string {
  const { cause } = error as { readonly cause?: unknown };
  return cause === undefined ? messageOf(error) : messageOf(cause);
}
