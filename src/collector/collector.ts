import { join } from 'node:path';
import type { JournalState } from '../journal/trouble.ts';
import { tracedBy } from '../util/traced.ts';
import { createOtlpReceiver, type OtlpReceiver } from '../wire/otlp/receiver.ts';
import { createRemoteWriteClient } from '../wire/prometheus/remote-write-client.ts';
import { createRemoteWriteReceiver } from '../wire/prometheus/remote-write-receiver.ts';
import { createAdmissions } from './admissions.ts';
import { withCause, withIncident } from './alert-cause.ts';
import { createNotifier } from './alerting/notifier.ts';
import { terminalReceiver } from './alerting/receivers/terminal.ts';
import { webhookReceiver } from './alerting/receivers/webhook.ts';
import { tracedReceiver } from './alerting/traced-receiver.ts';
import type { CollectorOptions } from './collector-options.ts';
import { activeAlerts, openOtlp, openPage } from './doors.ts';
import { createIncidents } from './incidents/incidents.ts';
import { createEngine } from './promql/engine.ts';
import { createQueryApi } from './query-api/query-api.ts';
import { createDeliveryWake } from './remote-write/delivery-wake.ts';
import { type RemoteWrite, startRemoteWrite } from './remote-write/remote-write.ts';
import { loadRuleFiles } from './rule-files.ts';
import { createRuleManager, type RuleManager } from './rules/manager.ts';
import { startScrape } from './scrape/scrape.ts';
import { createTurnHistogram } from './self-metrics.ts';
import { countShadows } from './shadow-counts.ts';
import type { Appender } from './storage/storage.ts';
import { createStore, type Tsdb } from './tsdb/store.ts';

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
    const turns = createTurnHistogram();
    const engine =
      elsewhere ??
      createEngine({
        querier: () => store.querier(),
        clock,
        shadow: shadow.options,
        onTurn: (cpuSeconds) => turns.observe(cpuSeconds),
      });
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
      turns,
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
