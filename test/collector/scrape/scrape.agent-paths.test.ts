import { expect, it } from 'vitest';
import { startScrape } from '../../../src/collector/scrape/scrape.ts';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import { scrapeConfigSchema, toScrapeConfigs } from '../../../src/config/scrape-configs.ts';
import { labelsKey, labelValue, METRIC_NAME } from '../../../src/model/labels.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { samplesOf, toSeriesLabels } from '../../../src/wire/catalogue/series.ts';
import type { Signal } from '../../../src/wire/catalogue/signal.ts';
import { expose } from '../../../src/wire/prometheus/text.ts';
import { eventually } from '../../support/eventually.ts';
import { startScrapeTarget } from '../../support/scrape-target.ts';
import { onePointEach } from '../../wire/prometheus/one-point-each.ts';

const PATHS: Readonly<Record<Signal['path'], string>> = {
  'kube-state-metrics': '/metrics/kube-state-metrics',
  cadvisor: '/metrics/cadvisor',
  kubelet: '/metrics',
};
const JOBS = Object.entries(PATHS) as [Signal['path'], string][];

it("stores of the agent's three paths exactly what arrives of the same points by OTLP", async () => {
  const target = await startScrapeTarget(
    Object.fromEntries(
      JOBS.map(([job, path]) => [
        path,
        (request, response) => {
          const { contentType, body } = expose(onePointEach(), job, request.headers.accept ?? '');
          response.writeHead(200, { 'content-type': contentType }).end(body);
        },
      ]),
    ),
  );
  const store = createMemoryStore();
  const given = JOBS.map(([job, path]) => ({
    job_name: job,
    metrics_path: path,
    scrape_interval: '1s',
    honor_labels: true,
    static_configs: [{ targets: [target.address] }],
  }));
  const committed = new Set<string>();
  const scrape = await startScrape({
    configs: toScrapeConfigs(scrapeConfigSchema.array().parse(given), 'scrape_configs', '/'),
    appender: () => store.appender(),
    onCommitted: ({ metricNames }) => {
      for (const name of metricNames) committed.add(name);
    },
    clock: systemClock,
    logger: { warn: () => {}, error: () => {} },
  });
  try {
    await eventually(() =>
      scrape.pools().every((pool) => pool.active().every((loop) => loop.state().health === 'up')),
    );
    const expected = onePointEach().flatMap((point) =>
      [...samplesOf(point)].map((sample) =>
        labelsKey(
          toSeriesLabels(
            point.signal,
            point.labels,
            { job: point.signal.path, instance: target.address },
            sample,
          ),
        ),
      ),
    );
    const stored = () =>
      [...store.querier().select([], 0, Number.MAX_SAFE_INTEGER)]
        .filter(({ labels }) => !/^(up|scrape_.*)$/.test(labelValue(labels, METRIC_NAME)))
        .map(({ labels }) => labelsKey(labels));
    await eventually(() => stored().length >= new Set(expected).size);
    expect(stored().sort()).toEqual([...new Set(expected)].sort());
  } finally {
    await scrape.close();
    await store.close();
    await target.close();
  }
});
