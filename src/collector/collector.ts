import { join } from 'node:path';
import type { Tracer } from '@opentelemetry/api';
import type { FastifyBaseLogger } from 'fastify';
import { createHttpServer, type HttpServer } from '../http/server.ts';
import { createTokenCheck } from '../http/token.ts';
import type { Clock } from '../util/clock.ts';
import { isCodedError } from '../util/coded-error.ts';
import { createOtlpGrpcServer } from '../wire/otlp/grpc-server.ts';
import { createOtlpHttpHandler } from '../wire/otlp/http-handler.ts';
import { createOtlpReceiver, type OtlpReceiver } from '../wire/otlp/receiver.ts';
import { withCause } from './alert-cause.ts';
import { createNotifier } from './alerting/notifier.ts';
import { terminalReceiver } from './alerting/receivers/terminal.ts';
import { webhookReceiver } from './alerting/receivers/webhook.ts';
import { consoleRoutes } from './api/console.ts';
import { dashboardRoutes, readDashboards } from './api/dashboards.ts';
import { eventRoutes } from './api/events.ts';
import { otlpRoutes } from './api/otlp.ts';
import { podRoutes, type ReadLogs } from './api/pods.ts';
import { prometheusRoutes } from './api/prometheus.ts';
import { ruleRoutes } from './api/rules.ts';
import { runbookRoutes } from './api/runbooks.ts';
import { selfMetricsRoutes } from './api/self-metrics.ts';
import { createEngine } from './promql/engine.ts';
import { loadRuleFiles } from './rule-files.ts';
import { createRuleManager, type RuleManager } from './rules/manager.ts';
import { createRunbooks } from './runbooks/runbooks.ts';
import { readTemplates } from './runbooks/templates.ts';
import { createSelfMetrics } from './self-metrics.ts';
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
  readonly retention: { readonly timeMs: number; readonly bytes: number };
  readonly ruleFiles: readonly string[];
  readonly webhooks: readonly { readonly url: string; readonly sendResolved: boolean }[];
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
    });
    open.push(store);
    const engine = createEngine({ querier: () => store.querier(), clock });
    const notifier = createNotifier({
      receivers: [
        ...(options.tellTerminal ? [terminalReceiver(options.say)] : []),
        ...options.webhooks.map((webhook) => webhookReceiver({ ...webhook, clock })),
      ],
      keyValue: store.keyValue,
      clock,
      externalUrl: options.externalUrl,
    });
    open.push({ close: () => notifier.stop() });
    const rules = createRuleManager({
      groups,
      query: engine.query,
      appender: () => store.appender(),
      keyValue: store.keyValue,
      clock,
      notify: (alerts) => notifier.notify(alerts.map((alert) => withCause(alert, store.events))),
      externalLabels: [],
      externalUrl: options.externalUrl,
      evaluationIntervalMs: options.evaluationIntervalMs,
    });
    receiver = createOtlpReceiver({
      store,
      clock,
      onCommitted: ({ metricNames }) => rules.wake(metricNames),
    });
    open.push(...(await openOtlp(options, receiver)));
    const server = await openPage(options, { store, engine, rules, receiver });
    open.push(server);
    url = await server.listen();
    open.push({ close: () => rules.stop() });
    await rules.start();
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

interface Parts {
  readonly store: Tsdb;
  readonly engine: ReturnType<typeof createEngine>;
  readonly rules: RuleManager;
  readonly receiver: OtlpReceiver;
}

async function openPage(
  options: CollectorOptions,
  { store, engine, rules, receiver }: Parts,
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
  });
  const { app } = server;
  const log = store.events;
  const registry = createSelfMetrics({
    version,
    store: () => store.stats(),
    receiver: () => receiver.stats(),
    ruleGroups: () => rules.groups(),
  });
  await app.register(
    prometheusRoutes({
      query: engine.query,
      queryRange: engine.queryRange,
      querier: () => store.querier(),
      clock,
    }),
  );
  await app.register(ruleRoutes(rules));
  await app.register(podRoutes({ log, logs: options.logs }));
  await app.register(eventRoutes({ log, clock }));
  const runbooks = createRunbooks({ templates: readTemplates(assets.runbooks) });
  await app.register(runbookRoutes({ runbooks, log, alerts: () => activeAlerts(rules) }));
  await app.register(dashboardRoutes(readDashboards(assets.dashboards)));
  await app.register(selfMetricsRoutes(registry));
  await app.register(consoleRoutes({ log, folder: assets.console, version, clock }));
  return server;
}

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
): Promise<{ close(): Promise<void> }[]> {
  const { token } = options;
  const authorize = token === undefined ? undefined : createTokenCheck(token);
  const opened: { close(): Promise<void> }[] = [];
  const doors = [
    () => createOtlpGrpcServer({ ...options.otlpGrpc, receiver, ...(authorize && { authorize }) }),
    async () => {
      const server = await createHttpServer({
        name: 'OTLP receiver',
        listen: options.otlpHttp,
        token,
        logger: options.logger,
      });
      await server.app.register(otlpRoutes(createOtlpHttpHandler(receiver), receiver.limits.bodyBytes));
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
