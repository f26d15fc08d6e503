import fc from 'fast-check';
import { PbfWriter } from 'pbf';
import { describe, expect, it } from 'vitest';
import type { StoreLimits } from '../../../src/collector/tsdb/limits.ts';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import { createFakeClock } from '../../../src/util/clock.ts';
import { agentSignals } from '../../../src/wire/catalogue/agent.ts';
import { writeKeyValue } from '../../../src/wire/otlp/any-value.ts';
import { decodeExportResponse } from '../../../src/wire/otlp/export-response.ts';
import { encodePoints } from '../../../src/wire/otlp/points-writer.ts';
import { writeNanoseconds } from '../../../src/wire/otlp/protobuf.ts';
import { createOtlpReceiver } from '../../../src/wire/otlp/receiver.ts';
import { read, START } from '../../conformance/store.ts';
import { encodeForeign, type ForeignMetric } from './foreign-metrics.ts';

const RESOURCE = {
  'service.name': 'cart',
  'service.namespace': 'shop',
  'service.instance.id': 'i-1',
  'host.name': 'h1',
};

function make(limits: Partial<StoreLimits> = {}) {
  const clock = createFakeClock(START);
  const store = createMemoryStore({ clock, limits });
  return { store, receiver: createOtlpReceiver({ store, clock, limits: { dataPoints: 50, attributes: 8 } }) };
}

async function receive(
  metrics: readonly ForeignMetric[],
  resource: Readonly<Record<string, string>> = RESOURCE,
) {
  const { store, receiver } = make();
  const response = decodeExportResponse(await receiver.metrics(encodeForeign(metrics, resource, START)));
  return { response, stored: read(store, []) };
}
const labels = (text: string) => `${text},instance=i-1,job=shop/cart`;

describe('metrics of others', () => {
  it('get the names Prometheus gives them, job and instance, and target_info', async () => {
    const { stored } = await receive([
      { name: 'http.server.request.duration', unit: 'ms', kind: 'gauge', points: [{ value: 11 }] },
      { name: 'requests', unit: '{request}', kind: 'sum', monotonic: true, points: [{ value: 12 }] },
      { name: 'disk.total.bytes', unit: 'By', kind: 'sum', monotonic: true, points: [{ value: 13 }] },
      { name: 'cpu.utilization', unit: '1', kind: 'gauge', points: [{ value: 0.5 }] },
      { name: 'queue.length', unit: '1', kind: 'sum', monotonic: false, points: [{ value: 14 }] },
      { name: 'network.speed', unit: 'By/s', kind: 'gauge', points: [{ value: 15 }] },
      { name: '2xx', unit: '', kind: 'gauge', points: [{ value: 16 }] },
    ]);
    expect(stored).toEqual({
      [labels('__name__=http_server_request_duration_milliseconds')]: '11@0',
      [labels('__name__=requests_total')]: '12@0',
      [labels('__name__=disk_bytes_total')]: '13@0',
      [labels('__name__=cpu_utilization_ratio')]: '0.5@0',
      [labels('__name__=queue_length')]: '14@0',
      [labels('__name__=network_speed_bytes_per_second')]: '15@0',
      [labels('__name__=_2xx')]: '16@0',
      '__name__=target_info,host_name=h1,instance=i-1,job=shop/cart': '1@0',
    });
  });

  it('get label names from attributes; attributes that come to one name are joined', async () => {
    const attributes = { 'http.route': '/cart', 'a.b': 'x', a_b: 'y', '1st': 'z', _private: 'p' };
    const { stored } = await receive(
      [{ name: 'm', unit: '', kind: 'gauge', points: [{ value: 11, attributes }] }],
      {},
    );
    expect(stored).toEqual({ '__name__=m,a_b=x;y,http_route=/cart,key_1st=z,key_private=p': '11@0' });
  });

  it('that are histograms become classic series, and summaries quantiles', async () => {
    const { stored } = await receive(
      [
        {
          name: 'latency',
          unit: 's',
          kind: 'histogram',
          points: [{ bounds: [0.1, 1], buckets: [2, 3, 4], sum: 12.5, count: 9 }],
        },
        { name: 'size', unit: '', kind: 'summary', points: [{ quantiles: [[0.5, 11]], sum: 33, count: 3 }] },
      ],
      {},
    );
    expect(stored).toEqual({
      '__name__=latency_seconds_bucket,le=0.1': '2@0',
      '__name__=latency_seconds_bucket,le=1.0': '5@0',
      '__name__=latency_seconds_bucket,le=+Inf': '9@0',
      '__name__=latency_seconds_count': '9@0',
      '__name__=latency_seconds_sum': '12.5@0',
      '__name__=size,quantile=0.5': '11@0',
      '__name__=size_count': '3@0',
      '__name__=size_sum': '33@0',
    });
  });

  it('with delta temporality are refused with the remedy, the others are kept', async () => {
    const { response, stored } = await receive(
      [
        {
          name: 'd',
          unit: '',
          kind: 'sum',
          monotonic: true,
          temporality: 1,
          points: [{ value: 1 }, { value: 2 }],
        },
        { name: 'c', unit: '', kind: 'sum', monotonic: true, points: [{ value: 11 }] },
      ],
      {},
    );
    expect(response).toEqual({
      rejected: 2,
      message:
        'd: delta temporality is not stored: set OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative',
    });
    expect(stored).toEqual({ '__name__=c_total': '11@0' });
  });

  it('without a recorded value end their series', async () => {
    const { stored } = await receive(
      [{ name: 'm', unit: '', kind: 'gauge', points: [{ noValue: true }] }],
      {},
    );
    expect(stored).toEqual({ '__name__=m': 'stale@0' });
  });
});

describe('the receiver of metrics', () => {
  const gauge = (points: ForeignMetric['points']): ForeignMetric => ({
    name: 'm',
    unit: '',
    kind: 'gauge',
    points,
  });

  it('keeps what fits when the store is full, and counts the rest with the reason', async () => {
    const { store, receiver } = make({ activeSeries: 2 });
    const points = ['a', 'b', 'c'].map((pod) => ({ value: 11, attributes: { pod } }));
    const response = decodeExportResponse(await receiver.metrics(encodeForeign([gauge(points)], {}, START)));
    expect(response.rejected).toBe(1);
    expect(response.message).toMatch(/holds 2 active series, its limit/);
    expect(Object.keys(read(store, []))).toHaveLength(2);
  });

  it('refuses a request beyond its limits as a whole', async () => {
    const { store, receiver } = make();
    const many = gauge(Array.from({ length: 51 }, (_, i) => ({ value: i, attributes: { n: String(i) } })));
    await expect(receiver.metrics(encodeForeign([many], {}, START))).rejects.toMatchObject({
      code: 'OTLP_LIMIT',
      status: 413,
    });
    const wide = gauge([
      { value: 1, attributes: Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`a${i}`, 'x'])) },
    ]);
    await expect(receiver.metrics(encodeForeign([wide], {}, START))).rejects.toMatchObject({
      code: 'OTLP_LIMIT',
    });
    expect(read(store, [])).toEqual({});
  });

  it('refuses bytes that are not OTLP, whatever they are, and stores nothing', async () => {
    const request = encodePoints([{ signal: agentSignals.cpuSeconds, labels: ['n1'], value: 11 }], START, {
      node: 'n1',
      instance: 'n1:7639',
      version: '1',
    });
    const flipped = fc
      .tuple(fc.nat(request.length - 1), fc.integer({ min: 1, max: 255 }))
      .map(([at, mask]) => {
        const bytes = request.slice();
        bytes[at]! ^= mask;
        return bytes;
      });
    const cut = fc.integer({ min: 1, max: request.length - 1 }).map((length) => request.slice(0, length));
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(flipped, cut, fc.uint8Array({ minLength: 1, maxLength: 200 })),
        async (bytes) => {
          const { store, receiver } = make();
          const taken = await receiver.metrics(bytes).then(
            () => true,
            (error) => {
              expect(error.code).toMatch(/^OTLP_(MALFORMED|LIMIT)$/);
              return false;
            },
          );
          if (!taken) expect(read(store, [], 0, 2 ** 45)).toEqual({});
          await store.close();
        },
      ),
      { numRuns: 600 },
    );
  });

  it('reads fields in any order', async () => {
    // A metric whose data comes before its name, in a scope that comes before its resource.
    const writer = new PbfWriter();
    writer.writeMessage(
      1,
      (_, rm) => {
        rm.writeMessage(
          2,
          (_s, scope: PbfWriter) =>
            scope.writeMessage(
              2,
              (_m, metric: PbfWriter) => {
                metric.writeMessage(
                  7,
                  (_d, sum: PbfWriter) => {
                    sum.writeMessage(
                      1,
                      (_p, point: PbfWriter) => {
                        point.writeDoubleField(4, 11);
                        writeNanoseconds(point, 3, START);
                      },
                      null,
                    );
                    sum.writeBooleanField(3, true);
                    sum.writeVarintField(2, 2);
                  },
                  null,
                );
                metric.writeStringField(1, 'late.name');
              },
              null,
            ),
          null,
        );
        rm.writeMessage(
          1,
          (_r, resource: PbfWriter) => writeKeyValue(resource, 1, 'service.name', 'cart'),
          null,
        );
      },
      null,
    );
    const { store, receiver } = make();
    await receiver.metrics(writer.finish());
    expect(read(store, [])).toEqual({ '__name__=late_name_total,job=cart': '11@0' });
  });
});
