import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { prometheusRoutes } from '../../../src/collector/api/prometheus.ts';
import { targetRoutes } from '../../../src/collector/api/targets.ts';
import { createEngine } from '../../../src/collector/promql/engine.ts';
import { type Scrape, startScrape } from '../../../src/collector/scrape/scrape.ts';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import type { Tsdb } from '../../../src/collector/tsdb/store.ts';
import { toScrapeConfigs } from '../../../src/config/scrape-configs.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { missing } from '../../support/parts.ts';
import { type RealPrometheus, startPrometheus } from '../../support/prometheus.ts';
import { gzipped, type ScrapeTarget, startScrapeTarget, TEXT_TYPE } from '../../support/scrape-target.ts';

const SAMPLES = `# HELP shop_orders_total Orders \\\\ by payment.
# TYPE shop_orders_total counter
shop_orders_total{payment="card",job="exposed",instance="own"} 11
shop_orders_total{payment="cash",exported_job="taken"} 12
shop_orders_total{payment="Gift Voucher",region="eu-west"} 13
# TYPE shop_latency_seconds histogram
shop_latency_seconds_bucket{le="0.1"} 3
shop_latency_seconds_bucket{le="+Inf"} 5
shop_latency_seconds_sum 1.25e-1
shop_latency_seconds_count 5
# a comment
shop_empty{payment="",instance=""} 1
{"shop.dotted","la.bel"="ü"} 17
shop_nan NaN
shop_escapes{path="C:\\\\x\\"\\n\\q"} -0.5
`;
const OPEN_METRICS = `# HELP shop_paid Paid.
# TYPE shop_paid counter
shop_paid_total{payment="card"} 21 # {trace_id="abc"} 1 1700000000.5
shop_paid_created{payment="card"} 1700000000.25
# TYPE shop_wait_seconds histogram
# UNIT shop_wait_seconds seconds
shop_wait_seconds_bucket{le="1.0"} 2 # {t="} #"} 0.5
shop_wait_seconds_bucket{le="+Inf"} 2
shop_wait_seconds_sum 1.5
shop_wait_seconds_count 2
shop_wait_seconds_created 1700000000
# EOF
`;
const FIRST = {
  '/plain': SAMPLES,
  '/openmetrics': OPEN_METRICS,
  '/zipped': gzipped(SAMPLES),
  '/repeated': 'shop_twice 1\nshop_twice 2\nshop_pair{n="1"} 3\nshop_pair{n="2"} 4\n',
  '/nameless': '{payment="card"} 1\n',
  '/double': 'shop_twice{a="1",a="2"} 1\n',
  '/broken': 'shop_before 1\nshop_broken{ 2\nshop_after 3\n',
  '/blank': (_request, response) => void response.end('shop_blank 1\n'),
  '/moved': (_request, response) => void response.writeHead(302, { location: '/plain' }).end(),
  '/failing': (_request, response) => void response.writeHead(500).end('shop_failing 1\n'),
  '/slow': () => {},
  '/asked': (request, response) =>
    void response
      .writeHead(200, { 'content-type': TEXT_TYPE })
      .end(
        `shop_asked{by="${request.headers.authorization ?? ''}",query="${request.url!.split('?')[1] ?? ''}"} 1\n`,
      ),
  '/vanishing': 'shop_stays 1\nshop_goes 2\n',
  '/dying': 'shop_dies 1\n',
  '/removed': 'shop_removed 1\n',
} as const satisfies Parameters<typeof startScrapeTarget>[0];

/** Every action at least once. */
const RELABEL = [
  {
    source_labels: ['__address__', 'zone'],
    separator: '@',
    regex: '(?P<host>[^:]+):(\\d+)@(.*)',
    target_label: 'place_$3',
    replacement: `\${host}-$2$$-$9$unknown-\${3}`,
  },
  { action: 'lowercase', source_labels: ['zone'], target_label: 'zone_lower' },
  { action: 'uppercase', source_labels: ['zone'], target_label: 'zone_upper' },
  { action: 'hashmod', source_labels: ['__address__', 'zone'], target_label: '__hash', modulus: 1000 },
  { source_labels: ['__hash'], target_label: 'hash' },
  { action: 'labelmap', regex: '__meta_(.+)', replacement: 'meta_$1' },
  { action: 'labelmap', regex: 'zone_(.+)', replacement: `\${1}_zone` },
  { action: 'labeldrop', regex: 'zone_.*' },
  { action: 'keep', source_labels: ['zone'], regex: 'A|b|C.*|same' },
  { action: 'drop', source_labels: ['zone'], regex: 'Cd' },
  { action: 'dropequal', source_labels: ['zone'], target_label: 'other' },
  { target_label: 'added', replacement: 'always' },
  { target_label: 'other', replacement: '' },
];
const METRIC_RELABEL = [
  { action: 'drop', source_labels: ['__name__'], regex: 'shop_latency.*' },
  { source_labels: ['payment'], regex: '(Gift) (.*)', target_label: 'payment', replacement: '$2-$1' },
  { action: 'hashmod', source_labels: ['payment'], target_label: 'shard', modulus: 7 },
  { action: 'uppercase', source_labels: ['region'], target_label: 'region' },
  {
    source_labels: ['__name__'],
    regex: 'shop_(.*)_total',
    target_label: '__name__',
    replacement: 'renamed_$1',
  },
  { action: 'labeldrop', regex: 'exported_.*' },
];

function scrapeConfigs(address: string, file: string) {
  const job = (name: string, path: string, more: object = {}) => ({
    job_name: name,
    metrics_path: path,
    static_configs: [{ targets: [address] }],
    ...more,
  });
  return [
    job('plain', '/plain', {
      static_configs: [{ targets: [address], labels: { payment: 'target', exported_region: 'target' } }],
    }),
    job('honoured', '/plain', {
      honor_labels: true,
      static_configs: [{ targets: [address], labels: { payment: 'target' } }],
    }),
    job('openmetrics', '/openmetrics'),
    job('zipped', '/zipped'),
    job('repeated', '/repeated', { metric_relabel_configs: [{ action: 'labeldrop', regex: 'n' }] }),
    job('nameless', '/nameless'),
    job('double', '/double'),
    job('broken', '/broken'),
    job('blank', '/blank'),
    job('fallback', '/blank', { fallback_scrape_protocol: 'PrometheusText0.0.4' }),
    job('moved', '/moved'),
    job('unmoved', '/moved', { follow_redirects: false }),
    job('failing', '/failing'),
    job('missing', '/nowhere'),
    job('slow', '/slow', { scrape_timeout: '500ms' }),
    job('basic', '/asked', {
      basic_auth: { username: 'ann', password: 'secret' },
      params: { b: ['2', '3'], a: ['1 &'] },
    }),
    job('bearer', '/asked', { authorization: { credentials: 'token' } }),
    job('samples', '/plain', { sample_limit: 5 }),
    job('labels', '/plain', { label_limit: 4 }),
    job('names', '/plain', { label_name_length_limit: 8 }),
    job('values', '/plain', { label_value_length_limit: 20 }),
    job('bytes', '/plain', { body_size_limit: '100B' }),
    job('relabelled', '/plain', {
      relabel_configs: RELABEL,
      metric_relabel_configs: METRIC_RELABEL,
      static_configs: ['A', 'b', 'Cd', 'Ce', 'none', 'same'].map((zone) => ({
        targets: [address],
        labels: { zone, other: 'same', __meta_group: `group-${zone}` },
      })),
    }),
    job('kept', '/plain', {
      metric_relabel_configs: [
        { action: 'labelkeep', regex: '__name__|payment|le' },
        { action: 'keepequal', source_labels: ['payment'], target_label: 'region' },
      ],
    }),
    job('pathed', '/nowhere', {
      relabel_configs: [
        { target_label: '__metrics_path__', replacement: '/asked' },
        { target_label: '__param_x', replacement: 'y' },
        { target_label: 'instance', replacement: 'named' },
      ],
    }),
    job('dropped', '/plain', { relabel_configs: [{ action: 'drop' }] }),
    job('vanishing', '/vanishing'),
    job('dying', '/dying'),
    job('removed', '/removed', { static_configs: [], file_sd_configs: [{ files: [file] }] }),
  ].map((config) => ({ scrape_interval: '1s', scrape_timeout: '1s', ...config }));
}

interface Answered {
  readonly data: unknown;
}

describe.skipIf(missing('prometheus'))('beside a real Prometheus that scrapes the same', () => {
  const folder = mkdtempSync(join(tmpdir(), 'podvitals-scrape-'));
  const file = join(folder, 'targets.json');
  let target: ScrapeTarget;
  let theirs: RealPrometheus | undefined;
  let store: Tsdb;
  let scrape: Scrape | undefined;
  let app: FastifyInstance;

  const writeTargets = (groups: object[]) => {
    writeFileSync(`${file}.new`, JSON.stringify(groups));
    renameSync(`${file}.new`, file);
  };
  const askBoth = async (path: string): Promise<[ours: Answered, theirs: Answered]> => {
    const [own, other] = await Promise.all([app.inject(path), fetch(theirs!.url + path)]);
    return [own.json() as Answered, (await other.json()) as Answered];
  };
  const sameOnceSettled = async (path: string, shape: (data: never) => unknown): Promise<void> => {
    await eventually(async () => {
      const [ours, other] = await askBoth(path);
      expect(shape(ours.data as never)).toEqual(shape(other.data as never));
      return true;
    }, 40_000);
  };
  const series = (selector: string) =>
    sameOnceSettled(`/api/v1/query?query=${encodeURIComponent(selector)}`, vectorLines);

  beforeAll(async () => {
    target = await startScrapeTarget(FIRST);
    writeTargets([{ targets: [target.address, 'localhost:1'], labels: { from: 'file' } }]);
    const configs = parse(stringify(scrapeConfigs(target.address, file)));
    theirs = await startPrometheus('', [], stringify({ scrape_configs: configs }));
    store = createMemoryStore();
    scrape = await startScrape({
      configs: toScrapeConfigs(configs, 'scrape_configs', folder),
      appender: () => store.appender(),
      onCommitted: () => {},
      clock: systemClock,
      logger: { warn: () => {}, error: (...what: unknown[]) => console.error(...what) },
    });
    const engine = createEngine({ querier: () => store.querier(), clock: systemClock });
    app = fastify();
    await app.register(
      prometheusRoutes({ ...engine, querier: () => store.querier(), clock: systemClock } as never),
    );
    await app.register(targetRoutes({ pools: scrape.pools, externalHost: 'ours.example' }));
    await series('count by (job) (up)');
  });

  afterAll(async () => {
    await scrape?.close();
    await app?.close();
    await store?.close();
    await theirs?.stop();
    await target?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('stores the same series, labels and values', () => series('{__name__=~".+",__name__!~"scrape_.*"}'));

  it('reports the same of each scrape', () => series('{__name__=~"scrape_(samples_.*|series_added)"}'));

  it('reports how long each took', () => series('scrape_duration_seconds > bool 0'));

  it('tells the same of its targets', () =>
    sameOnceSettled(
      '/api/v1/targets',
      (data: { activeTargets: Record<string, unknown>[]; droppedTargets: unknown[] }) => ({
        ...data,
        droppedTargets: sorted(data.droppedTargets),
        activeTargets: sorted(
          data.activeTargets.map(({ lastScrape, lastScrapeDuration, globalUrl, lastError, ...rest }) => ({
            ...rest,
            fails: lastError !== '',
            kinds: [
              typeof lastScrape,
              typeof lastScrapeDuration,
              String(globalUrl).replace(/\/\/[^:/]*/, '//host'),
            ],
          })),
        ),
      }),
    ));

  it.each([
    'state=active',
    'state=dropped',
    'state=nonsense',
    'scrapePool=plain',
    'scrapePool=nothing&state=dropped',
  ])('chooses the same targets by %s', (parameters) =>
    sameOnceSettled(`/api/v1/targets?${parameters}`, (data: Record<string, unknown>) => ({
      active: (data.activeTargets as unknown[]).length,
      dropped: (data.droppedTargets as unknown[]).length,
      counts: data.droppedTargetCounts,
    })),
  );

  it('has the same scrape pools', () => sameOnceSettled('/api/v1/scrape_pools', (data) => data));

  it.each([
    '',
    'metric=shop_orders_total',
    'match_target={job="plain"}',
    'match_target={job=~"open.*"}&metric=shop_wait_seconds',
  ])('tells the same of the metrics of targets by "%s"', (parameters) =>
    sameOnceSettled(`/api/v1/targets/metadata?${parameters}`, sorted),
  );

  it.each(['metric=nothing', 'match_target=%7B', 'limit=x', 'limit=0'])(
    'answers metadata by %s alike',
    async (parameters) => {
      const [ours, other] = (await askBoth(`/api/v1/targets/metadata?${parameters}`)) as unknown as Record<
        string,
        unknown
      >[];
      const told = ({ status, errorType, data }: Record<string, unknown>) => [status, errorType, data];
      expect(told(ours!)).toEqual(told(other!));
    },
  );

  it('forgets at once what vanished, what failed and what was removed', async () => {
    target.answers.set('/vanishing', 'shop_stays 3\n');
    target.answers.delete('/dying');
    writeTargets([{ targets: ['localhost:1'], labels: { from: 'file' } }]);
    await eventually(async () => {
      const both = await askBoth(
        `/api/v1/query?query=${encodeURIComponent('{job=~"vanishing|dying|removed",__name__!~"scrape_.*"}')}`,
      );
      for (const { data } of both)
        expect(vectorLines(data as never)).toEqual([
          `${JSON.stringify([
            ['__name__', 'shop_stays'],
            ['instance', target.address],
            ['job', 'vanishing'],
          ])} 3`,
          `${JSON.stringify([
            ['__name__', 'up'],
            ['from', 'file'],
            ['instance', 'localhost:1'],
            ['job', 'removed'],
          ])} 0`,
          `${JSON.stringify([
            ['__name__', 'up'],
            ['instance', target.address],
            ['job', 'dying'],
          ])} 0`,
          `${JSON.stringify([
            ['__name__', 'up'],
            ['instance', target.address],
            ['job', 'vanishing'],
          ])} 1`,
        ]);
      return true;
    }, 40_000);
  });

  it('keeps the last good targets of a file that is broken', async () => {
    writeFileSync(file, '[{"targets": [');

    await series('up{job="removed"}');
    expect(
      scrape!
        .pools()
        .find(({ jobName }) => jobName === 'removed')!
        .active(),
    ).toHaveLength(1);
  });
});

interface Vector {
  readonly result: readonly {
    readonly metric: Record<string, string>;
    readonly value: readonly [number, string];
  }[];
}

const vectorLines = (data: Vector) =>
  data.result
    .map(({ metric, value }) => `${JSON.stringify(Object.entries(metric).sort())} ${value[1]}`)
    .sort();
const sorted = (items: unknown[]) =>
  items
    .map((item) =>
      JSON.stringify(item, (_key, value) =>
        isPlain(value) ? Object.fromEntries(Object.entries(value).sort()) : value,
      ),
    )
    .sort();
const isPlain = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
