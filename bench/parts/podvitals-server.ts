import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { createAdmissions } from '../../src/collector/admissions.ts';
import { otlpRoutes } from '../../src/collector/api/otlp.ts';
import { prometheusRoutes } from '../../src/collector/api/prometheus.ts';
import { remoteWriteRoutes } from '../../src/collector/api/remote-write.ts';
import { createEngine } from '../../src/collector/promql/engine.ts';
import { startScrape } from '../../src/collector/scrape/scrape.ts';
import { createStore } from '../../src/collector/tsdb/store.ts';
import { toScrapeConfigs } from '../../src/config/scrape-configs.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { systemClock } from '../../src/util/clock.ts';
import { createOtlpHttpHandler } from '../../src/wire/otlp/http-handler.ts';
import { createOtlpReceiver } from '../../src/wire/otlp/receiver.ts';
import { createRemoteWriteReceiver } from '../../src/wire/prometheus/remote-write-receiver.ts';

/** The store, the engine and the Prometheus API as the collector composes them: `podvitals-server.ts FILE PORT [SCRAPES]`. */
const [path, port, scrapes] = process.argv.slice(2) as [string, string, string?];
const clock = systemClock;
const retention = { timeMs: 60 * 86_400_000, bytes: 2 ** 40 };
const store = createStore({ path, clock, retention, limits: { activeSeries: 1_000_000 } });
const engine = createEngine({ querier: () => store.querier(), clock });
const server = await createHttpServer({
  name: 'bench',
  listen: { host: '127.0.0.1', port: Number(port) },
  clock,
});
await server.app.register(
  prometheusRoutes({
    query: engine.query,
    queryRange: engine.queryRange,
    querier: () => store.querier(),
    clock,
  }),
);
await server.app.register(
  remoteWriteRoutes(createRemoteWriteReceiver({ store, clock }), createAdmissions(clock).remote_write),
);
const receiver = createOtlpReceiver({ store, clock });
const { otlp_http } = createAdmissions(clock);
await server.app.register(otlpRoutes(createOtlpHttpHandler(receiver), receiver.limits.bodyBytes, otlp_http));
const { scrape_configs } =
  scrapes === undefined ? { scrape_configs: [] } : parse(readFileSync(scrapes, 'utf8'));
const scrape = await startScrape({
  configs: toScrapeConfigs(scrape_configs, 'scrape_configs', '/'),
  appender: () => store.appender(),
  onCommitted: () => {},
  clock,
  logger: { warn: console.warn, error: console.error },
});
await server.listen();
process.once('SIGTERM', async () => {
  await scrape.close();
  await server.close();
  await store.close();
  process.exit(0);
});
