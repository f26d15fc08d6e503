import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { gzipSync } from 'node:zlib';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import type { Tsdb } from '../../../src/collector/tsdb/store.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { createOtlpHttpHandler } from '../../../src/wire/otlp/http-handler.ts';
import { createOtlpReceiver } from '../../../src/wire/otlp/receiver.ts';

let store: Tsdb;
let server: Server;
let url: string;

beforeEach(async () => {
  store = createMemoryStore({ clock: systemClock });
  const handle = createOtlpHttpHandler(
    createOtlpReceiver({ store, clock: systemClock, limits: { bodyBytes: 100_000 } }),
  );
  server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const answer = await handle({
      path: request.url!,
      contentType: request.headers['content-type'],
      contentEncoding: request.headers['content-encoding'],
      body: Buffer.concat(parts),
    });
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await store.close();
});

const series = () => {
  const found: Record<string, number> = {};
  for (const one of store.querier().select([], 0, 2 ** 43)) {
    const { v, length } = one.samples(0, 2 ** 43);
    found[one.labels.map((label) => label.join('=')).join(',')] = v[length - 1]!;
  }
  return found;
};
const post = (path: string, body: Uint8Array, headers: Record<string, string> = {}) =>
  fetch(`${url}${path}`, {
    method: 'POST',
    body: Buffer.from(body),
    headers: { 'content-type': 'application/x-protobuf', ...headers },
  });

describe('OTLP over HTTP', () => {
  it('takes what OpenTelemetry’s own SDK sends', async () => {
    const reader = new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter({ url: `${url}/v1/metrics` }),
      exportIntervalMillis: 60_000,
    });
    const resource = resourceFromAttributes({
      'service.name': 'cart',
      'service.instance.id': 'i-1',
      'host.name': 'h1',
    });
    const provider = new MeterProvider({ resource, readers: [reader] });
    const meter = provider.getMeter('shop');
    meter.createCounter('orders', { unit: '{order}' }).add(11, { 'payment.kind': 'card' });
    const histogram = meter.createHistogram('latency', {
      unit: 's',
      advice: { explicitBucketBoundaries: [0.1, 1] },
    });
    for (const value of [0.05, 0.5, 5]) histogram.record(value);
    await provider.forceFlush();
    await provider.shutdown();
    const found = series();
    const of = 'instance=i-1,job=cart';
    expect(found).toMatchObject({
      [`__name__=orders_total,${of},payment_kind=card`]: 11,
      [`__name__=latency_seconds_bucket,${of},le=0.1`]: 1,
      [`__name__=latency_seconds_bucket,${of},le=1.0`]: 2,
      [`__name__=latency_seconds_bucket,${of},le=+Inf`]: 3,
      [`__name__=latency_seconds_sum,${of}`]: 5.55,
    });
    expect(Object.keys(found).find((labels) => labels.startsWith('__name__=target_info'))).toContain(
      'host_name=h1',
    );
  });

  it('answers in words what is wrong with a request', async () => {
    const said = async (response: Response) => [response.status, await response.text()];
    expect(await said(await post('/v1/traces', new Uint8Array()))).toEqual([
      404,
      'no such OTLP path: /v1/traces\n',
    ]);
    expect(
      await said(await post('/v1/logs', Buffer.from('{}'), { 'content-type': 'application/json' })),
    ).toEqual([
      415,
      'content type must be application/x-protobuf; set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n',
    ]);
    expect(await said(await post('/v1/logs', Buffer.from('xx'), { 'content-encoding': 'br' }))).toEqual([
      415,
      'content encoding br is not taken; use gzip or none\n',
    ]);
    const [status, text] = await said(
      await post('/v1/metrics', Buffer.from('not gzip'), { 'content-encoding': 'gzip' }),
    );
    expect([status, String(text).includes('malformed')]).toEqual([400, true]);
  });

  it('stops unpacking a bomb at its limit', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    expect(bomb.length).toBeLessThan(100_000);
    const response = await post('/v1/metrics', bomb, { 'content-encoding': 'gzip' });
    expect([response.status, await response.text()]).toEqual([
      413,
      'the OTLP request has more than 100000 bytes; nothing of it was stored: send smaller batches\n',
    ]);
  });
});
