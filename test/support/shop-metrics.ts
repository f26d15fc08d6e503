import type { FastifyPluginAsync } from 'fastify';
import { prometheusRoutes } from '../../src/collector/api/prometheus.ts';
import { createEngine } from '../../src/collector/promql/engine.ts';
import type { Querier } from '../../src/collector/storage/storage.ts';
import { systemClock } from '../../src/util/clock.ts';
import { shopAlerts } from './shop-prometheus.ts';

/** The real query API over a store, beside the shop's alerts and the rule of one of them. */
export function shopMetrics(querier: Querier): FastifyPluginAsync {
  return async (app) => {
    const engine = createEngine({ querier: () => querier, clock: systemClock });
    await app.register(
      prometheusRoutes({
        query: engine.query,
        queryRange: engine.queryRange,
        querier: () => querier,
        clock: systemClock,
      }),
    );
    app.get('/api/v1/alerts', async () => ({ status: 'success', data: { alerts: shopAlerts(Date.now()) } }));
    app.get('/api/v1/rules', async () => ({
      status: 'success',
      data: {
        groups: [{ rules: [{ name: 'PodNotReady', query: 'pod_ready < 2', labels: { severity: 'page' } }] }],
      },
    }));
  };
}
