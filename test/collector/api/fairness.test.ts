import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { federationRoutes } from '../../../src/collector/api/federation.ts';
import { prometheusRoutes } from '../../../src/collector/api/prometheus.ts';
import { statusRoutes } from '../../../src/collector/api/prometheus-status.ts';
import { createEngine } from '../../../src/collector/promql/engine.ts';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import type { Tsdb } from '../../../src/collector/tsdb/store.ts';
import { createHttpServer, type HttpServer } from '../../../src/http/server.ts';
import { encodeLabels, toLabels } from '../../../src/model/labels.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { expectShortRounds, roundsDuring } from '../../support/rounds.ts';

/** Long series, and many of them. */
const LONG = { name: 'x_total', series: 1500, samples: 480 };
const MANY = { name: 'y_total', series: 20_000, samples: 2 };
const STEP_MS = 15_000;
const END_MS = Math.floor(Date.now() / STEP_MS) * STEP_MS;
const START_MS = END_MS - LONG.samples * STEP_MS;

async function filledStore(): Promise<Tsdb> {
  const store = createMemoryStore();
  const appender = store.appender();
  for (const { name, series, samples } of [LONG, MANY]) {
    for (let i = 0; i < series; i += 1) {
      const labels = toLabels({ __name__: name, ns: `ns-${i % 20}`, pod: `pod-${i}`, job: 'shop' });
      const ref = appender.reference(encodeLabels(labels));
      for (let k = samples; k > 0; k -= 1)
        appender.append(ref, END_MS - k * STEP_MS, (samples - k) * (i + 1) + (i % 2) / 3);
    }
  }
  await appender.commit();
  return store;
}

interface Asked {
  readonly status: number;
  readonly bytes: number;
}

/** Asks from a thread of its own, so that reading the answer is no work of this one. */
function createClient() {
  const code = `
    const { parentPort } = require('node:worker_threads');
    parentPort.on('message', async (url) => {
      const response = await fetch(url);
      let bytes = 0;
      for await (const part of response.body) bytes += part.length;
      parentPort.postMessage({ status: response.status, bytes });
    });`;
  const worker = new Worker(code, { eval: true });
  return {
    ask: (url: string) =>
      new Promise<Asked>((resolve, reject) => {
        worker.removeAllListeners();
        worker.once('message', resolve);
        worker.once('error', reject);
        worker.postMessage(url);
      }),
    close: () => worker.terminate(),
  };
}

describe('a request that is a lot of work', () => {
  let store: Tsdb;
  let server: HttpServer;
  let url = '';
  const client = createClient();

  beforeAll(async () => {
    store = await filledStore();
    const clock = systemClock;
    const querier = () => store.querier();
    const engine = createEngine({ querier, clock });
    server = await createHttpServer({ name: 'fairness', listen: { host: '127.0.0.1', port: 0 }, clock });
    await server.app.register(prometheusRoutes({ ...engine, querier, clock }));
    await server.app.register(federationRoutes({ querier, clock }));
    await server.app.register(
      statusRoutes({
        querier,
        clock,
        stats: () => store.stats(),
        timeBounds: () => store.timeBounds(),
        retention: { timeMs: 1, bytes: 1 },
        evaluationIntervalMs: 1000,
        ruleFiles: [],
        listen: { host: '127.0.0.1', port: 0 },
      }),
    );
    url = await server.listen();
  }, 120_000);
  afterAll(async () => {
    await client.close();
    await server?.close();
    await store?.close();
  });

  const over = (query: string) =>
    `query_range?query=${encodeURIComponent(query)}&start=${START_MS / 1000}&end=${END_MS / 1000}&step=30`;
  const now = (query: string) => `query?query=${encodeURIComponent(query)}&time=${END_MS / 1000}`;

  it.each([
    ['a large answer over a range', over('x_total')],
    ['a large answer at one time', now('x_total')],
    ['raw samples', now('x_total[2h]')],
    ['rates that are summed up', over('sum by (ns) (rate(x_total[5m]))')],
    ['windows that are looked at whole', over('sum(stddev_over_time(x_total[15m]))')],
    ['a join', over('x_total / on (pod) x_total')],
    ['a filter by another vector', over('x_total and on (ns) (x_total > 100)')],
    ['a quantile', over('quantile(0.9, x_total)')],
    ['a ranking', over('topk by (ns) (3, x_total)')],
    ['a sorted answer', now('sort_desc(x_total)')],
    ['labels written anew', over('label_replace(x_total, "a", "$1", "pod", "pod-(.*)")')],
    ['counted values', now('count_values("v", x_total)')],
    ['a subquery', over('max_over_time(sum by (ns) (x_total)[10m:1m])')],
    ['absence', over('absent(x_total)')],
    ['sets joined', over('x_total or on (pod) x_total')],
    ['a predicted line', over('predict_linear(x_total[10m], 60)')],
    ['many series at one time', now('y_total')],
    ['many groups', now('count by (pod) (y_total)')],
    ['a join of many series', now('y_total + on (pod) y_total')],
    ['many series that lose their names', now('-y_total or abs(y_total)')],
    ['a sorted answer of many series', now('sort_desc(y_total)')],
    ['many values counted', now('count_values("v", y_total)')],
    ['all series', 'series?match[]=y_total'],
    ['all values of a label', 'label/pod/values'],
    ['all names of labels', 'labels'],
    ['what series there are', 'status/tsdb?limit=10000'],
    ['federation', '/federate?match[]=y_total'],
  ])(
    'holds no other longer than a turn: %s',
    async (_, path) => {
      const address = path.startsWith('/') ? url + path : `${url}/api/v1/${path}`;
      // What is compiled at the first time is no work of the second.
      await client.ask(address);
      const { result, roundsMs } = await roundsDuring(() => client.ask(address));
      expect(result.status).toBe(200);
      expectShortRounds(roundsMs);
    },
    120_000,
  );
});
