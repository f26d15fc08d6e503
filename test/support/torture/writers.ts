import { OUT_OF_ORDER_WINDOW_MS } from '../../../src/collector/tsdb/limits.ts';
import type { Life } from '../../../src/model/life.ts';
import type { AgentRecord } from '../../../src/model/record.ts';
import { systemClock } from '../../../src/util/clock.ts';
import type { OtlpEndpoint } from '../../../src/wire/otlp/environment.ts';
import { grpcTransport } from '../../../src/wire/otlp/grpc-transport.ts';
import { httpTransport } from '../../../src/wire/otlp/http-transport.ts';
import { encodeRecords } from '../../../src/wire/otlp/logs-writer.ts';
import type { ExportOutcome } from '../../../src/wire/otlp/transport.ts';
import { createRemoteWriteClient } from '../../../src/wire/prometheus/remote-write-client.ts';
import { eventRecord, HEALTHY, podRecord, podRef } from '../shop-records.ts';
import { writeRequest } from '../write-request.ts';
import type { Ledger } from './ledger.ts';
import { gaugeRequest } from './otlp-request.ts';

/** Where a collector listens. */
export interface Doors {
  readonly collector: number;
  readonly otlpGrpc: number;
  readonly otlpHttp: number;
}

/** One connection to each door; made anew for each life of the collector, so that no back-off outlives it. */
export interface Connections {
  remoteWrite(body: Uint8Array): Promise<ExportOutcome>;
  metrics(via: Via, body: Uint8Array): Promise<ExportOutcome>;
  logs(via: Via, body: Uint8Array): Promise<ExportOutcome>;
  close(): Promise<void>;
}
export type Via = 'grpc' | 'http';

const TIMEOUT_MS = 20_000;

export function connect(doors: Doors): Connections {
  const endpoint = (url: string): OtlpEndpoint => ({
    protocol: 'grpc',
    url: new URL(url),
    headers: {},
    compression: 'gzip',
    timeoutMs: TIMEOUT_MS,
    insecure: true,
    tls: {},
  });
  const abort = new AbortController();
  const grpc = grpcTransport(endpoint(`http://127.0.0.1:${doors.otlpGrpc}`));
  const http = {
    metrics: httpTransport(endpoint(`http://127.0.0.1:${doors.otlpHttp}/v1/metrics`), systemClock),
    logs: httpTransport(endpoint(`http://127.0.0.1:${doors.otlpHttp}/v1/logs`), systemClock),
  };
  const client = createRemoteWriteClient(
    { url: `http://127.0.0.1:${doors.collector}/api/v1/write`, headers: {}, timeoutMs: TIMEOUT_MS },
    systemClock,
  );
  const by = (via: Via, signal: 'metrics' | 'logs', body: Uint8Array) =>
    (via === 'grpc' ? grpc : http[signal]).export(signal, body, abort.signal);
  return {
    async remoteWrite(body) {
      const outcome = await client.write(body, abort.signal);
      return outcome.kind === 'accepted' ? { kind: 'accepted', rejected: 0, message: '' } : outcome;
    },
    metrics: (via, body) => by(via, 'metrics', body),
    logs: (via, body) => by(via, 'logs', body),
    async close() {
      abort.abort();
      await Promise.all([grpc.close(), http.metrics.close(), http.logs.close()]);
    },
  };
}

/** A request that is sent until it is taken, the same each time. */
export interface Batch {
  send(connections: Connections): Promise<ExportOutcome>;
  acknowledge(): void;
}

/** Makes a batch of what is new at `nowMs`; each later than the one before. */
export type Writer = (nowMs: number) => Batch;

const SERIES = 5;

const LATE_BY = 10;

/**
 * Samples of five steady series, one that lives for a hundred batches, and one whose samples come out of order, by
 * remote write or OTLP.
 */
export function sampleWriter(
  name: string,
  via: Via | 'remote-write',
  ledger: Ledger,
  churnEvery = 100,
): Writer {
  let n = 0;
  const times: number[] = [];
  return (nowMs) => {
    n += 1;
    const t = Math.max((times.at(-1) ?? 0) + 2, nowMs);
    times.push(t);
    if (times.length > LATE_BY) times.shift();
    const series = [
      ...Array.from({ length: SERIES }, (_, i) => ({ __name__: name, series: String(i) })),
      { __name__: name, series: `churn-${Math.floor(n / churnEvery)}` },
      { __name__: name, series: 'late' },
    ];
    // Every other sample of the last series belongs between those of ten batches before.
    const isLate = n % 2 === 0 && times.length === LATE_BY && t - times[0]! < OUT_OF_ORDER_WINDOW_MS / 2;
    const late = isLate ? times[0]! + 1 : t;
    const timeOf = (i: number) => (i === series.length - 1 ? late : t);
    // Whole numbers and others: chunks of both kinds.
    const value = (i: number) => (i % 2 === 0 ? n : n + 0.5);
    const keys = series.map((labels) => `${name}{${labels.series}}`);
    keys.forEach((key, i) => {
      ledger.send(key, timeOf(i), String(value(i)));
    });
    const body =
      via === 'remote-write'
        ? writeRequest(
            series.map((labels, i) => ({ labels: Object.entries(labels), samples: [[timeOf(i), value(i)]] })),
          )
        : gaugeRequest(
            name,
            series.map((labels, i) => ({
              attributes: { series: labels.series },
              t: timeOf(i),
              value: value(i),
            })),
          );
    return {
      send: (connections) =>
        via === 'remote-write' ? connections.remoteWrite(body) : connections.metrics(via, body),
      acknowledge() {
        keys.forEach((key, i) => {
          ledger.acknowledge(key, timeOf(i));
        });
      },
    };
  };
}

export const TORTURED = 'torture';
const EVENTS_PER_POD = 200;
const LIVES_PER_POD = 4;

/** Events, and now and then a life, of one pod after another. */
export function recordWriter(
  name: string,
  via: Via,
  ledgers: { readonly events: Ledger; readonly lives: Ledger },
): Writer {
  let n = 0;
  return (nowMs) => {
    const pod = podRef({
      namespace: TORTURED,
      name: `${name}-${Math.floor(n / EVENTS_PER_POD)}`,
      workload: name,
      createdAt: nowMs,
      state: {},
    });
    const records: AgentRecord[] = [];
    const marks: (() => void)[] = [];
    if (n % EVENTS_PER_POD === 0)
      records.push(
        podRecord({ namespace: TORTURED, name: pod.name, workload: name, createdAt: nowMs, state: {} }),
      );
    for (let i = 0; i < 2; i += 1) {
      n += 1;
      const id = `${name}-${n}`;
      records.push(eventRecord(pod, nowMs, 'Died', `event ${n}`, { id }));
      ledgers.events.send(pod.name, id, `event ${n}`);
      marks.push(() => ledgers.events.acknowledge(pod.name, id));
    }
    if (n % (EVENTS_PER_POD / LIVES_PER_POD) === 0) {
      const life = lifeOf(pod, n, nowMs);
      records.push({ kind: 'life', life });
      ledgers.lives.send(pod.name, life.id, String(n));
      marks.push(() => ledgers.lives.acknowledge(pod.name, life.id));
    }
    const body = encodeRecords(records, { node: 'n', version: '0', instance: 'torture' });
    return {
      send: (connections) => connections.logs(via, body),
      acknowledge() {
        for (const mark of marks) mark();
      },
    };
  };
}

function lifeOf(pod: Life['pod'], n: number, nowMs: number): Life {
  return {
    id: `${pod.uid}/main/${n}`,
    pod,
    container: 'main',
    init: false,
    attempt: n,
    containerId: `c${n}`,
    config: { image: 'host', command: ['true'], envNames: [], configHash: '' },
    startedAt: nowMs - 1000,
    finishedAt: nowMs,
    exitCode: 1,
    reason: 'Error',
    killRequest: null,
    unrequested: true,
    oomKills: [],
    log: [{ at: nowMs, stream: 'stdout', text: `life ${n}` }],
    vitals: [],
    probes: [],
    listening: [],
    verdict: HEALTHY,
  };
}
