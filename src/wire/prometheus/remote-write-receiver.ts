import type { Clock } from '../../util/clock.ts';
import { CodedError, isCodedError } from '../../util/coded-error.ts';
import { createTurns, type InTurns } from '../../util/turns.ts';
import { DEFAULT_REMOTE_WRITE_LIMITS, type RemoteWriteLimits } from './remote-write-limits.ts';
import { readWriteRequest } from './remote-write-reader.ts';
import { snappyDecoding } from './snappy.ts';
import { createSpareBytes } from './spare-bytes.ts';

/** What a receiver needs of a store. `commit` resolves once all is durable. */
export interface RemoteWriteStore {
  appender(): RemoteWriteAppender;
}

export interface RemoteWriteAppender {
  reference(labelBytes: Uint8Array): number;
  find?(bytes: Uint8Array, from: number, to: number): number | undefined;
  /** A sample, its value as the high and the low word; any bits of NaN but the stale marker's are one and the same. */
  appendWords(ref: number, t: number, high: number, low: number): void;
  commit(): Promise<RemoteWriteCommitted>;
  rollback(): void;
}

export interface RemoteWriteCommitted {
  readonly metricNames: ReadonlySet<string>;
  readonly samples: number;
  readonly rejected: number;
}

/** A request as HTTP servers have it; the body is raw, still packed. */
export interface RemoteWriteRequest {
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly body: Uint8Array;
}

export interface RemoteWriteAnswer {
  readonly status: number;
  /** Empty when all went well. */
  readonly message: string;
  readonly retryAfterSeconds?: number;
}

/** Counts since it was made, for its metrics. */
export interface RemoteWriteReceiverStats {
  readonly requests: number;
  readonly failedRequests: number;
  readonly samples: number;
  readonly rejected: number;
}

/**
 * Takes requests of Prometheus' remote write 1.0. It answers once what can be kept is durable: 204; 400 when some of
 * it cannot be kept ever, though the rest was; 429 or 503 with a time when it should come again whole (what was kept
 * is no trouble then). A request that is broken or too large is refused whole. Rejects for a defect only.
 * Source: https://prometheus.io/docs/specs/prw/remote_write_spec/
 */
export interface RemoteWriteReceiver {
  write(request: RemoteWriteRequest): Promise<RemoteWriteAnswer>;
  readonly limits: RemoteWriteLimits;
  stats(): RemoteWriteReceiverStats;
}

export interface RemoteWriteReceiverOptions {
  readonly store: RemoteWriteStore;
  readonly clock: Clock;
  readonly limits?: Partial<RemoteWriteLimits>;
  /** Called after the commit, before the answer. */
  readonly onCommitted?: (committed: RemoteWriteCommitted) => void;
}

const RETRY_AFTER_SECONDS = 5;
const MOST_SPARE_BYTES = 16 * 1024 ** 2;

export function createRemoteWriteReceiver(options: RemoteWriteReceiverOptions): RemoteWriteReceiver {
  const { store } = options;
  const inTurns = createTurns(options.clock);
  const limits: RemoteWriteLimits = { ...DEFAULT_REMOTE_WRITE_LIMITS, ...options.limits };
  const counts = { requests: 0, failedRequests: 0, samples: 0, rejected: 0 };
  const spare = createSpareBytes(MOST_SPARE_BYTES);
  let underWayBytes = 0;

  const take = async (body: Uint8Array): Promise<RemoteWriteAnswer> => {
    let held: Uint8Array | undefined;
    const hold = (bytes: number) => {
      if (underWayBytes > 0 && underWayBytes + bytes > limits.underWayBytes)
        throw new CodedError('REMOTE_WRITE_BUSY', 'too many write requests are under way; send it again', {
          status: 429,
        });
      held = spare.take(bytes);
      underWayBytes += held.length;
      return held;
    };
    try {
      return await keep(await inTurns(snappyDecoding(body, limits.unpackedBytes, hold)));
    } finally {
      if (held !== undefined) {
        underWayBytes -= held.length;
        spare.give(held);
      }
    }
  };

  const keep = async (request: Uint8Array): Promise<RemoteWriteAnswer> => {
    const appender = store.appender();
    try {
      const refusals = await append(request, appender, limits, inTurns);
      const committed = await appender.commit();
      options.onCommitted?.(committed);
      counts.samples += committed.samples;
      counts.rejected += committed.rejected + refusals.samples;
      return answerOf(committed, refusals);
    } catch (error) {
      appender.rollback();
      throw error;
    }
  };

  return {
    async write(request) {
      counts.requests += 1;
      const answer = unsuitable(request) ?? (await take(request.body).catch(failure));
      if (answer.status >= 300) counts.failedRequests += 1;
      return answer;
    },
    limits,
    stats: () => ({ ...counts }),
  };
}

/** What was not kept of a request, and the first reason why. */
interface Refusals {
  samples: number;
  message: string;
  /** The store is full: the same may be taken later. */
  full: boolean;
}

async function append(
  request: Uint8Array,
  appender: RemoteWriteAppender,
  limits: RemoteWriteLimits,
  inTurns: InTurns,
): Promise<Refusals> {
  const refusals: Refusals = { samples: 0, message: '', full: false };
  const refused = (samples: number, why: string) => {
    refusals.samples += samples;
    refusals.message ||= why;
  };
  let ref = 0;
  const reading = readWriteRequest(request, limits, {
    refused,
    known(bytes, from, to) {
      const found = appender.find?.(bytes, from, to);
      if (found === undefined) return false;
      ref = found;
      return true;
    },
    series(labelBytes, samples) {
      try {
        ref = appender.reference(labelBytes);
        return true;
      } catch (error) {
        if (!isCodedError(error)) throw error;
        if (error.status === 429) refusals.full = true;
        refused(samples, error.message);
        return false;
      }
    },
    sample: (t, high, low) => appender.appendWords(ref, t, high, low),
  });
  await inTurns(reading);
  return refusals;
}

function answerOf(committed: RemoteWriteCommitted, refusals: Refusals): RemoteWriteAnswer {
  const kept = `${committed.samples} samples were stored`;
  if (refusals.full) {
    const message = `${refusals.message}; ${refusals.samples} samples are left out, ${kept}`;
    return { status: 429, message, retryAfterSeconds: RETRY_AFTER_SECONDS };
  }
  if (refusals.samples > 0)
    return { status: 400, message: `${refusals.message}; ${refusals.samples} samples are refused, ${kept}` };
  if (committed.rejected === 0) return { status: 204, message: '' };
  const late = 'are out of order, out of bounds, or differ from what is stored';
  return { status: 400, message: `${committed.rejected} samples ${late}; ${kept}` };
}

function unsuitable({ contentType, contentEncoding }: RemoteWriteRequest): RemoteWriteAnswer | undefined {
  const [type, ...parameters] = (contentType ?? '').split(';').map((part) => part.trim().toLowerCase());
  const proto = parameters.find((parameter) => parameter.startsWith('proto='))?.slice('proto='.length);
  if (type !== 'application/x-protobuf' || (proto ?? 'prometheus.writerequest') !== 'prometheus.writerequest')
    return {
      status: 415,
      message: 'only remote write 1.0 is taken: application/x-protobuf;proto=prometheus.WriteRequest',
    };
  if (contentEncoding?.trim().toLowerCase() !== 'snappy')
    return { status: 415, message: 'the body must be packed with snappy, and Content-Encoding say so' };
  return undefined;
}

function failure(error: unknown): RemoteWriteAnswer {
  if (!isCodedError(error)) throw error;
  return error.status === 429 || error.status >= 500
    ? again(error.status === 429 ? 429 : 503, error.message)
    : { status: error.status, message: error.message };
}

const again = (status: number, message: string): RemoteWriteAnswer => ({
  status,
  message,
  retryAfterSeconds: RETRY_AFTER_SECONDS,
});
