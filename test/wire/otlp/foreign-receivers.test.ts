import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import { openJournal } from '../../../src/journal/journal.ts';
import { queueSchema } from '../../../src/journal/queue.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { agentSignals } from '../../../src/wire/catalogue/agent.ts';
import { cpuSignals } from '../../../src/wire/catalogue/container.ts';
import type { Point } from '../../../src/wire/catalogue/signal.ts';
import { workloadSignals } from '../../../src/wire/catalogue/workload.ts';
import { endpointTransport } from '../../../src/wire/otlp/endpoint-transport.ts';
import { parseOtlpEnvironment } from '../../../src/wire/otlp/environment.ts';
import { createOtlpReceiver } from '../../../src/wire/otlp/receiver.ts';
import { createOtlpSender } from '../../../src/wire/otlp/sender.ts';
import { eventually } from '../../support/eventually.ts';
import { findPart, missing } from '../../support/parts.ts';
import { encodeForeign, type ForeignMetric } from './foreign-metrics.ts';

const FACTS = { node: 'n1', instance: 'n1:7639', version: '1.2.3' };
const now = Math.floor(Date.now() / 1000) * 1000;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

interface Peer {
  readonly url: string;
  /** Series of an instant query as `{label=value,…} value`, sorted. */
  query(expr: string): Promise<string[]>;
  stop(): Promise<void>;
}

async function startPeer(command: string, argsOf: (port: number, folder: string) => string[]): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), 'podvitals-peer-'));
  const port = await freePort();
  const child: ChildProcess = spawn(findPart(command)!, argsOf(port, folder), {
    cwd: folder,
    stdio: 'ignore',
  });
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await eventually(async () => (await fetch(`${url}/-/ready`)).ok || (await fetch(`${url}/health`)).ok);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    stop,
    async query(expr) {
      const answer = await fetch(
        `${url}/api/v1/query?${new URLSearchParams({ query: expr, time: String(now / 1000 + 1) })}`,
      );
      const { data } = (await answer.json()) as {
        data: { result: { metric: Record<string, string>; value: [number, string] }[] };
      };
      return data.result.map(({ metric, value }) => `${seriesText(metric)} ${value[1]}`).sort();
    },
  };
}

const seriesText = (metric: Record<string, string>) =>
  `{${Object.entries(metric)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join(',')}}`;

/** Sends by the road a user takes: environment, spool, sender. */
async function sendBy(env: Record<string, string>, points: readonly Point[]) {
  const folder = mkdtempSync(join(tmpdir(), 'podvitals-otlp-'));
  const spool = openJournal(join(folder, 'agent.db'), { clock: systemClock, schemas: [queueSchema] });
  const transport = await endpointTransport(parseOtlpEnvironment(env)!, systemClock);
  const sender = createOtlpSender({ transport, spool, clock: systemClock, resource: FACTS });
  try {
    await sender.sendPoints(points, now);
    await sender.flush(15_000);
    return sender.stats();
  } finally {
    await sender.close();
    await spool.close();
    rmSync(folder, { recursive: true });
  }
}

const workload = ['shop', 'cart', 'deployment'];
const points: readonly Point[] = [
  { signal: agentSignals.memoryBytes, labels: ['n1'], value: 11_000_000 },
  { signal: workloadSignals.desiredPodSeconds, labels: workload, value: 12.5, startMs: now - 60_000 },
  {
    signal: workloadSignals.startup,
    labels: workload,
    buckets: [...workloadSignals.startup.bounds!.map((_, i) => i), 2],
    sum: 33,
    count: workloadSignals.startup.bounds!.reduce((sum, _, i) => sum + i, 2),
  },
  ...Object.values(cpuSignals)
    .slice(0, 1)
    .map((signal) => ({ signal, labels: signal.labels.map(({ name }) => `${name}-1`), value: 3 })),
];

/** Names and units of every kind that translation has a rule for. */
const foreignMetrics: readonly ForeignMetric[] = [
  {
    name: 'http.server.request.duration',
    unit: 'ms',
    kind: 'gauge',
    points: [{ value: 11, attributes: { 'http.route': '/cart' } }],
  },
  { name: 'requests', unit: '{request}', kind: 'sum', monotonic: true, points: [{ value: 12 }] },
  { name: 'disk.total.bytes', unit: 'By', kind: 'sum', monotonic: true, points: [{ value: 13 }] },
  { name: 'cpu.utilization', unit: '1', kind: 'gauge', points: [{ value: 0.5 }] },
  { name: 'ratio.of.things', unit: '1', kind: 'gauge', points: [{ value: 0.25 }] },
  { name: 'queue.length', unit: '1', kind: 'sum', points: [{ value: 14 }] },
  { name: 'network.speed', unit: 'KiBy/s', kind: 'gauge', points: [{ value: 15 }] },
  { name: 'odd.unit', unit: 'fur-longs/fortnight', kind: 'gauge', points: [{ value: 18 }] },
  { name: 'process__cpu..time_seconds', unit: 's', kind: 'sum', monotonic: true, points: [{ value: 17 }] },
  {
    name: '2xx',
    unit: '',
    kind: 'gauge',
    points: [{ value: 16, attributes: { 'a.b': 'x', a_b: 'y', '1st': 'z', _p: 'q', __d: 'r' } }],
  },
  {
    name: 'latency',
    unit: 's',
    kind: 'histogram',
    points: [{ bounds: [0.1, 1, 2.5, 1e6], buckets: [2, 3, 4, 0, 1], sum: 12.5, count: 10 }],
  },
  {
    name: 'size',
    unit: 'By',
    kind: 'summary',
    points: [
      {
        quantiles: [
          [0.5, 11],
          [1, 12],
        ],
        sum: 33,
        count: 3,
      },
    ],
  },
];
const foreignResource = {
  'service.name': 'cart',
  'service.namespace': 'peer',
  'service.instance.id': 'i-1',
  'host.name': 'h1',
};

/** What our own receiver makes of the request, as `query` shows it. */
async function storedByUs(request: Uint8Array): Promise<string[]> {
  const store = createMemoryStore({ clock: systemClock });
  await createOtlpReceiver({ store, clock: systemClock }).metrics(request);
  const found: string[] = [];
  for (const series of store.querier().select([{ name: 'job', op: '=', value: 'peer/cart' }], now, now))
    found.push(`${seriesText(Object.fromEntries(series.labels))} ${series.samples(now, now).v[0]}`);
  await store.close();
  return found.sort();
}

/** Debian builds Prometheus without its OTLP receiver; upstream's own builds have it. */
const noReceiver = () =>
  missing('prometheus') ||
  (!execFileSync(findPart('prometheus')!, ['--help'], { encoding: 'utf8' }).includes(
    'enable-otlp-receiver',
  ) &&
    'this build of Prometheus has no OTLP receiver');

describe.skipIf(noReceiver())('Prometheus as a receiver that is not ours', () => {
  let peer: Peer;
  beforeAll(async () => {
    peer = await startPeer('prometheus', (port, folder) => {
      writeFileSync(join(folder, 'prometheus.yml'), 'global: {}\n');
      return [
        '--config.file=prometheus.yml',
        '--storage.tsdb.path=data',
        '--web.enable-otlp-receiver',
        `--web.listen-address=127.0.0.1:${port}`,
      ];
    });
  });
  afterAll(() => peer?.stop());

  it('takes our points over HTTP, gzipped, under its own names', async () => {
    const stats = await sendBy(
      {
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
        OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${peer.url}/api/v1/otlp/v1/metrics`,
        OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      },
      points,
    );
    expect(stats).toMatchObject({
      sent: { metrics: points.length },
      dropped: { metrics: 0 },
      lastError: undefined,
    });
    expect(await peer.query('{__name__=~"podvitals_(agent_memory|workload_desired).*"}')).toEqual([
      '{__name__=podvitals_agent_memory_bytes,instance=n1:7639,job=podvitals-agent} 11000000',
      '{__name__=podvitals_workload_desired_pod_time_seconds_total,instance=n1:7639,job=podvitals-agent} 12.5',
    ]);
    expect(
      await peer.query(
        'podvitals_workload_pod_startup_seconds_count or podvitals_workload_pod_startup_time_seconds_count or {__name__=~"podvitals_workload.*startup.*_count"}',
      ),
    ).toEqual([expect.stringMatching(/ 80$/)]);
    expect((await peer.query('target_info'))[0]).toMatch(/k8s_node_name=n1/);
  });

  it('stores metrics of others under the very series that our receiver stores', async () => {
    const request = encodeForeign(foreignMetrics, foreignResource, now);
    const answer = await fetch(`${peer.url}/api/v1/otlp/v1/metrics`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: Buffer.from(request),
    });
    expect([answer.status, await answer.text()]).toEqual([200, '']);

    const ours = await storedByUs(request);
    expect(ours).toEqual(await peer.query('{job="peer/cart"}'));
    expect(ours.length).toBeGreaterThan(20);
  });
});

describe.skipIf(missing('victoria-metrics'))('VictoriaMetrics as a receiver that is not ours', () => {
  let peer: Peer;
  beforeAll(async () => {
    peer = await startPeer('victoria-metrics', (port) => [
      `-httpListenAddr=127.0.0.1:${port}`,
      '-storageDataPath=data',
      '-search.latencyOffset=0s',
      '-opentelemetry.usePrometheusNaming',
    ]);
  });
  afterAll(() => peer?.stop());

  it('takes our points over HTTP', async () => {
    const stats = await sendBy(
      {
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
        OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${peer.url}/opentelemetry/v1/metrics`,
      },
      points,
    );
    expect(stats).toMatchObject({ sent: { metrics: points.length }, dropped: { metrics: 0 } });
    await fetch(`${peer.url}/internal/force_flush`);
    const found = await peer.query('{__name__=~"podvitals_(agent_memory|workload_desired).*"}');
    expect(found.map((line) => line.replace(/\{__name__=([a-z_]+),.*\}/, '$1'))).toEqual([
      'podvitals_agent_memory_bytes 11000000',
      'podvitals_workload_desired_pod_time_seconds_total 12.5',
    ]);
    expect(found[0]).toMatch(/k8s\.node\.name=n1|k8s_node_name=n1/);
  });

  it('gives metrics of others the names and values that our receiver gives them', async () => {
    const request = encodeForeign(
      foreignMetrics.filter(({ name }) => !['2xx', 'odd.unit', 'queue.length'].includes(name)),
      foreignResource,
      now,
    );
    const answer = await fetch(`${peer.url}/opentelemetry/v1/metrics`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: Buffer.from(request),
    });
    expect(answer.status).toBe(200);
    await fetch(`${peer.url}/internal/force_flush`);
    // It knows no rule for a leading digit, for signs in a unit, and none against `_ratio` on sums; it writes bounds
    // as `1`, keeps every resource attribute as a label, and makes no target_info.
    const name = (line: string) => {
      const value = line.slice(line.lastIndexOf(' ') + 1);
      const le = /[{,]le=([^,}]+)/.exec(line)?.[1]?.replace(/\.0$/, '') ?? '';
      return `${/__name__=([^,}]+)/.exec(line)![1]} ${le} ${value}`;
    };
    const theirs = (await peer.query('{"service.name"="cart"} or {service_name="cart"} or {job=~".*cart"}'))
      .map(name)
      .sort();
    const ours = (await storedByUs(request))
      .filter((line) => !line.includes('target_info'))
      .map(name)
      .sort();
    expect(ours).toEqual(theirs);
    expect(ours.length).toBeGreaterThan(15);
  });
});
