import type { Journal } from '../../journal/journal.ts';
import { createQueue, type QueueEntry } from '../../journal/queue.ts';
import type { AgentRecord } from '../../model/record.ts';
import { type BackOffOptions, backOffDelay } from '../../util/back-off.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import { messageOf } from '../../util/coded-error.ts';
import type { Point } from '../catalogue/signal.ts';
import { encodeRecords } from './logs-writer.ts';
import { POINTS_PER_REQUEST, type PointsRequest } from './points-encoder.ts';
import { encodePoints } from './points-writer.ts';
import type { ResourceFacts } from './resource.ts';
import type { ExportOutcome, OtlpSignal, OtlpTransport } from './transport.ts';

export interface OtlpSenderOptions {
  readonly transport: OtlpTransport;
  /** Tells its part of the spool from that of other senders; `otlp` when left out. */
  readonly name?: string;
  /** Has `queueSchema`. */
  readonly spool: Journal;
  readonly clock: Clock;
  readonly resource: ResourceFacts;
  /** A number in [0, 1), for the jitter of retries; Math.random when left out. */
  readonly random?: () => number;
  /** 64 MiB when left out. */
  readonly maxBytes?: number;
  /** A day when left out. */
  readonly maxAgeMs?: number;
}

/** Counts since the sender was made, and what waits now. */
export interface OtlpSenderStats {
  readonly sent: Readonly<Record<OtlpSignal, number>>;
  /** Fell off the spool, refused for good, or taken by neither the receiver nor the disk. */
  readonly dropped: Readonly<Record<OtlpSignal, number>>;
  /** Taken by the receiver but not kept, as its partial success says. */
  readonly rejected: Readonly<Record<OtlpSignal, number>>;
  readonly queuedRequests: number;
  readonly queuedBytes: number;
  /** The receiver's last complaint; undefined once something went through without. */
  readonly lastError: string | undefined;
}

/**
 * Sends points and records, in the order they were given, at least once, across restarts: a record is on disk when the
 * promise resolves, and leaves the disk when the receiver has it. Points go to disk where the receiver does not take them
 * at once, or others wait there: a process that is killed loses those on their way, as it does those it has not read yet.
 *
 * Who sends a death's record and its counters sends the record first: the evidence is there when a rule fires.
 */
export interface OtlpSender {
  sendPoints(points: readonly Point[], atMs: number): Promise<void>;
  /** Points that were encoded before, once for all senders. */
  sendEncoded(requests: readonly PointsRequest[]): Promise<void>;
  sendRecords(records: readonly AgentRecord[]): Promise<void>;
  /** Resolves true when nothing waits any more, false after `timeoutMs`. */
  flush(timeoutMs: number): Promise<boolean>;
  stats(): OtlpSenderStats;
  /** Stops sending; what waits is sent by the next sender on this spool. */
  close(): Promise<void>;
}

const BACK_OFF: BackOffOptions = { baseMs: 1_000, capMs: 60_000 };
const RECORDS_PER_REQUEST = 500;
const REQUEST_BYTES = 2 * 1024 * 1024;
/** Of points that are neither sent nor on disk; who gives more waits. */
const MOST_FRESH_BYTES = 4 * 1024 * 1024;

export function createOtlpSender(options: OtlpSenderOptions): OtlpSender {
  const { transport, clock, resource } = options;
  const random = options.random ?? Math.random;
  const sent = { metrics: 0, logs: 0 };
  const dropped = { metrics: 0, logs: 0 };
  const rejected = { metrics: 0, logs: 0 };
  let lastError: string | undefined;
  const queue = createQueue(options.spool, {
    name: options.name ?? 'otlp',
    clock,
    maxBytes: options.maxBytes ?? 64 * 1024 * 1024,
    maxAgeMs: options.maxAgeMs ?? 24 * 3_600_000,
    onDrop: (kind, items) => {
      dropped[kind as OtlpSignal] += items;
    },
  });
  const stopped = new AbortController();
  let wake = () => {};
  let idle: (() => void)[] = [];

  const settle = async (
    entries: readonly QueueEntry[],
    outcome: ExportOutcome & { kind: 'accepted' | 'refused' },
  ) => {
    const items = entries.reduce((sum, entry) => sum + entry.items, 0);
    await queue.remove(...entries.map(({ position }) => position));
    tally(entries[0]!.kind as OtlpSignal, items, outcome);
  };

  const tally = (
    signal: OtlpSignal,
    items: number,
    outcome: ExportOutcome & { kind: 'accepted' | 'refused' },
  ) => {
    if (outcome.kind === 'accepted') {
      rejected[signal] += outcome.rejected;
      sent[signal] += Math.max(0, items - outcome.rejected);
      lastError = outcome.message === '' ? undefined : outcome.message;
    } else {
      dropped[signal] += items;
      lastError = outcome.message;
    }
  };

  /** Those of one kind that wait are one request: protobuf messages one after another are their union. */
  const deliver = async (entries: readonly QueueEntry[]): Promise<ExportOutcome> => {
    const body = entries.length === 1 ? entries[0]!.body : Buffer.concat(entries.map((entry) => entry.body));
    const outcome = await transport.export(entries[0]!.kind as OtlpSignal, body, stopped.signal);
    if (outcome.kind === 'retry') return outcome;
    // One of them spoils the others: each by itself.
    if (outcome.kind === 'refused' && entries.length > 1) return deliverEach(entries);
    try {
      await settle(entries, outcome);
      return outcome;
    } catch (error) {
      // Delivered, but the spool cannot let go of it: sent again later, and known to the receiver by then.
      return { kind: 'retry', message: messageOf(error) };
    }
  };

  const deliverEach = async (entries: readonly QueueEntry[]): Promise<ExportOutcome> => {
    let outcome: ExportOutcome = { kind: 'accepted', rejected: 0, message: '' };
    for (const entry of entries) {
      outcome = await deliver([entry]);
      if (outcome.kind === 'retry') break;
    }
    return outcome;
  };

  /** Records go before the points that were given with or before them: the evidence is there when a rule fires. */
  let last: OtlpSignal | undefined;
  const nextEntries = (): readonly QueueEntry[] => {
    const records = queue.oldest('logs', { items: RECORDS_PER_REQUEST, bytes: REQUEST_BYTES });
    const isTheirTurn = records.length > 0 && last !== 'logs';
    const points = isTheirTurn
      ? []
      : queue.oldest('metrics', { items: POINTS_PER_REQUEST, bytes: REQUEST_BYTES }, records[0]?.position);
    const entries = points.length > 0 ? points : records;
    last = points.length > 0 ? 'metrics' : 'logs';
    return entries;
  };

  const pause = (outcome: ExportOutcome & { kind: 'retry' }, attempt: number) => {
    lastError = outcome.message;
    const delay = Math.max(outcome.afterMs ?? 0, backOffDelay(BACK_OFF, attempt));
    // Jitter keeps many agents from coming back in one moment.
    return sleep(clock, delay * (0.8 + 0.4 * random()), stopped.signal).catch(() => {});
  };

  const push = async (kind: OtlpSignal, items: number, body: Uint8Array) => {
    writing += 1;
    try {
      await queue.push({ kind, items, body });
    } finally {
      writing -= 1;
    }
    wake();
  };

  /** Points younger than all that are on disk, or will be in a moment. */
  const fresh: PointsRequest[] = [];
  let freshBytes = 0;
  let writing = 0;
  let leaves = Promise.withResolvers<void>();
  const dropFirst = () => {
    freshBytes -= fresh.shift()!.body.length;
    leaves.resolve();
    leaves = Promise.withResolvers();
  };
  const deliverFirst = async ({ count, body }: PointsRequest): Promise<ExportOutcome> => {
    const outcome = await transport.export('metrics', body, stopped.signal);
    if (outcome.kind === 'retry') return outcome;
    tally('metrics', count, outcome);
    dropFirst();
    return outcome;
  };
  /** What neither the receiver nor the disk takes is lost, and counted: who measures is not held up by it. */
  const spill = async () => {
    for (let first = fresh[0]; first !== undefined; first = fresh[0]) {
      try {
        await push('metrics', first.count, first.body);
      } catch {
        // What ails the disk, records tell: they are for whoever gave them to see to.
        dropped.metrics += first.count;
      }
      dropFirst();
    }
  };
  const give = async (request: PointsRequest) => {
    if (fresh.length === 0 && (queue.length > 0 || writing > 0 || stopped.signal.aborted))
      return push('metrics', request.count, request.body);
    while (freshBytes > MOST_FRESH_BYTES) await leaves.promise;
    fresh.push(request);
    freshBytes += request.body.length;
    wake();
  };

  const send = async (sending: Promise<ExportOutcome>, attempt: number): Promise<ExportOutcome['kind']> => {
    const outcome = await sending;
    if (outcome.kind === 'retry') {
      await spill();
      await pause(outcome, attempt);
    }
    return outcome.kind;
  };
  /** A function of its own: what was sent is nothing to keep until there is more. Undefined: nothing waits. */
  const sendNext = (attempt: number): Promise<ExportOutcome['kind']> | undefined => {
    const entries = nextEntries();
    if (entries.length > 0) return send(deliver(entries), attempt);
    return fresh[0] && send(deliverFirst(fresh[0]), attempt);
  };

  const drain = async () => {
    let attempt = 0;
    while (!stopped.signal.aborted) {
      const sending = sendNext(attempt);
      if (sending === undefined) {
        for (const done of idle.splice(0)) done();
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      attempt = (await sending) === 'retry' ? attempt + 1 : 0;
    }
  };

  const running = drain();

  return {
    async sendPoints(points, atMs) {
      const requests: PointsRequest[] = [];
      for (let i = 0; i < points.length; i += POINTS_PER_REQUEST) {
        const some = points.slice(i, i + POINTS_PER_REQUEST);
        requests.push({ count: some.length, body: encodePoints(some, atMs, resource) });
      }
      for (const request of requests) await give(request);
    },
    async sendEncoded(requests) {
      for (const request of requests) await give(request);
    },
    async sendRecords(records) {
      const requests = requestsOf(records, resource).map(({ count, body }) => push('logs', count, body));
      await Promise.all(requests);
    },
    async flush(timeoutMs) {
      if (queue.length === 0 && fresh.length === 0 && writing === 0) return true;
      const drained = new Promise<true>((resolve) => idle.push(() => resolve(true)));
      const late = new AbortController();
      const timeout = sleep(clock, timeoutMs, late.signal).then(
        () => false,
        () => false,
      );
      try {
        return await Promise.race([drained, timeout]);
      } finally {
        late.abort();
      }
    },
    stats: () => ({
      sent: { ...sent },
      dropped: { ...dropped },
      rejected: { ...rejected },
      queuedRequests: queue.length + fresh.length,
      queuedBytes: queue.bytes + freshBytes,
      lastError,
    }),
    async close() {
      stopped.abort();
      wake();
      await running;
      await spill();
      idle = [];
      await transport.close();
    },
  };
}

/** Splits records so that each request stays small; one that is large by itself goes alone. */
function requestsOf(
  records: readonly AgentRecord[],
  resource: ResourceFacts,
): readonly { readonly count: number; readonly body: Uint8Array }[] {
  if (records.length === 0) return [];
  const body = encodeRecords(records, resource);
  const fits = records.length <= RECORDS_PER_REQUEST && body.length <= REQUEST_BYTES;
  if (fits || records.length === 1) return [{ count: records.length, body }];
  const half = Math.ceil(records.length / 2);
  return [...requestsOf(records.slice(0, half), resource), ...requestsOf(records.slice(half), resource)];
}
