import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAdmissions } from '../../../src/collector/admissions.ts';
import { otlpRoutes } from '../../../src/collector/api/otlp.ts';
import { prometheusRoutes } from '../../../src/collector/api/prometheus.ts';
import { remoteWriteRoutes } from '../../../src/collector/api/remote-write.ts';
import { createEngine } from '../../../src/collector/promql/engine.ts';
import { startScrape } from '../../../src/collector/scrape/scrape.ts';
import { createStore, type Tsdb } from '../../../src/collector/tsdb/store.ts';
import { toScrapeConfigs } from '../../../src/config/scrape-configs.ts';
import { createHttpServer, type HttpServer } from '../../../src/http/server.ts';
import { encodeLabels, toLabels } from '../../../src/model/labels.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { createOtlpHttpHandler } from '../../../src/wire/otlp/http-handler.ts';
import { createOtlpReceiver } from '../../../src/wire/otlp/receiver.ts';
import { createRemoteWriteReceiver } from '../../../src/wire/prometheus/remote-write-receiver.ts';
import { encodeWriteRequest } from '../../../src/wire/prometheus/remote-write-writer.ts';
import { snappyEncode } from '../../../src/wire/prometheus/snappy.ts';
import { eventually } from '../../support/eventually.ts';
import { roundsDuring } from '../../support/rounds.ts';
import { startScrapeTarget } from '../../support/scrape-target.ts';
import { encodeForeign } from '../../wire/otlp/foreign-metrics.ts';

// A good half of what one request may hold.
const OTLP_POINTS = 100_000;
const WRITE_SAMPLES = 120_000;
const SCRAPE_LINES = 100_000;

/** The promise: no request is held longer than this by the work of another. */
const LONGEST_TURN_MS = 20;
// Garbage is collected now and then, and code compiled anew; work that is not divided shows every time.
const ATTEMPTS = 6;

function sender() {
  const code = `
    const { parentPort } = require('node:worker_threads');
    parentPort.on('message', async ({ url, headers, body }) => {
      const response = await fetch(url, { method: 'POST', headers, body });
      parentPort.postMessage({ status: response.status, text: await response.text() });
    });`;
  return new Worker(code, { eval: true });
}

/** Asks for one number again and again from a thread of its own; how often it was answered. */
function asker(url: string) {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    let answers = 0;
    const ask = async () => {
      const response = await fetch(workerData + '/api/v1/query?query=vector(1)');
      if (response.ok && (await response.json()).status === 'success') answers += 1;
      setImmediate(ask);
    };
    parentPort.on('message', () => parentPort.postMessage(answers));
    ask();`;
  return new Worker(code, { eval: true, workerData: url });
}

const answerOf = <T>(worker: Worker, message: unknown) =>
  new Promise<T>((resolve, reject) => {
    worker.removeAllListeners();
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.postMessage(message);
  });

const keyOf = (i: number) =>
  encodeLabels(toLabels({ __name__: `m_${i % 40}`, job: 'shop', pod: `cart-${i}`, container: 'app' }));

function writeRequest(t: number): Uint8Array {
  const length = WRITE_SAMPLES;
  const columns = {
    refs: Float64Array.from({ length }, (_, i) => i),
    t: new Float64Array(length).fill(t),
    high: new Uint32Array(length),
    low: new Uint32Array(length),
  };
  return snappyEncode(encodeWriteRequest(columns, 0, length, keyOf));
}

function otlpRequest(t: number): Uint8Array {
  const points = Array.from({ length: OTLP_POINTS }, (_, i) => ({
    value: i,
    attributes: { pod: `web-${i}`, container: 'app', namespace: 'shop' },
  }));
  return encodeForeign([{ name: 'o', unit: '', kind: 'gauge', points }], { 'service.name': 'web' }, t);
}

const exposition = (value: number) =>
  Array.from({ length: SCRAPE_LINES }, (_, i) => `s_${i % 40}{pod="search-${i}"} ${value}\n`).join('');

describe('a body as large as may be', () => {
  const folder = mkdtempSync(join(tmpdir(), 'podvitals-ingest-fairness-'));
  const client = sender();
  let store: Tsdb;
  let server: HttpServer;
  let url = '';

  beforeAll(async () => {
    const clock = systemClock;
    store = createStore({ path: join(folder, 'c.db'), clock, limits: { activeSeries: 1_000_000 } });
    const querier = () => store.querier();
    server = await createHttpServer({ name: 'fairness', listen: { host: '127.0.0.1', port: 0 }, clock });
    await server.app.register(prometheusRoutes({ ...createEngine({ querier, clock }), querier, clock }));
    const admissions = createAdmissions(clock);
    await server.app.register(
      remoteWriteRoutes(createRemoteWriteReceiver({ store, clock }), admissions.remote_write),
    );
    const otlp = createOtlpReceiver({ store, clock });
    await server.app.register(
      otlpRoutes(createOtlpHttpHandler(otlp), otlp.limits.bodyBytes, admissions.otlp_http),
    );
    url = await server.listen();
  }, 120_000);
  afterAll(async () => {
    await client.terminate();
    await server?.close();
    await store?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Works up to some times until no round of the loop was longer than promised, and a query was answered meanwhile. */
  async function expectTurns(prepare: () => () => Promise<unknown>): Promise<void> {
    const queries = asker(url);
    const longest: number[] = [];
    try {
      await eventually(async () => (await answerOf<number>(queries, '')) > 5);
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const work = prepare();
        const before = await answerOf<number>(queries, '');
        const { roundsMs } = await roundsDuring(work);
        const answered = (await answerOf<number>(queries, '')) - before;
        longest.push(roundsMs.reduce((a, b) => Math.max(a, b)));
        if (longest.at(-1)! < LONGEST_TURN_MS && answered > 0) return;
      }
    } finally {
      await queries.terminate();
    }
    expect.fail(`the longest turns were ${longest.map(Math.round).join(', ')} ms`);
  }

  it.each([
    [
      'remote write',
      writeRequest,
      '/api/v1/write',
      { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
    ],
    ['OTLP', otlpRequest, '/v1/metrics', { 'content-type': 'application/x-protobuf' }],
  ] as const)(
    'holds no query longer than a turn: %s',
    async (_what, bodyOf, path, headers) => {
      const send = async (body: Uint8Array) => {
        const { status, text } = await answerOf<{ status: number; text: string }>(client, {
          url: url + path,
          headers,
          body,
        });
        expect(status, text).toBeLessThan(300);
      };
      let t = Date.now() - 60_000;
      const next = () => {
        t += 1_000;
        return bodyOf(t);
      };
      // The first time all series are new.
      await send(next());
      await expectTurns(() => {
        const body = next();
        return () => send(body);
      });
    },
    180_000,
  );

  it('holds no query longer than a turn: a scrape', async () => {
    const target = await startScrapeTarget({ '/metrics': exposition(0) });
    const scrapes: number[] = [];
    const scrape = await startScrape({
      configs: toScrapeConfigs(
        [{ job_name: 'large', scrape_interval: '2s', static_configs: [{ targets: [target.address] }] }],
        'scrape_configs',
        '/',
      ),
      appender: () => store.appender(),
      onCommitted: (committed) => scrapes.push(committed.samples),
      clock: systemClock,
      logger: { warn: console.warn, error: console.error },
    });
    try {
      await eventually(() => scrapes.length > 0, 60_000);
      await expectTurns(() => {
        const before = scrapes.length;
        return () => eventually(() => scrapes.length > before, 60_000);
      });
      expect(scrapes.at(-1)).toBeGreaterThan(SCRAPE_LINES);
    } finally {
      await scrape.close();
      await target.close();
    }
  }, 180_000);
});
