import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/collector/promql/engine.ts';
import { type Scrape, startScrape } from '../../../src/collector/scrape/scrape.ts';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import type { Tsdb } from '../../../src/collector/tsdb/store.ts';
import { scrapeConfigSchema, toScrapeConfigs } from '../../../src/config/scrape-configs.ts';
import { labelValue, METRIC_NAME } from '../../../src/model/labels.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { type Answer, type ScrapeTarget, startScrapeTarget, TEXT_TYPE } from '../../support/scrape-target.ts';

// Packed once: to pack it in every answer takes longer than a scrape may on a busy machine.
const BOMB = gzipSync(Buffer.alloc(20 * 2 ** 20, 'a'));
const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.close();
});

interface Scraped {
  readonly target: ScrapeTarget;
  readonly scrape: Scrape;
  readonly store: Tsdb;
  readonly committed: ReadonlySet<string>[];
  /** Current values by the name of the metric. */
  values(): Promise<Record<string, number>>;
  /** Waits until the first scrape from now on has failed, or not. */
  health(): Promise<{ health: string; lastError: string }>;
}

async function scraping(answer: Answer, more: object = {}): Promise<Scraped> {
  const target = await startScrapeTarget({ '/metrics': answer, '/beside': 'shop_beside 1\n' });
  open.push(target);
  const given = scrapeConfigSchema.array().parse([
    { job_name: 'target', scrape_interval: '1s', static_configs: [{ targets: [target.address] }], ...more },
    {
      job_name: 'beside',
      scrape_interval: '1s',
      metrics_path: '/beside',
      static_configs: [{ targets: [target.address] }],
    },
  ]);
  const store = createMemoryStore();
  open.push(store);
  const committed: ReadonlySet<string>[] = [];
  const scrape = await startScrape({
    configs: toScrapeConfigs(given, 'scrape_configs', '/'),
    appender: () => store.appender(),
    onCommitted: ({ metricNames }) => committed.push(metricNames),
    clock: systemClock,
    logger: { warn: () => {}, error: (...what: unknown[]) => console.error(...what) },
  });
  open.push(scrape);
  const engine = createEngine({ querier: () => store.querier(), clock: systemClock });
  return {
    target,
    scrape,
    store,
    committed,
    async values() {
      const { value } = await engine.query('{job="target"}', systemClock.now());
      if (value.type !== 'vector') throw new Error('an instant vector was expected');
      return Object.fromEntries(value.samples.map(({ labels, v }) => [labelValue(labels, METRIC_NAME), v]));
    },
    health() {
      const began = systemClock.now();
      const loop = () =>
        scrape
          .pools()
          .find(({ jobName }) => jobName === 'target')!
          .active()[0]!;
      return eventually(() => ((loop().state().lastScrapeMs ?? 0) > began ? loop().state() : undefined));
    },
  };
}

/** Headers, then a body that goes on until the other end hangs up. */
function endless(part: string, headers: Record<string, string> = {}): Answer {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': TEXT_TYPE, ...headers });
    const more = () => {
      while (!response.destroyed && response.write(part));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  };
}

const slowly = (_request: unknown, response: ServerResponse) => {
  response.writeHead(200, { 'content-type': TEXT_TYPE });
  const timer = setInterval(() => response.write('shop_drip 1\n'), 20);
  response.on('close', () => clearInterval(timer));
};

describe('a hostile target', () => {
  it.each<[string, Answer, object, string]>([
    ['never answers', () => {}, { scrape_timeout: '300ms' }, 'context deadline exceeded'],
    ['drips forever', slowly, { scrape_timeout: '300ms' }, 'context deadline exceeded'],
    [
      'never ends its body',
      endless(`${'shop_endless 1\n'.repeat(1000)}`),
      { body_size_limit: '1MB' },
      'body size limit exceeded',
    ],
    [
      'never ends a line',
      endless('x'.repeat(65_536)),
      { body_size_limit: '1MB' },
      'body size limit exceeded',
    ],
    [
      'sends a gzip bomb',
      (_request, response) =>
        void response.writeHead(200, { 'content-type': TEXT_TYPE, 'content-encoding': 'gzip' }).end(BOMB),
      { body_size_limit: '1MB' },
      'body size limit exceeded',
    ],
    [
      'lies about gzip',
      (_request, response) =>
        void response
          .writeHead(200, { 'content-type': TEXT_TYPE, 'content-encoding': 'gzip' })
          .end('shop_lie 1\n'),
      {},
      'incorrect header check',
    ],
    [
      'hangs up in the middle',
      (_request, response) => {
        response.writeHead(200, { 'content-type': TEXT_TYPE, 'content-length': '1000' });
        response.write('shop_half 1\n', () => response.destroy());
      },
      {},
      'aborted',
    ],
    [
      'redirects to itself',
      (_request, response) => void response.writeHead(302, { location: '/metrics' }).end(),
      {},
      'stopped after 10 redirects',
    ],
    [
      'redirects to a file',
      (_request, response) => void response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
      {},
      'unsupported protocol scheme "file"',
    ],
    [
      'sends a web page',
      (_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
      {},
      'no fallback_scrape_protocol',
    ],
    [
      'sends what is no UTF-8',
      (_request, response) =>
        void response.writeHead(200, { 'content-type': TEXT_TYPE }).end(Buffer.from([0x61, 0xff, 0x0a])),
      {},
      'invalid UTF-8',
    ],
    ['breaks a line in the middle', 'shop_before 1\nshop{ 2\nshop_after 3\n', {}, 'line 2: expected'],
    [
      'sends more samples than allowed',
      'shop_a 1\nshop_b 2\nshop_c 3\n',
      { sample_limit: 2 },
      'sample limit exceeded',
    ],
  ])('that %s is down, and its neighbour is not', async (_what, answer, more, message) => {
    const scraped = await scraping(answer, more);
    // On a busy machine the first scrape may be over its time before it comes to this.
    await eventually(async () => {
      const { health, lastError } = await scraped.health();
      expect(health).toBe('down');
      expect(lastError).toContain(message);
      return true;
    });
    expect(
      await eventually(async () => Object.keys(await scraped.values()).length > 0 && scraped.values()),
    ).toMatchObject({ up: 0 });
    expect(Object.keys(await scraped.values()).filter((name) => name.startsWith('shop_'))).toEqual([]);
    await eventually(() => scraped.committed.some((names) => names.has('shop_beside')));
  });

  it('leaves nothing behind: series vanish as soon as a scrape fails, and come back', async () => {
    const scraped = await scraping('shop_orders 1\nshop_paid 2\n');
    await eventually(async () => (await scraped.values()).shop_orders === 1);
    scraped.target.answers.set('/metrics', 'shop_orders 1\nshop_paid{ 2\n');
    await eventually(async () => (await scraped.values()).up === 0);
    expect(Object.keys(await scraped.values())).not.toContain('shop_orders');
    expect(Object.keys(await scraped.values())).not.toContain('shop_paid');
    scraped.target.answers.set('/metrics', 'shop_orders 3\n');
    await eventually(async () => (await scraped.values()).shop_orders === 3);
  });

  it('never gets our credentials to another place', async () => {
    const seen: (string | undefined)[] = [];
    const elsewhere = await startScrapeTarget({
      '/metrics': (request, response) => {
        seen.push(request.headers.authorization);
        response.writeHead(200, { 'content-type': TEXT_TYPE }).end('shop_elsewhere 1\n');
      },
    });
    open.push(elsewhere);
    const scraped = await scraping(
      (_request, response) =>
        void response.writeHead(307, { location: `http://${elsewhere.address}/metrics` }).end(),
      { authorization: { credentials: 'secret' } },
    );
    await eventually(async () => (await scraped.values()).shop_elsewhere === 1);
    expect(seen.every((header) => header === undefined)).toBe(true);
  });
});

describe('what a scrape stores', () => {
  it('is one commit, of which whoever waits for those series is told', async () => {
    const scraped = await scraping('shop_orders 1\nshop_paid 2\n');
    const names = await eventually(() => scraped.committed.find((one) => one.has('shop_orders')));
    expect([...names].sort()).toEqual([
      'scrape_duration_seconds',
      'scrape_samples_post_metric_relabeling',
      'scrape_samples_scraped',
      'scrape_series_added',
      'shop_orders',
      'shop_paid',
      'up',
    ]);
  });

  it('keeps times that are exposed, unless they are not to be honoured', async () => {
    const old = systemClock.now() - 100_000;
    const times = async (more: object) => {
      const { store } = await scraping(`shop_orders 1 ${old}\n`, more);
      const matchers = [{ name: '__name__', op: '=', value: 'shop_orders' } as const];
      return eventually(() => {
        const [series] = store.querier().select(matchers, 0, Number.MAX_SAFE_INTEGER);
        return series?.samples(0, Number.MAX_SAFE_INTEGER).t[0];
      });
    };
    expect(await times({})).toBe(old);
    expect(await times({ honor_timestamps: false })).toBeGreaterThan(old);
  });
});

describe('a file of targets', () => {
  it('is read again when it changes, and keeps its last good targets when it is broken', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'podvitals-file-sd-'));
    open.push({ close: () => rmSync(folder, { recursive: true, force: true }) });
    const file = join(folder, 'shop.yaml');
    writeFileSync(file, '- targets: [one:1]\n  labels: {team: shop}\n');
    const scraped = await scraping('shop_orders 1\n', {
      static_configs: [],
      file_sd_configs: [{ files: [join(folder, '*.yaml')] }],
    });
    const labels = () =>
      scraped.scrape
        .pools()
        .find(({ jobName }) => jobName === 'target')!
        .active()
        .map(({ target }) => target.labels);
    const of = (instance: string) => [
      ['instance', instance],
      ['job', 'target'],
      ['team', 'shop'],
    ];
    expect(labels()).toEqual([of('one:1')]);
    writeFileSync(file, '- targets: [two:2\n');
    writeFileSync(join(folder, 'more.yaml'), '- targets: [three:3]\n  labels: {team: shop}\n');
    await eventually(() => labels().length === 2);
    expect(labels()).toEqual([of('one:1'), of('three:3')]);
    rmSync(file);
    await eventually(() => labels().length === 1);
    expect(labels()).toEqual([of('three:3')]);
  });
});
