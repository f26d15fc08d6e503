import { afterEach, describe, expect, it } from 'vitest';
import { startScrape } from '../../../src/collector/scrape/scrape.ts';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import { toScrapeConfigs } from '../../../src/config/scrape-configs.ts';
import { listOf } from '../../../src/model/sample.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { OPEN_METRICS_TYPE, startScrapeTarget } from '../../support/scrape-target.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.close();
});

const exposition = (total: number, createdMs: number) =>
  `# TYPE shop_paid counter\nshop_paid_total ${total}\nshop_paid_created ${(createdMs / 1000).toFixed(3)}\n# EOF\n`;

describe('a counter that began', () => {
  it('while it was scraped gets its 0 with the next scrape', async () => {
    let restartedMs: number | undefined;
    let scrapes = 0;
    const target = await startScrapeTarget({
      '/metrics'(_request, response) {
        scrapes += 1;
        // Later than the time of the scrape, which is when it was begun.
        if (scrapes === 2) restartedMs = Date.now() + 1;
        const text = scrapes === 1 ? exposition(7, Date.now() - 10_000) : exposition(2, restartedMs!);
        response.writeHead(200, { 'content-type': OPEN_METRICS_TYPE }).end(text);
      },
    });
    open.push(target);
    const store = createMemoryStore();
    open.push(store);
    const configs = [
      { job_name: 'shop', scrape_interval: '1s', static_configs: [{ targets: [target.address] }] },
    ];
    const scrape = await startScrape({
      configs: toScrapeConfigs(configs, 'scrape_configs', '/', { zeroAtCreation: true }),
      appender: () => store.appender(),
      onCommitted: () => {},
      clock: systemClock,
      logger: { warn: () => {}, error: (...what: unknown[]) => console.error(...what) },
    });
    open.push(scrape);
    await eventually(() => {
      const matchers = [{ name: '__name__', op: '=', value: 'shop_paid_total' } as const];
      const [series] = store.querier().select(matchers, 0, Number.MAX_SAFE_INTEGER);
      const zeros = listOf(series!.samples(0, Number.MAX_SAFE_INTEGER)).filter(({ v }) => v === 0);
      expect(zeros.map(({ t }) => t)).toContain(restartedMs);
      return true;
    }, 60_000);
  }, 90_000);
});
