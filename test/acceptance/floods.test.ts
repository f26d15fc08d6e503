import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect as http2Connect } from 'node:http2';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { PbfWriter } from 'pbf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/util/clock.ts';
import { EXPORT_PATH, grpcTransport } from '../../src/wire/otlp/grpc-transport.ts';
import { snappyEncode } from '../../src/wire/prometheus/snappy.ts';
import {
  freePorts,
  type Podvitals,
  type Ports,
  startPodvitals,
  temporaryDataDir,
  until,
} from '../support/podvitals.ts';
import { type ScrapeTarget, startScrapeTarget } from '../support/scrape-target.ts';
import { createLedger } from '../support/torture/ledger.ts';
import { gaugeRequest } from '../support/torture/otlp-request.ts';
import { connect, sampleWriter, type Writer } from '../support/torture/writers.ts';
import { writeRequest } from '../support/write-request.ts';

// What the whole collector may come to hold while all of this goes on, and what its JavaScript may.
const MOST_RSS_BYTES = 1024 * 2 ** 20;
const MOST_HEAP_MIB = 640;
const MIB = 2 ** 20;
const BOMB = gzipSync(Buffer.alloc(32 * MIB, 'a'), { level: 1 });

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
}

const NEVER = Number.POSITIVE_INFINITY;

describe('a collector that is flooded', () => {
  const dataDir = temporaryDataDir();
  let ports: Ports;
  let collector: Podvitals;
  let target: ScrapeTarget;
  let exposed = 'calm 1\n';
  const steady = createLedger('samples of others');
  let stopSteady: () => Promise<void>;

  beforeAll(async () => {
    ports = await freePorts();
    target = await startScrapeTarget({
      '/metrics': (_request, response) => {
        response
          .writeHead(200, { 'content-type': 'text/plain; version=0.0.4', 'content-encoding': 'gzip' })
          .end(exposed.startsWith('bomb') ? BOMB : gzipSync(exposed));
      },
    });
    collector = await startPodvitals({
      dataDir: dataDir.path,
      ports,
      halves: 'collector',
      env: { NODE_OPTIONS: `--max-old-space-size=${MOST_HEAP_MIB}` },
      collector: {
        scrape_configs: [
          {
            job_name: 'flood',
            scrape_interval: '1s',
            scrape_timeout: '1s',
            body_size_limit: '8MB',
            static_configs: [{ targets: [target.address] }],
          },
        ],
      },
    });
    stopSteady = goOn();
  }, 180_000);
  afterAll(async () => {
    await stopSteady?.();
    await collector?.kill();
    await target?.close();
    dataDir.remove();
  }, 60_000);

  /** Others, who send little, no new series among it, and are not to notice anything. */
  function goOn(): () => Promise<void> {
    const connections = connect({ ...ports });
    let stopped = false;
    const write = async (writer: Writer) => {
      while (!stopped) {
        const batch = writer(systemClock.now());
        for (;;) {
          const outcome = await batch.send(connections);
          if (outcome.kind === 'accepted' && outcome.rejected === 0) break;
          if (outcome.kind !== 'retry') throw new Error(`others were harmed: ${outcome.message}`);
          if (stopped) return;
          await pause(50);
        }
        batch.acknowledge();
        await pause(50);
      }
    };
    const running = Promise.all([
      write(sampleWriter('others_write', 'remote-write', steady, NEVER)),
      write(sampleWriter('others_grpc', 'grpc', steady, NEVER)),
      write(sampleWriter('others_http', 'http', steady, NEVER)),
    ]);
    running.catch(() => {});
    return async () => {
      stopped = true;
      try {
        await running;
      } finally {
        await connections.close();
      }
    };
  }

  const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));
  const post = (port: number, path: string, headers: Record<string, string>, body: Uint8Array) =>
    new Promise<Answer>((resolve, reject) => {
      const call = httpRequest({ host: '127.0.0.1', port, path, method: 'POST', headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.once('error', reject);
        response.once('end', () =>
          resolve({ status: response.statusCode!, retryAfter: response.headers['retry-after'], text }),
        );
      });
      call.once('error', reject);
      call.end(body);
    });
  const PROTOBUF = { 'content-type': 'application/x-protobuf' };
  const write = (body: Uint8Array) =>
    post(ports.collector, '/api/v1/write', { ...PROTOBUF, 'content-encoding': 'snappy' }, body);
  const otlp = (body: Uint8Array, encoding = 'identity') =>
    post(ports.otlpHttp, '/v1/metrics', { ...PROTOBUF, 'content-encoding': encoding }, body);
  const grpc = async (body: Uint8Array, compression: 'none' | 'gzip' = 'none') => {
    const transport = grpcTransport({
      protocol: 'grpc',
      url: new URL(`http://127.0.0.1:${ports.otlpGrpc}`),
      headers: {},
      compression,
      timeoutMs: 60_000,
      insecure: true,
      tls: {},
    });
    try {
      return await transport.export('metrics', body);
    } finally {
      await transport.close();
    }
  };
  const metric = async (name: string): Promise<number> => {
    const line = (await collector.text('/metrics')).split('\n').find((one) => one.startsWith(`${name} `));
    return Number(line?.split(' ')[1] ?? Number.NaN);
  };
  /** A request that is only long: a field that nobody reads. */
  const long = (bytes: number) => {
    const writer = new PbfWriter();
    writer.writeBytesField(15, new Uint8Array(bytes));
    return writer.finish();
  };
  const targetError = async () =>
    (await collector.json<{ data: { activeTargets: readonly { lastError: string }[] } }>('/api/v1/targets'))
      .data.activeTargets[0]!.lastError;

  it('by labels of a megabyte, or ten thousand of them, by each door: refused with the reason, and counted', async () => {
    const before = await metric('podvitals_tsdb_series_refused_total');
    const large = 'x'.repeat(MIB);
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`l${i}`, 'v']));
    const now = systemClock.now();
    for (const labels of [{ large }, many]) {
      const series = {
        labels: Object.entries({ __name__: 'flood', ...labels }),
        samples: [[now, 1]] as const,
      };
      const written = await write(snappyEncode(writeRequest([series])));
      expect(written).toMatchObject({ status: 400, text: expect.stringMatching(/label/) });
      const request = gaugeRequest('flood', [{ attributes: labels, t: now, value: 1 }]);
      const posted = await otlp(request);
      expect(posted.text).toMatch(/label|attributes/);
      const called = await grpc(request);
      expect(called.kind === 'accepted' ? called.rejected : 1).toBe(1);
      expect(called.message).toMatch(/label|attributes/);
    }
    expect(await metric('podvitals_tsdb_series_refused_total')).toBeGreaterThan(before);
    exposed = `flood{large="${large}"} 1\ncalm 2\n`;
    await until('the rest of the target is still scraped', 60_000, async () => {
      const answer = await collector.json<{ data: { result: readonly { value: [number, string] }[] } }>(
        '/api/v1/query?query=calm',
      );
      return answer.data.result[0]?.value[1] === '2';
    });
    expect((await collector.text('/api/v1/query?query=count(flood)')).includes('"result":[]')).toBe(true);
    exposed = 'calm 1\n';
  }, 120_000);

  it('by bombs of gzip, zstd and snappy, by each door: refused, and never unpacked', async () => {
    const zeros = Buffer.alloc(128 * MIB);
    expect(await otlp(gzipSync(zeros), 'gzip')).toMatchObject({
      status: 413,
      text: expect.stringMatching(/more than \d+ bytes/),
    });
    expect((await otlp(zstdCompressSync(zeros), 'zstd')).status).toBe(415);
    const called = await grpc(zeros.subarray(0, 64 * MIB), 'gzip');
    expect(called).toMatchObject({
      kind: expect.not.stringMatching('accepted'),
      message: expect.stringMatching(/larger|more than/),
    });
    // Says that it is four gigabytes, and is; says that it is a few, and is more.
    expect((await write(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0))).status).toBe(413);
    expect((await write(snappyEncode(zeros.subarray(0, 33 * MIB)))).status).toBe(413);
    const lying = snappyEncode(zeros.subarray(0, MIB)).slice();
    lying.set([0x80, 0x08], 0);
    expect((await write(lying)).status).toBe(400);
    const before = await metric('podvitals_target_scrapes_beyond_limit_total');
    exposed = 'bomb';
    await until('the bomb is found', 60_000, async () =>
      /body size limit exceeded/.test(await targetError()),
    );
    expect(await metric('podvitals_target_scrapes_beyond_limit_total')).toBeGreaterThan(before);
    exposed = 'calm 1\n';
    await until('the target is well again', 60_000, async () => (await targetError()) === '');
  }, 180_000);

  it('by more at once than it can hold: it takes them by turns, by each door', async () => {
    const body = long(8 * MIB);
    const packed = snappyEncode(long(12 * MIB));
    const answers = await Promise.all(
      Array.from({ length: 36 }, async (_, i) => {
        if (i % 3 === 0) return (await otlp(body)).status;
        if (i % 3 === 1) return (await write(packed)).status;
        const called = await grpc(body);
        return called.kind === 'accepted' ? 200 : 429;
      }),
    );
    // Those that waited too long are told when to come again.
    expect(answers.filter((status) => ![200, 204, 429].includes(status))).toEqual([]);
    expect(answers.filter((status) => status < 300).length).toBeGreaterThan(10);
  }, 240_000);

  it('by senders that take for ever: they are sent away when others wait, and told so', async () => {
    const refused = 'podvitals_ingest_requests_refused_total';
    const enough = new AbortController();
    const slow = (port: number, path: string) =>
      new Promise<Answer>((resolve) => {
        const call = httpRequest(
          {
            host: '127.0.0.1',
            port,
            path,
            method: 'POST',
            headers: { ...PROTOBUF, 'content-encoding': 'snappy', 'content-length': String(MIB) },
          },
          (response) => {
            clearInterval(trickle);
            response.resume();
            call.destroy();
            resolve({
              status: response.statusCode!,
              retryAfter: response.headers['retry-after'],
              text: response.statusMessage ?? '',
            });
          },
        );
        const trickle = setInterval(() => call.write('x'), 50);
        enough.signal.addEventListener('abort', () => call.destroy(new Error('enough')));
        call.once('error', () => {
          clearInterval(trickle);
          resolve({ status: 0, retryAfter: undefined, text: '' });
        });
      });
    const slowCall = () =>
      new Promise<string>((resolve) => {
        const session = http2Connect(`http://127.0.0.1:${ports.otlpGrpc}`);
        session.once('error', () => resolve('gone'));
        const call = session.request({
          ':method': 'POST',
          ':path': EXPORT_PATH.metrics,
          'content-type': 'application/grpc',
          te: 'trailers',
        });
        call.write(Uint8Array.of(0, 0, 16, 0, 0));
        const trickle = setInterval(() => call.write('x'), 50);
        const end = (status: string) => {
          clearInterval(trickle);
          session.destroy();
          resolve(status);
        };
        enough.signal.addEventListener('abort', () => end('enough'));
        call.once('response', (headers) => {
          if (headers['grpc-status'] !== undefined) end(String(headers['grpc-status']));
        });
        call.once('trailers', (headers) => end(String(headers['grpc-status'])));
        call.once('error', () => end('gone'));
      });
    const told = { remote_write: 0, otlp_http: 0, otlp_grpc: 0 };
    const countTold = (door: 'remote_write' | 'otlp_http', port: number, path: string) => async () => {
      const { status, retryAfter } = await slow(port, path);
      if (status === 429 && Number(retryAfter) > 0) told[door] += 1;
    };
    const RESOURCE_EXHAUSTED = '8';
    const senders = [
      countTold('remote_write', ports.collector, '/api/v1/write'),
      countTold('otlp_http', ports.otlpHttp, '/v1/metrics'),
      async () => {
        if ((await slowCall()) === RESOURCE_EXHAUSTED) told.otlp_grpc += 1;
      },
    ].flatMap((sender) => Array.from({ length: 12 }, sender));
    await until('some are told by each door', 120_000, () => Object.values(told).every((count) => count > 0));
    enough.abort();
    await Promise.all(senders);
    for (const door of ['remote_write', 'otlp_http', 'otlp_grpc'])
      expect(await metric(`${refused}{door="${door}"}`)).toBeGreaterThan(0);
  }, 180_000);

  it('by ever new series: its limit holds, is named and counted, and known series go on', async () => {
    const known = steady.acknowledged;
    const now = systemClock.now();
    let full: Answer | undefined;
    for (let request = 0; request < 40 && full === undefined; request += 1) {
      const series = Array.from({ length: 8_000 }, (_, i) => ({
        labels: [
          ['__name__', 'churn'],
          ['n', `${request * 8_000 + i}`],
        ] as const,
        samples: [[now, 1]] as const,
      }));
      const answer = await write(snappyEncode(writeRequest(series)));
      if (answer.status !== 204) full = answer;
    }
    expect(full).toMatchObject({
      status: 429,
      retryAfter: '5',
      text: expect.stringMatching(/holds 200000 active series, its limit/),
    });
    const request = gaugeRequest('churn_too', [{ attributes: {}, t: systemClock.now(), value: 1 }]);
    for (const answer of [(await otlp(request)).text, (await grpc(request)).message])
      expect(answer).toMatch(/its limit/);
    exposed = 'churn_scraped 1\ncalm 3\n';
    await until('what is known of the target is still scraped', 60_000, async () =>
      (await collector.text('/api/v1/query?query=calm')).includes('"3"'),
    );
    expect(await metric('podvitals_tsdb_series_refused_total')).toBeGreaterThan(0);
    expect(await metric('podvitals_tsdb_head_series')).toBe(200_000);
    await until('others go on', 60_000, () => steady.acknowledged > known + 10);
  }, 300_000);

  it('has kept all of what others sent meanwhile, and its own size', async () => {
    await stopSteady();
    const answer = await collector.json<{
      data: { result: readonly { metric: Record<string, string>; values: [number, string][] }[] };
    }>(
      `/api/v1/query?query=${encodeURIComponent('{__name__=~"others_.+"}[1h]')}&time=${systemClock.now() / 1000 + 1}`,
    );
    const found = new Map(
      answer.data.result.map(({ metric: labels, values }) => [
        `${labels.__name__}{${labels.series}}`,
        values.map(([t, v]) => [Math.round(t * 1000), v] as const),
      ]),
    );
    for (const key of steady.keys) steady.check(key, found.get(key) ?? []);
    expect(steady.violations).toEqual([]);
    expect(steady.acknowledged).toBeGreaterThan(100);
    const status = readFileSync(`/proc/${collector.process.pid}/status`, 'utf8');
    expect(Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]) * 1024).toBeLessThan(MOST_RSS_BYTES);
    expect(collector.output()).not.toMatch(/\n\s+at /);
  }, 60_000);
});
