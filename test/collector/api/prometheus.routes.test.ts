import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prometheusRoutes } from '../../../src/collector/api/prometheus.ts';
import { createEngine } from '../../../src/collector/promql/engine.ts';
import { toLabels } from '../../../src/model/labels.ts';
import { createFakeClock, systemClock } from '../../../src/util/clock.ts';
import { missing } from '../../support/parts.ts';
import { type RealPrometheus, startPrometheusWith } from '../../support/prometheus.ts';
import { createRandom } from '../../support/random.ts';
import { randomSeries, toWritten } from '../../support/random-promql.ts';
import { createSampleStore, type SampleStore } from '../../support/sample-store.ts';

const START_S = 1_700_000_000;

async function appOver(
  store: SampleStore,
  options: { readonly maxSamples?: number } = {},
): Promise<FastifyInstance> {
  const clock = { ...systemClock, now: createFakeClock(START_S * 1000).now };
  const engine = createEngine({ querier: () => store.querier, clock, limits: options });
  const app = Fastify();
  await app.register(
    prometheusRoutes({
      query: engine.query,
      queryRange: engine.queryRange,
      querier: () => store.querier,
      scrapedMetadata: () => [
        { metric: 'kube_pod_info', type: 'gauge', help: 'As a target says it.', unit: '' },
        { metric: 'orders_seconds', type: 'histogram', help: 'Time of orders.', unit: 'seconds' },
        { metric: 'orders_seconds', type: 'histogram', help: 'Time of orders.', unit: 'seconds' },
      ],
      clock,
    }),
  );
  return app;
}

const form = (parameters: readonly (readonly [string, string])[]) =>
  new URLSearchParams(parameters.map(([name, value]) => [name, value])).toString();

describe('answers have the shape of Prometheus', () => {
  const store = createSampleStore();
  store.append(toLabels({ __name__: 'pod_ready', pod: 'cart' }), [
    { t: START_S * 1000 - 1500, v: 1 },
    { t: START_S * 1000, v: 1e-7 },
  ]);
  store.append(toLabels({ __name__: 'pod_ready', pod: 'shop' }), [
    { t: START_S * 1000, v: Number.POSITIVE_INFINITY },
  ]);
  store.append(toLabels({ __name__: 'k8s.pod.ready', 'pod.name': 'cart' }), [{ t: START_S * 1000, v: 1 }]);
  let app: FastifyInstance;
  beforeAll(async () => {
    app = await appOver(store);
  });
  afterAll(() => app.close());
  const get = async (url: string) => {
    const { statusCode, body } = await app.inject({ method: 'GET', url });
    return { statusCode, body: JSON.parse(body) as unknown };
  };

  it('of a vector, a scalar and a string, at the clock’s time when none is given', async () => {
    expect(await get('/api/v1/query?query=pod_ready')).toEqual({
      statusCode: 200,
      body: {
        status: 'success',
        data: {
          resultType: 'vector',
          result: [
            { metric: { __name__: 'pod_ready', pod: 'cart' }, value: [START_S, '1e-07'] },
            { metric: { __name__: 'pod_ready', pod: 'shop' }, value: [START_S, '+Inf'] },
          ],
        },
      },
    });
    expect((await get('/api/v1/query?query=1&time=1.5')).body).toMatchObject({
      data: { resultType: 'scalar', result: [1.5, '1'] },
    });
    expect((await get('/api/v1/query?query=%22a%22&time=0')).body).toMatchObject({
      data: { resultType: 'string', result: [0, 'a'] },
    });
  });

  it('of a matrix, by GET and by POST', async () => {
    const parameters = form([
      ['query', 'sum(pod_ready{pod="cart"})'],
      ['start', String(START_S - 1)],
      ['end', new Date(START_S * 1000).toISOString()],
      ['step', '500ms'],
    ]);
    const wanted = {
      status: 'success',
      data: {
        resultType: 'matrix',
        result: [
          {
            metric: {},
            values: [
              [START_S - 1, '1'],
              [START_S - 0.5, '1'],
              [START_S, '1e-07'],
            ],
          },
        ],
      },
    };
    expect((await get(`/api/v1/query_range?${parameters}`)).body).toEqual(wanted);
    const posted = await app.inject({
      method: 'POST',
      url: '/api/v1/query_range',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: parameters,
    });
    expect(posted.json()).toEqual(wanted);
    expect(posted.headers['content-type']).toBe('application/json');
  });

  it('with warnings, and of no more series than wanted', async () => {
    expect((await get('/api/v1/query?query=quantile(2,pod_ready)')).body).toMatchObject({
      warnings: ['PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)'],
    });
    expect((await get('/api/v1/query?query=rate(pod_ready[5m])')).body).toMatchObject({
      infos: [expect.stringContaining('metric might not be a counter')],
    });
    expect((await get('/api/v1/query?query=pod_ready&limit=1')).body).toMatchObject({
      data: { result: [{ metric: { pod: 'cart' } }] },
      warnings: ['results truncated due to limit'],
    });
  });

  it('of series, labels and values', async () => {
    expect(
      (await get('/api/v1/series?match[]=pod_ready{pod="cart"}&match[]={"k8s.pod.ready"}')).body,
    ).toEqual({
      status: 'success',
      data: [
        { __name__: 'k8s.pod.ready', 'pod.name': 'cart' },
        { __name__: 'pod_ready', pod: 'cart' },
      ],
    });
    expect((await get('/api/v1/labels')).body).toEqual({
      status: 'success',
      data: ['__name__', 'pod', 'pod.name'],
    });
    expect((await get('/api/v1/labels?match[]=pod_ready&limit=1')).body).toEqual({
      status: 'success',
      data: ['__name__'],
      warnings: ['results truncated due to limit'],
    });
    expect((await get('/api/v1/label/pod/values')).body).toEqual({
      status: 'success',
      data: ['cart', 'shop'],
    });
    expect((await get('/api/v1/label/U__pod_2e_name/values')).body).toEqual({
      status: 'success',
      data: ['cart'],
    });
    expect((await get('/api/v1/label/pod/values?start=1&end=2')).body).toEqual({
      status: 'success',
      data: [],
    });
  });

  it('of metadata, build and formatted queries', async () => {
    const metadata = (await get('/api/v1/metadata?metric=kube_pod_info')).body;
    expect(metadata).toMatchObject({ data: { kube_pod_info: [{ type: 'gauge', unit: '' }, {}] } });
    expect((await get('/api/v1/metadata?metric=orders_seconds')).body).toEqual({
      status: 'success',
      data: { orders_seconds: [{ type: 'histogram', help: 'Time of orders.', unit: 'seconds' }] },
    });
    const told = (await get('/api/v1/metadata?metric=kube_pod_info')).body as {
      data: { kube_pod_info: { help: string }[] };
    };
    expect(told.data.kube_pod_info.map(({ help }) => help)).toContain('As a target says it.');
    expect(Object.keys(((await get('/api/v1/metadata?limit=2')).body as { data: object }).data)).toHaveLength(
      2,
    );
    expect((await get('/api/v1/status/buildinfo')).body).toMatchObject({ data: { version: '3.5.0' } });
    expect((await get('/api/v1/format_query?query=sum(x)by(a)')).body).toEqual({
      status: 'success',
      data: 'sum by (a) (x)',
    });
  });

  it('of mistakes', async () => {
    const refuses = async (url: string, statusCode: number, errorType: string, error: string) =>
      expect(await get(`/api/v1/${url}`)).toEqual({
        statusCode,
        body: { status: 'error', errorType, error },
      });
    await refuses(
      'query?query=a%2B',
      400,
      'bad_data',
      'invalid parameter "query": 1:3: parse error: unexpected end of input',
    );
    await refuses(
      'query?query=1&time=x',
      400,
      'bad_data',
      `invalid parameter "time": invalid time value for 'time': cannot parse "x" to a valid timestamp`,
    );
    await refuses(
      'query?query=1&limit=-1',
      400,
      'bad_data',
      'invalid parameter "limit": limit must be non-negative',
    );
    await refuses(
      'query_range?query=1&start=2&end=1&step=1',
      400,
      'bad_data',
      'invalid parameter "end": end timestamp must not be before start time',
    );
    await refuses(
      'query_range?query=1&start=0&end=1&step=0',
      400,
      'bad_data',
      'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
    );
    await refuses(
      'query_range?query=1&start=0&end=12000&step=1',
      400,
      'bad_data',
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    );
    await refuses('series', 400, 'bad_data', 'no match[] parameter provided');
    await refuses(
      'query?query=pod_ready%2Bon()pod_ready',
      422,
      'execution',
      'found duplicate series for the match group {} on the right hand-side of the operation: [{__name__="pod_ready", pod="cart"}, {__name__="pod_ready", pod="shop"}];many-to-many matching not allowed: matching labels must be unique on one side',
    );
    await refuses(
      'query?query=pod_ready&timeout=0s',
      503,
      'timeout',
      'query timed out in expression evaluation',
    );
  });

  it('of a query that would hold too much', async () => {
    const small = await appOver(store, { maxSamples: 1 });
    const { statusCode, body } = await small.inject(
      '/api/v1/query_range?query=pod_ready&start=1699999999&end=1700000000&step=0.01',
    );
    await small.close();
    expect([statusCode, JSON.parse(body)]).toMatchObject([
      422,
      {
        errorType: 'execution',
        error: 'query processing would load too many samples into memory in query execution',
      },
    ]);
  });
});

/** What Grafana's Prometheus data source asks at save-and-test, in Explore, in variables and in panels. */
const GRAFANA: readonly (readonly [path: string, ...(readonly [string, string])[]])[] = [
  ['query', ['query', '1+1'], ['time', String(START_S)]],
  ['query', ['query', 'requests_total'], ['time', String(START_S + 300)], ['timeout', '30s']],
  [
    'query_range',
    ['query', 'sum by(job) (rate(requests_total{job=~"api|db"}[1m0s]))'],
    ['start', String(START_S)],
    ['end', String(START_S + 900)],
    ['step', '15'],
  ],
  [
    'query_range',
    ['query', 'histogram_quantile(0.9, sum by(le, job) (rate(latency_seconds_bucket[5m])))'],
    ['start', `${START_S}.500`],
    ['end', String(START_S + 1800)],
    ['step', '1m'],
  ],
  [
    'query_range',
    ['query', 'topk(1, temperature)'],
    ['start', String(START_S)],
    ['end', String(START_S + 60)],
    ['step', '0.5'],
  ],
  ['labels', ['start', String(START_S)], ['end', String(START_S + 3000)]],
  ['labels', ['match[]', 'requests_total'], ['start', String(START_S)], ['end', String(START_S + 3000)]],
  ['label/__name__/values'],
  [
    'label/job/values',
    ['match[]', 'requests_total{instance="a"}'],
    ['start', String(START_S)],
    ['end', String(START_S + 3000)],
  ],
  ['label/zone/values', ['limit', '1']],
  [
    'series',
    ['match[]', 'limit'],
    ['match[]', 'temperature{job="db"}'],
    ['start', String(START_S)],
    ['end', String(START_S + 3000)],
  ],
  ['format_query', ['query', 'sum(rate(requests_total[5m]))by(job)/scalar(limit)']],
  ['query', ['query', 'rate(requests_total)']],
  ['query', ['query', '1'], ['time', 'yesterday']],
  ['query_range', ['query', '1'], ['start', '1'], ['end', '2'], ['step', 'x']],
  ['query_range', ['query', 'requests_total[5m]'], ['start', '1'], ['end', '2'], ['step', '1']],
  ['query_range', ['query', '1'], ['start', ''], ['end', '2'], ['step', '1']],
  ['series', ['match[]', 'a{']],
  ['series', ['match[]', '{}']],
  ['labels', ['match[]', 'a b']],
  ['labels', ['limit', 'x']],
];

describe.skipIf(missing('prometheus', 'promtool'))('what Grafana asks has the answer of Prometheus', () => {
  const series = randomSeries(createRandom(7), START_S * 1000, 200);
  const store = createSampleStore();
  for (const { labels, samples } of series) store.append(labels, samples);
  let prometheus: RealPrometheus;
  let app: FastifyInstance;
  beforeAll(async () => {
    prometheus = await startPrometheusWith(toWritten(series));
    app = await appOver(store);
  });
  afterAll(async () => {
    await app?.close();
    await prometheus?.stop();
  });

  for (const [path, ...parameters] of GRAFANA) {
    const url = `/api/v1/${path}?${form(parameters)}`;
    it(decodeURIComponent(url), async () => {
      const ours = await app.inject(url);
      const theirs = await fetch(prometheus.url + url);
      const body = sorted(JSON.parse(ours.body));
      expect([ours.statusCode, body]).toEqual([theirs.status, sorted(await theirs.json())]);
    });
  }
});

/** Series of an answer come in no particular order; later versions than 3.5 tell more of corrected buckets. */
function sorted(answer: unknown): unknown {
  const body = JSON.parse(
    JSON.stringify(answer).replaceAll(
      /(fixed for monotonicity)[^"]*?(?:metric name \\"\\")?[^"]*(\(\d+:\d+\))/g,
      '$1 $2',
    ),
  ) as unknown;
  const { data } = body as { data?: { result?: unknown[] } | unknown[] };
  const list = Array.isArray(data) ? data : data?.result;
  const keyOf = (item: unknown) => JSON.stringify((item as { metric?: unknown } | null)?.metric ?? item);
  list?.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return body;
}
