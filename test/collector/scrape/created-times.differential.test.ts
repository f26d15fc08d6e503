import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { createEngine } from '../../../src/collector/promql/engine.ts';
import { type Scrape, startScrape } from '../../../src/collector/scrape/scrape.ts';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import type { Tsdb } from '../../../src/collector/tsdb/store.ts';
import { toScrapeConfigs } from '../../../src/config/scrape-configs.ts';
import { listOf } from '../../../src/model/sample.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { missing } from '../../support/parts.ts';
import { type RealPrometheus, startPrometheus } from '../../support/prometheus.ts';
import { type ScrapeTarget, startScrapeTarget } from '../../support/scrape-target.ts';

const began = Date.now();
const at = (secondsAgo: number) => (began / 1000 - secondsAgo).toFixed(3);

const exposition = (total: number, createdAt: string) => `# TYPE shop_paid counter
shop_paid_total{payment="card"} ${total}
shop_paid_created{payment="card"} ${createdAt}
shop_paid_total{payment="cash"} 3
# TYPE shop_old counter
shop_old_total 5
shop_old_created ${at(3 * 3600)}
# TYPE shop_future counter
shop_future_total 5
shop_future_created ${at(-3600)}
# TYPE shop_wait_seconds histogram
shop_wait_seconds_bucket{le="1.0"} 2
shop_wait_seconds_bucket{le="+Inf"} 2
shop_wait_seconds_count 2
shop_wait_seconds_sum 1.5
shop_wait_seconds_created ${at(40)}
# TYPE shop_size summary
shop_size{quantile="0.5"} 7
shop_size_count 9
shop_size_sum 11
shop_size_created ${at(50)}
# TYPE shop_level gauge
shop_level 1
# TYPE shop_level_created gauge
shop_level_created ${at(60)}
# EOF
`;

/** `name{labels}: when it was 0`, of all series of the target. */
const SERIES = '{__name__=~"shop_.*"}[10m]';

describe.skipIf(missing('prometheus'))('created-timestamp-zero-ingestion', () => {
  let target: ScrapeTarget;
  let theirs: RealPrometheus | undefined;
  let store: Tsdb;
  let scrape: Scrape | undefined;

  beforeAll(async () => {
    target = await startScrapeTarget({ '/metrics': exposition(21, at(30)) });
    const configs = parse(
      stringify([
        { job_name: 'shop', scrape_interval: '1s', static_configs: [{ targets: [target.address] }] },
      ]),
    );
    theirs = await startPrometheus(
      '',
      ['--enable-feature=created-timestamp-zero-ingestion'],
      stringify({ scrape_configs: configs }),
    );
    store = createMemoryStore();
    scrape = await startScrape({
      configs: toScrapeConfigs(configs, 'scrape_configs', '/', { zeroAtCreation: true }),
      appender: () => store.appender(),
      onCommitted: () => {},
      clock: systemClock,
      logger: { warn: () => {}, error: (...what: unknown[]) => console.error(...what) },
    });
  });
  afterAll(async () => {
    await scrape?.close();
    await store?.close();
    await theirs?.stop();
    await target?.close();
  });

  async function zeros(): Promise<{ ours: string[]; theirs: string[] }> {
    const engine = createEngine({ querier: () => store.querier(), clock: systemClock });
    const { value } = await engine.query(SERIES, Date.now());
    const own = (value.type === 'matrix' ? value.series : []).map(({ labels, samples }) =>
      lineOf(
        labels,
        listOf(samples)
          .filter(({ v }) => v === 0)
          .map(({ t }) => t),
      ),
    );
    const { data } = (await theirs!.get('/api/v1/query', { query: SERIES })) as {
      data: { result: { metric: Record<string, string>; values: [number, string][] }[] };
    };
    const other = data.result.map(({ metric, values }) =>
      lineOf(
        Object.entries(metric),
        values.filter(([, v]) => v === '0').map(([t]) => Math.round(t * 1000)),
      ),
    );
    return { ours: own.sort(), theirs: other.sort() };
  }

  it('gives a counter a 0 where it began, as Prometheus does with that flag', async () => {
    await eventually(async () => {
      const both = await zeros();
      expect(both.ours).toEqual(both.theirs);
      const card = both.ours.find((line) => line.includes('shop_paid_total') && line.includes('card'));
      expect(card).toMatch(new RegExp(`: ${Math.trunc(Number(at(30)) * 1000)}$`));
      expect(both.ours.filter((line) => !line.endsWith(': ')).length).toBe(8);
      return true;
    });
  });

  it('and again where it began anew', async () => {
    const restarted = (Date.now() / 1000).toFixed(3);
    target.answers.set('/metrics', exposition(2, restarted));
    await eventually(async () => {
      const both = await zeros();
      expect(both.ours).toEqual(both.theirs);
      const card = both.ours.find((line) => line.includes('shop_paid_total') && line.includes('card'));
      expect(card).toContain(`,${Math.trunc(Number(restarted) * 1000)}`);
      return true;
    });
  });
});

const lineOf = (labels: readonly (readonly [string, string])[], times: number[]) =>
  `${[...labels]
    .sort()
    .map(([name, value]) => `${name}=${value}`)
    .join(',')}: ${times.join()}`;
