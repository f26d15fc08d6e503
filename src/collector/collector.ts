import { join } from 'node:path';
import type { Tracer } from '@opentelemetry/api';
import type { FastifyBaseLogger } from 'fastify';
import { createHttpServer, type HttpServer } from '../http/server.ts';
import { createTokenCheck } from '../http/token.ts';
import type { JournalState } from '../journal/trouble.ts';
import type { Clock } from '../util/clock.ts';
import { isCodedError } from '../util/coded-error.ts';
import { tracedBy } from '../util/traced.ts';
import { createOtlpGrpcServer } from '../wire/otlp/grpc-server.ts';
import { createOtlpHttpHandler } from '../wire/otlp/http-handler.ts';
import { createOtlpReceiver, type OtlpReceiver } from '../wire/otlp/receiver.ts';
import { createRemoteWriteClient, type RemoteWriteEndpoint } from '../wire/prometheus/remote-write-client.ts';
import {
  createRemoteWriteReceiver,
  type RemoteWriteReceiver,
} from '../wire/prometheus/remote-write-receiver.ts';
import { type Admissions, createAdmissions } from './admissions.ts';
import { withCause, withIncident } from './alert-cause.ts';
import { createNotifier } from './alerting/notifier.ts';
import { terminalReceiver } from './alerting/receivers/terminal.ts';
import { webhookReceiver } from './alerting/receivers/webhook.ts';
import { tracedReceiver } from './alerting/traced-receiver.ts';
import { consoleRoutes } from './api/console.ts';
import { dashboardRoutes, type Prices, readDashboards } from './api/dashboards.ts';
import { eventRoutes } from './api/events.ts';
import { federationRoutes } from './api/federation.ts';
import { incidentRoutes } from './api/incidents.ts';
import { otlpRoutes } from './api/otlp.ts';
import { podRoutes, type ReadLogs } from './api/pods.ts';
import { prometheusRoutes } from './api/prometheus.ts';
import { statusRoutes } from './api/prometheus-status.ts';
import { remoteWriteRoutes } from './api/remote-write.ts';
import { ruleRoutes } from './api/rules.ts';
import { runbookRoutes } from './api/runbooks.ts';
import { selfMetricsRoutes } from './api/self-metrics.ts';
import { targetRoutes } from './api/targets.ts';
import { createIncidents, type Incidents } from './incidents/incidents.ts';
import { createEngine, type Engine } from './promql/engine.ts';
import { createQueryApi, type QueryApi, type QueryApiOptions } from './query-api/query-api.ts';
import { createDeliveryWake } from './remote-write/delivery-wake.ts';
import { type RemoteWrite, type RemoteWriteTarget, startRemoteWrite } from './remote-write/remote-write.ts';
import { loadRuleFiles } from './rule-files.ts';
import { createRuleManager, type RuleManager } from './rules/manager.ts';
import { createRunbooks } from './runbooks/runbooks.ts';
import { readTemplates } from './runbooks/templates.ts';
import type { MetadataCache } from './scrape/metric-metadata.ts';
import { type Scrape, startScrape } from './scrape/scrape.ts';
import type { ScrapeConfig } from './scrape/scrape-config.ts';
import { createSelfMetrics } from './self-metrics.ts';
import { countShadows, type ShadowCounts } from './shadow-counts.ts';
import type { Appender } from './storage/storage.ts';
import type { Retention, StoreLimits } from './tsdb/limits.ts';
import { createStore, type Tsdb } from './tsdb/store.ts';

export interface CollectorOptions {
  readonly dataDir: string;
  readonly listen: Address;
  readonly otlpGrpc: Address;
  readonly otlpHttp: Address;
  /** A taken OTLP port is announced and done without, as in one process the agent needs none; else it is an error. */
  readonly otlpOptional: boolean;
  readonly token?: string;
  readonly externalUrl: string;
  readonly evaluationIntervalMs: number;
  readonly retention: Retention;
  /** What the store takes; its own limits where left out. */
  readonly limits?: Partial<StoreLimits>;
  readonly ruleFiles: readonly string[];
  readonly webhooks: readonly { readonly url: string; readonly sendResolved: boolean }[];
  /** Who answers queries; our own store when left out. */
  readonly query?: Pick<QueryApiOptions, 'url' | 'headers'>;
  /** Who gets what is stored. */
  readonly remoteWrite: readonly (RemoteWriteEndpoint & Omit<RemoteWriteTarget, 'client'>)[];
  /** What is scraped; nothing when left out. */
  readonly scrapeConfigs?: readonly ScrapeConfig[];
  /** Prices on the executive dashboard; its own when left out. */
  readonly cost?: Prices;
  /** Alerts are told by `say` as well. */
  readonly tellTerminal: boolean;
  /** Folders of what is served: the built console, Grafana's JSON, runbook templates. */
  readonly assets: { readonly console: string; readonly dashboards: string; readonly runbooks: string };
  readonly version: string;
  readonly clock: Clock;
  readonly tracer: Tracer;
  readonly logger: FastifyBaseLogger;
  /** Live logs, where the agent is in the same process. */
  readonly logs?: ReadLogs;
  /** One line for the person who started it. */
  readonly say: (line: string) => void;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Collector {
  /** Opens the store, then the doors, then judges. Rejects with nothing left open. */
  start(): Promise<void>;
  /** For an agent in the same process; after `start`. */
  receiver(): OtlpReceiver;
  /** Where the page is; after `start`. */
  url(): string;
  /** Idempotent. */
  stop(): Promise<void>;
}

/** The half that remembers, judges and tells. */
export function createCollector(options: CollectorOptions): Collector {
  const { clock, logger } = options;
  // In the order of their making; closed the other way round.
  const open: { close(): Promise<void> | void }[] = [];
  let receiver: OtlpReceiver | undefined;
  let url = '';
  let stopping: Promise<void> | undefined;

  const stop = () => {
    stopping ??= (async () => {
      for (const part of open.splice(0).reverse()) {
        try {
          await part.close();
        } catch (error) {
          logger.error({ err: error }, 'a part of the collector could not be closed');
        }
      }
    })();
    return stopping;
  };

  const start = async () => {
    const groups = loadRuleFiles(options.ruleFiles);
    const store = createStore({
      path: join(options.dataDir, 'collector.db'),
      clock,
      retention: options.retention,
      ...(options.limits && { limits: options.limits }),
    });
    open.push(store);
    tellState(store.state(), options);
    const elsewhere = options.query && createQueryApi({ ...options.query, clock });
    const shadow = countShadows(Math.random, logger);
    const engine =
      elsewhere ?? createEngine({ querier: () => store.querier(), clock, shadow: shadow.options });
    const traced = tracedBy(options.tracer);
    const notifier = createNotifier({
      receivers: [
        ...(options.tellTerminal ? [terminalReceiver(options.say)] : []),
        ...options.webhooks.map((webhook) => webhookReceiver({ ...webhook, clock })),
      ].map((to) => tracedReceiver(to, traced)),
      keyValue: store.keyValue,
      clock,
      externalUrl: options.externalUrl,
    });
    open.push({ close: () => notifier.stop() });
    let wakeRules: RuleManager['wake'] = () => {};
    const deliveryWake = createDeliveryWake({ wake: (names) => wakeRules(names), clock });
    const remoteWrite = await startRemoteWrite({
      targets: options.remoteWrite.map((target) => ({
        ...target,
        client: createRemoteWriteClient(target, clock),
      })),
      log: store.commits,
      keyValue: store.keyValue,
      clock,
      random: Math.random,
      ...(elsewhere && { onDelivered: deliveryWake.delivered }),
    });
    // The last words should arrive today; what does not is sent after the next start.
    open.push({ close: () => remoteWrite.settled().then(remoteWrite.close) });
    if (elsewhere) options.say(`queries are answered by ${options.query!.url}`);
    if (elsewhere && options.remoteWrite.length === 0)
      options.say(
        'what rules record stays in the own store, where they do not read it: give --remote-write-url too',
      );
    const incidents = createIncidents({
      keyValue: store.keyValue,
      events: store.events,
      query: engine.query,
      appender: () => store.appender(),
      clock,
      onError: (error) => logger.error({ err: error }, 'incidents could not be kept; trying again'),
    });
    let ready = false;
    const rules = createRuleManager({
      groups,
      query: engine.query,
      appender: () => (elsewhere ? readableOnceCommitted(store, remoteWrite) : store.appender()),
      keyValue: store.keyValue,
      clock,
      notify: (alerts) => {
        // Before all groups have been evaluated once, an alert that is missing is not over.
        if (ready) incidents.observe(activeAlerts(rules));
        notifier.notify(
          alerts.map((alert) => withIncident(withCause(alert, store.events), incidents.of(alert))),
        );
      },
      traced,
      externalLabels: [],
      externalUrl: options.externalUrl,
      evaluationIntervalMs: options.evaluationIntervalMs,
    });
    wakeRules = rules.wake;
    // Elsewhere, what was committed here can be read once it is delivered there.
    const onCommitted = ({ metricNames }: { readonly metricNames: ReadonlySet<string> }) => {
      if (elsewhere) deliveryWake.committed(metricNames);
      else rules.wake(metricNames);
    };
    receiver = createOtlpReceiver({ store, clock, onCommitted });
    const writeReceiver = createRemoteWriteReceiver({ store, clock, onCommitted });
    const admissions = createAdmissions(clock);
    const scrape = await startScrape({
      configs: options.scrapeConfigs ?? [],
      appender: () => store.appender(),
      onCommitted,
      clock,
      logger,
    });
    open.push(scrape);
    open.push(...(await openOtlp(options, receiver, admissions)));
    const server = await openPage(options, {
      store,
      engine,
      shadow: shadow.counts,
      rules,
      receiver,
      elsewhere,
      remoteWrite,
      writeReceiver,
      scrape,
      admissions,
      incidents,
    });
    open.push(server);
    url = await server.listen();
    open.push({ close: () => rules.stop().then(incidents.settled) });
    await rules.start();
    ready = true;
    incidents.observe(activeAlerts(rules));
    logger.info({ url, groups: groups.length }, 'collector is ready');
  };

  return {
    async start() {
      try {
        await start();
      } catch (error) {
        await stop();
        throw error;
      }
    },
    receiver() {
      if (!receiver) throw new Error('the collector has not been started');
      return receiver;
    },
    url: () => url,
    stop,
  };
}

/** What is wrong with the file when it is opened is said at once, not only at `/-/ready`. */
function tellState(state: JournalState, { say, logger }: CollectorOptions): void {
  const troubles = [state.damage, state.kind === 'failed' ? state.message : undefined];
  for (const trouble of troubles) {
    if (trouble === undefined) continue;
    say(trouble);
    logger.error({ code: state.kind === 'failed' ? state.code : 'JOURNAL_SALVAGED' }, trouble);
  }
}

interface Parts {
  readonly store: Tsdb;
  readonly engine: Engine;
  readonly shadow: ShadowCounts;
  readonly rules: RuleManager;
  readonly receiver: OtlpReceiver;
  readonly elsewhere: QueryApi | undefined;
  readonly remoteWrite: RemoteWrite;
  readonly writeReceiver: RemoteWriteReceiver;
  readonly scrape: Scrape;
  readonly admissions: Admissions;
  readonly incidents: Incidents;
}

async function openPage(
  options: CollectorOptions,
  {
    store,
    engine,
    shadow,
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
    statusRoutes({ ...options, querier: () => store.querier(), stats: () => store.stats() }),
  );
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

/** An appender whose commit also waits until a rule can read it from the server that answers queries. */
function readableOnceCommitted(store: Tsdb, remoteWrite: RemoteWrite): Appender {
  const appender = store.appender();
  return {
    ...appender,
    async commit() {
      const committed = await appender.commit();
      await remoteWrite.settled();
      return committed;
    },
  };
}

const metadataOf = ({ metadata }: { readonly metadata: Pick<MetadataCache, 'all'> }) => [...metadata.all()];

const activeAlerts = (rules: RuleManager) =>
  rules
    .groups()
    .flatMap((group) =>
      group.rules.flatMap((rule) => rule.alerts.filter((alert) => alert.state !== 'resolved')),
    );

/** Both doors for OTLP, or those that could be had. */
async function openOtlp(
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
