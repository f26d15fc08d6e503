import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import type { Tsdb } from '../../../src/collector/tsdb/store.ts';
import { encodeLabels } from '../../../src/model/labels.ts';
import { isStaleAt, wordsOf } from '../../../src/model/stale-marker.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { CodedError } from '../../../src/util/coded-error.ts';
import {
  createRemoteWriteReceiver,
  type RemoteWriteReceiver,
} from '../../../src/wire/prometheus/remote-write-receiver.ts';
import { encodeWriteRequest } from '../../../src/wire/prometheus/remote-write-writer.ts';
import { snappyEncode } from '../../../src/wire/prometheus/snappy.ts';
import { type WrittenSeries, writeRequest } from '../../support/write-request.ts';

const now = Math.floor(Date.now() / 1000) * 1000;

let store: Tsdb;
let receiver: RemoteWriteReceiver;
beforeEach(() => {
  store = createMemoryStore({ clock: systemClock, limits: { activeSeries: 50 } });
  receiver = createRemoteWriteReceiver({ store, clock: systemClock });
});
afterEach(() => store.close());

const sendBytes = (body: Uint8Array, to = receiver) =>
  to.write({ contentType: 'application/x-protobuf', contentEncoding: 'snappy', body });
const send = (series: readonly WrittenSeries[], to = receiver) =>
  sendBytes(snappyEncode(writeRequest(series)), to);

/** What is stored, as `{label="value",…} value@second …`. */
function stored(): string[] {
  const lines: string[] = [];
  for (const series of store.querier().select([], 0, Number.MAX_SAFE_INTEGER)) {
    const { t, v, length } = series.samples(0, Number.MAX_SAFE_INTEGER);
    const words = wordsOf(v);
    const labels = series.labels.map(([name, value]) => `${name}="${value}"`).join(',');
    const samples = Array.from(
      { length },
      (_, i) => `${isStaleAt(words, i) ? 'stale' : v[i]}@${(t[i]! - now) / 1000}`,
    );
    lines.push(`{${labels}} ${samples.join(' ')}`);
  }
  return lines.sort();
}

const up = (value: number | string, second = 0, extra: readonly (readonly [string, string])[] = []) =>
  ({
    labels: [['__name__', 'up'], ...extra],
    samples: [[now + second * 1000, value]],
  }) satisfies WrittenSeries;

describe('a receiver of remote write 1.0', () => {
  it('stores samples, stale markers bit by bit, zeros that the wire leaves out, and answers with nothing', async () => {
    const answer = await send([
      {
        labels: [
          ['__name__', 'http_requests_total'],
          ['code', '200'],
          ['pod', 'cart-ü'],
        ],
        samples: [
          [now, 11],
          [now + 1000, 0],
          [now + 2000, '7ff0000000000002'],
          [now + 3000, Number.POSITIVE_INFINITY],
        ],
      },
      up('7ff8000000000001'),
    ]);
    expect(answer).toEqual({ status: 204, message: '' });
    expect(stored()).toEqual([
      '{__name__="http_requests_total",code="200",pod="cart-ü"} 11@0 0@1 stale@2 Infinity@3',
      '{__name__="up"} NaN@0',
    ]);
    expect(receiver.stats()).toEqual({ requests: 1, failedRequests: 0, samples: 5, rejected: 0 });
  });

  it('sorts labels into the same series, and drops empty ones', async () => {
    const job = ['job', 'a'] as const;
    await send([
      up(11, 0, [job]),
      { labels: [job, ['zone', ''], ['__name__', 'up']], samples: [[now + 1000, 12]] },
    ]);
    expect(stored()).toEqual(['{__name__="up",job="a"} 11@0 12@1']);
  });

  it('stores the rest when some series are none, and says which and how many', async () => {
    const twice = [
      ['job', 'a'],
      ['job', 'b'],
    ] as const;
    const answer = await send([up(11, 0, twice), up(12), { labels: [['job', 'a']], samples: [[now, 13]] }]);
    expect(answer).toEqual({
      status: 400,
      message: 'label "job" is given twice; 2 samples are refused, 1 samples were stored',
    });
    expect((await send([{ ...up(14, 1), histograms: 3 }])).message).toBe(
      'native histograms are not stored; 3 samples are refused, 1 samples were stored',
    );
    expect(stored()).toEqual(['{__name__="up"} 12@0 14@1']);
  });

  it('takes the same sample again without complaint, and another value at its time with one', async () => {
    await send([up(11)]);
    expect((await send([up(11)])).status).toBe(204);
    expect(await send([up(12), up(13, 1)])).toEqual({
      status: 400,
      message:
        '1 samples are out of order, out of bounds, or differ from what is stored; 1 samples were stored',
    });
    expect(stored()).toEqual(['{__name__="up"} 11@0 13@1']);
  });

  it('asks to come again when the store is full, and has kept what it could', async () => {
    const many = Array.from({ length: 60 }, (_, i) => up(i, 0, [['n', String(i)]]));
    expect(await send(many)).toMatchObject({ status: 429, retryAfterSeconds: 5 });
    expect(stored()).toHaveLength(50);
  });

  it('asks to come again when the store cannot write', async () => {
    const failing = createRemoteWriteReceiver({
      clock: systemClock,
      store: {
        appender: () => ({
          ...store.appender(),
          commit: () => Promise.reject(new CodedError('JOURNAL_FULL', 'the disk is full', { status: 503 })),
        }),
      },
    });
    expect(await send([up(11)], failing)).toEqual({
      status: 503,
      message: 'the disk is full',
      retryAfterSeconds: 5,
    });
  });

  it('takes only what it understands', async () => {
    const body = snappyEncode(writeRequest([up(11)]));
    const status = async (contentType: string | undefined, contentEncoding: string | undefined) =>
      (await receiver.write({ contentType, contentEncoding, body })).status;
    expect(await status('application/x-protobuf;proto=io.prometheus.write.v2.Request', 'snappy')).toBe(415);
    expect(await status('application/x-protobuf', 'gzip')).toBe(415);
    expect(await status('application/json', 'snappy')).toBe(415);
    expect(await status('application/x-protobuf; proto=prometheus.WriteRequest', 'snappy')).toBe(204);
  });

  it('refuses 10,000 labels, a request with too many samples, and names that are not UTF-8', async () => {
    const labels = Array.from({ length: 10_000 }, (_, i) => [`l${String(i).padStart(5, '0')}`, 'v'] as const);
    expect(await send([up(11, 0, labels), up(12, 1)])).toEqual({
      status: 400,
      message: 'a series has more than 128 labels; 1 samples are refused, 1 samples were stored',
    });
    const small = createRemoteWriteReceiver({ store, clock: systemClock, limits: { samples: 2 } });
    expect((await send([up(1, 2), up(2, 3), up(3, 4)], small)).status).toBe(413);
    const bytes = Buffer.from(writeRequest([up(13, 5, [['job', 'XY']])]));
    bytes.set([0xc3, 0x28], bytes.indexOf('XY'));
    expect((await sendBytes(snappyEncode(bytes))).message).toMatch(/^a label is not UTF-8; 1 samples/);
    expect(stored()).toEqual(['{__name__="up"} 12@1']);
  });

  it('refuses as a whole, and goes on after, any bytes: cut off, flipped, random', async () => {
    const request = writeRequest([up(11, 0, [['job', 'cart']]), up(12, 1, [['job', 'web']])]);
    const statuses = new Set<number>();
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.nat(request.length - 1).map((length) => request.slice(0, length)),
      fc.tuple(fc.nat(request.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, flip]) => {
        const flipped = request.slice();
        flipped[at]! ^= flip;
        return flipped;
      }),
    );
    await fc.assert(
      fc.asyncProperty(hostile, async (bytes) => {
        statuses.add((await sendBytes(snappyEncode(bytes))).status);
        statuses.add((await sendBytes(bytes)).status);
      }),
      { numRuns: 1_000 },
    );
    expect([...statuses].filter((status) => ![204, 400, 413, 429].includes(status))).toEqual([]);
  });

  it('reads what our own writer writes', async () => {
    const keys = [
      encodeLabels([
        ['__name__', 'ä'.repeat(100)],
        ['job', 'cart'],
      ]),
      encodeLabels([['__name__', 'up']]),
    ];
    const request = encodeWriteRequest(
      {
        refs: [0, 0, 1, 2],
        t: [now, now + 1000, now - 5000, now],
        high: [0x40260000, 0x7ff00000, 0, 0],
        low: [0, 2, 0, 0],
      },
      0,
      4,
      (ref) => keys[ref],
    );
    expect(await sendBytes(snappyEncode(request))).toEqual({ status: 204, message: '' });
    expect(stored()).toEqual([
      '{__name__="up"} 0@-5',
      `{__name__="${'ä'.repeat(100)}",job="cart"} 11@0 stale@1`,
    ]);
  });
});
