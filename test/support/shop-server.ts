import { join, resolve } from 'node:path';
import type { FastifyPluginAsync } from 'fastify';
import { consoleRoutes } from '../../src/collector/api/console.ts';
import { dashboardRoutes, readDashboards } from '../../src/collector/api/dashboards.ts';
import { eventRoutes } from '../../src/collector/api/events.ts';
import { incidentRoutes } from '../../src/collector/api/incidents.ts';
import { podRoutes } from '../../src/collector/api/pods.ts';
import { runbookRoutes } from '../../src/collector/api/runbooks.ts';
import { createRunbooks } from '../../src/collector/runbooks/runbooks.ts';
import { readTemplates } from '../../src/collector/runbooks/templates.ts';
import type { EventLog } from '../../src/collector/storage/storage.ts';
import { createHttpServer, type HttpServer } from '../../src/http/server.ts';
import type { AgentRecord } from '../../src/model/record.ts';
import { systemClock } from '../../src/util/clock.ts';
import { createMemoryEventLog } from './memory-event-log.ts';
import { shopIncidents } from './shop-incidents.ts';
import { shopPrometheus } from './shop-prometheus.ts';
import { shopRecords } from './shop-records.ts';

const root = resolve(import.meta.dirname, '../..');

/** The real routes and the built console over records of the shop; answers with its address and its log. */
export async function startShopServer({
  port = 0,
  records,
  folder = join(root, 'build', 'console'),
  prometheus = shopPrometheus(Date.now),
}: {
  port?: number;
  records?: readonly AgentRecord[];
  folder?: string;
  /** Who answers queries, alerts and rules. */
  prometheus?: FastifyPluginAsync;
} = {}): Promise<{
  readonly url: string;
  readonly log: EventLog;
  readonly server: HttpServer;
}> {
  const log = createMemoryEventLog();
  await log.append(records ?? shopRecords(Date.now()));
  const server = await createHttpServer({ name: 'collector', listen: { host: '127.0.0.1', port } });
  server.app.register(podRoutes({ log }));
  server.app.register(eventRoutes({ log }));
  const incidents = shopIncidents(Date.now());
  server.app.register(
    incidentRoutes({
      incidents: { all: () => incidents, get: (id) => incidents.find((one) => one.id === id) },
      log,
      templates: readTemplates(),
      clock: systemClock,
    }),
  );
  server.app.register(dashboardRoutes(readDashboards(join(root, 'dashboards'))));
  server.app.register(
    runbookRoutes({ runbooks: createRunbooks({ templates: readTemplates() }), log, alerts: () => [] }),
  );
  server.app.register(consoleRoutes({ log, folder, version: '0.1.0' }));
  server.app.register(prometheus);
  return { url: await server.listen(), log, server };
}

// node test/support/shop-server.ts [PORT]: to look at the console while writing it.
if (process.argv[1] === import.meta.filename) {
  const { url } = await startShopServer({ port: Number(process.argv[2] ?? 7700) });
  process.stdout.write(`${url}\n`);
}
