import type { Histogram } from 'prom-client';
import { createHttpServer, type HttpServer } from '../http/server.ts';
import { createTokenCheck } from '../http/token.ts';
import { isCodedError } from '../util/coded-error.ts';
import { createOtlpGrpcServer } from '../wire/otlp/grpc-server.ts';
import { createOtlpHttpHandler } from '../wire/otlp/http-handler.ts';
import type { OtlpReceiver } from '../wire/otlp/receiver.ts';
import type { RemoteWriteReceiver } from '../wire/prometheus/remote-write-receiver.ts';
import type { Admissions } from './admissions.ts';
import { consoleRoutes } from './api/console.ts';
import { dashboardRoutes, readDashboards } from './api/dashboards.ts';
import { eventRoutes } from './api/events.ts';
import { federationRoutes } from './api/federation.ts';
import { incidentRoutes } from './api/incidents.ts';
import { otlpRoutes } from './api/otlp.ts';
import { podRoutes } from './api/pods.ts';
import { prometheusRoutes } from './api/prometheus.ts';
import { absentRoutes } from './api/prometheus-absent.ts';
import { statusRoutes } from './api/prometheus-status.ts';
import { remoteWriteRoutes } from './api/remote-write.ts';
import { ruleRoutes } from './api/rules.ts';
import { runbookRoutes } from './api/runbooks.ts';
import { selfMetricsRoutes } from './api/self-metrics.ts';
import { targetRoutes } from './api/targets.ts';
import type { CollectorOptions } from './collector-options.ts';
import type { Incidents } from './incidents/incidents.ts';
import type { Engine } from './promql/engine.ts';
import type { QueryApi } from './query-api/query-api.ts';
import type { RemoteWrite } from './remote-write/remote-write.ts';
import type { RuleManager } from './rules/manager.ts';
import { createRunbooks } from './runbooks/runbooks.ts';
import { readTemplates } from './runbooks/templates.ts';
import type { MetadataCache } from './scrape/metric-metadata.ts';
import type { Scrape } from './scrape/scrape.ts';
import { createSelfMetrics } from './self-metrics.ts';
import type { ShadowCounts } from './shadow-counts.ts';
import type { Tsdb } from './tsdb/store.ts';

/** What is behind them. */
export interface Parts {
  readonly store: Tsdb;
  readonly engine: Engine;
  readonly shadow: ShadowCounts;
  readonly turns: Histogram;
  readonly rules: RuleManager;
  readonly receiver: OtlpReceiver;
  readonly elsewhere: QueryApi | undefined;
  readonly remoteWrite: RemoteWrite;
  readonly writeReceiver: RemoteWriteReceiver;
  readonly scrape: Scrape;
  readonly admissions: Admissions;
  readonly incidents: Incidents;
}

/** The page, and every API beside it; not yet listening. */
export async function openPage(
  options: CollectorOptions,
  {
    store,
    engine,
    shadow,
    turns,
    rules,
    receiver,
    elsewhere,
    remoteWrite,
    writeReceiver,
    scrape,
    admissions,
    incidents,
  }: Parts,
): Promise<HttpServer> {
  const { clock, assets, version } = options;
  const server = await createHttpServer({
    name: 'collector',
    listen: options.listen,
    token: options.token,
    logger: options.logger,
    clock,
    allowedHosts: [new URL(options.externalUrl).hostname],
    notReady: () => {
      const state = store.state();
      return state.kind === 'ok' ? null : state.message;
    },
    concerns: () => store.concerns(),
  });
  const { app } = server;
  const log = store.events;
  const registry = createSelfMetrics({
    version,
    store: () => store.stats(),
    receiver: () => receiver.stats(),
    remoteWrite: () => remoteWrite.stats(),
    writeReceiver: () => writeReceiver.stats(),
    ruleGroups: () => rules.groups(),
    shadow,
    turns,
    scrape: () => scrape.stats(),
    admissions: () =>
      Object.entries(admissions).map(([door, admission]) => [door, admission.stats()] as const),
  });
  await app.register(
    prometheusRoutes({
      query: engine.query,
      queryRange: engine.queryRange,
      querier: () => store.querier(),
      ...(elsewhere && { elsewhere: elsewhere.ask }),
      scrapedMetadata: () => scrape.pools().flatMap((pool) => [...pool.active()].flatMap(metadataOf)),
      clock,
    }),
  );
  await app.register(
    statusRoutes({
      ...options,
      querier: () => store.querier(),
      stats: () => store.stats(),
      timeBounds: () => store.timeBounds(),
    }),
  );
  await app.register(absentRoutes());
  await app.register(federationRoutes({ querier: () => store.querier(), clock }));
  await app.register(remoteWriteRoutes(writeReceiver, admissions.remote_write));
  await app.register(ruleRoutes(rules));
  await app.register(
    targetRoutes({ pools: scrape.pools, externalHost: new URL(options.externalUrl).hostname }),
  );
  await app.register(podRoutes({ log, logs: options.logs }));
  await app.register(eventRoutes({ log, clock }));
  const templates = readTemplates(assets.runbooks);
  await app.register(incidentRoutes({ incidents, log, templates, clock }));
  const runbooks = createRunbooks({ templates });
  await app.register(
    runbookRoutes({ runbooks, log, alerts: () => activeAlerts(rules), query: engine.query, clock }),
  );
  await app.register(dashboardRoutes(readDashboards(assets.dashboards, options.cost)));
  await app.register(selfMetricsRoutes(registry));
  await app.register(consoleRoutes({ log, folder: assets.console, version, clock }));
  return server;
}

const metadataOf = ({ metadata }: { readonly metadata: Pick<MetadataCache, 'all'> }) => [...metadata.all()];

/** Of all rules, those that are pending or firing. */
export const activeAlerts = (rules: RuleManager) =>
  rules
    .groups()
    .flatMap((group) =>
      group.rules.flatMap((rule) => rule.alerts.filter((alert) => alert.state !== 'resolved')),
    );

/** Both doors for OTLP, or those that could be had. */
export async function openOtlp(
  options: CollectorOptions,
  receiver: OtlpReceiver,
  admissions: Admissions,
): Promise<{ close(): Promise<void> }[]> {
  const { token } = options;
  const authorize = token === undefined ? undefined : createTokenCheck(token);
  const opened: { close(): Promise<void> }[] = [];
  const doors = [
    () =>
      createOtlpGrpcServer({
        ...options.otlpGrpc,
        receiver,
        admission: admissions.otlp_grpc,
        ...(authorize && { authorize }),
      }),
    async () => {
      const server = await createHttpServer({
        name: 'OTLP receiver',
        listen: options.otlpHttp,
        token,
        logger: options.logger,
      });
      await server.app.register(
        otlpRoutes(createOtlpHttpHandler(receiver), receiver.limits.bodyBytes, admissions.otlp_http),
      );
      await server.listen();
      return server;
    },
  ];
  for (const openDoor of doors) {
    try {
      opened.push(await openDoor());
    } catch (error) {
      const taken = isCodedError(error) && ['OTLP_ADDRESS_TAKEN', 'HTTP_PORT_TAKEN'].includes(error.code);
      if (!taken || !options.otlpOptional) {
        for (const door of opened) await door.close();
        throw error;
      }
      options.say(`${error.message}; going on without it`);
    }
  }
  return opened;
}
