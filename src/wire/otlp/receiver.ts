import { randomInt } from 'node:crypto';
import type { AgentRecord } from '../../model/record.ts';
import type { Clock } from '../../util/clock.ts';
import { inTurns } from '../../util/turns.ts';
import { encodeExportResponse } from './export-response.ts';
import { beyondLimit, DEFAULT_OTLP_LIMITS, type OtlpLimits } from './limits.ts';
import { fromLog } from './log-record.ts';
import { readLogs } from './logs-reader.ts';
import { ingestMetrics, type SampleSink } from './metrics-receiver.ts';
import { decodeWith } from './protobuf.ts';
import { createSeriesMemo } from './series-memo.ts';

/** What a receiver needs of a store. `commit` and `append` resolve once all is durable. */
export interface OtlpStore {
  appender(): SampleSink & { commit(): Promise<CommittedSamples>; rollback(): void };
  readonly events: { append(records: readonly AgentRecord[]): Promise<readonly AgentRecord[]> };
}

export interface CommittedSamples {
  readonly metricNames: ReadonlySet<string>;
  readonly samples: number;
  readonly rejected: number;
}

/** What a request changed in the store. */
export interface OtlpCommitted extends CommittedSamples {
  readonly newRecords: readonly AgentRecord[];
}

export interface OtlpReceiverOptions {
  readonly store: OtlpStore;
  readonly clock: Clock;
  readonly limits?: Partial<OtlpLimits>;
  /** Called after the commit, before the answer. */
  readonly onCommitted?: (committed: OtlpCommitted) => void;
}

/** Counts since it was made, for its metrics. */
export interface OtlpReceiverStats {
  readonly requests: number;
  readonly failedRequests: number;
  readonly rejected: number;
}

/**
 * Takes encoded requests, stores them, and only then answers with the encoded response; what was not kept is told
 * there as partial success.
 *
 * Rejects with OTLP_MALFORMED or OTLP_LIMIT, and nothing is stored; or with what the store says, to be sent again.
 */
export interface OtlpReceiver {
  metrics(request: Uint8Array): Promise<Uint8Array>;
  logs(request: Uint8Array): Promise<Uint8Array>;
  readonly limits: OtlpLimits;
  stats(): OtlpReceiverStats;
}

export function createOtlpReceiver(options: OtlpReceiverOptions): OtlpReceiver {
  const { store, clock } = options;
  const limits: OtlpLimits = { ...DEFAULT_OTLP_LIMITS, ...options.limits };
  const newMemo = () => createSeriesMemo(randomInt(2 ** 31));
  let memo = newMemo();
  let requests = 0;
  let failedRequests = 0;
  let rejected = 0;

  const counted = async (request: Uint8Array, work: () => Promise<{ rejected: number; message: string }>) => {
    requests += 1;
    try {
      if (request.length > limits.bodyBytes) throw beyondLimit('bytes', limits.bodyBytes);
      const outcome = await work();
      rejected += outcome.rejected;
      return encodeExportResponse(outcome);
    } catch (error) {
      failedRequests += 1;
      throw error;
    }
  };

  const storeMetrics = async (request: Uint8Array) => {
    // Requests under way go on with the one they began with.
    if (memo.isFull) memo = newMemo();
    const appender = store.appender();
    try {
      const ingesting = ingestMetrics(request, { sink: appender, memo, limits, nowMs: clock.now() });
      const refused = await inTurns(ingesting, clock);
      const committed = await appender.commit();
      options.onCommitted?.({ ...committed, newRecords: [] });
      const late = `${committed.rejected} samples are out of order, out of bounds, or differ from what is stored`;
      return {
        rejected: refused.rejected + committed.rejected,
        message: refused.message || (committed.rejected > 0 ? late : ''),
      };
    } catch (error) {
      appender.rollback();
      throw error;
    }
  };

  const storeLogs = async (request: Uint8Array) => {
    const records: AgentRecord[] = [];
    let refused = 0;
    let message = '';
    for (const log of decodeWith(request, (reader) => readLogs(reader, limits))) {
      const record = fromLog(log);
      if (typeof record !== 'string') records.push(record);
      else {
        refused += 1;
        message ||= record;
      }
    }
    const newRecords = await store.events.append(records);
    options.onCommitted?.({ metricNames: new Set(), samples: 0, rejected: 0, newRecords });
    return { rejected: refused, message };
  };

  return {
    metrics: (request) => counted(request, () => storeMetrics(request)),
    logs: (request) => counted(request, () => storeLogs(request)),
    limits,
    stats: () => ({ requests, failedRequests, rejected }),
  };
}
