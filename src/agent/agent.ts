import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Tracer } from '@opentelemetry/api';
import type { FastifyBaseLogger } from 'fastify';
import { createHttpServer } from '../http/server.ts';
import { openJournal } from '../journal/journal.ts';
import { createKeyValue, isSoundFact, keyValueBelow, keyValueSchema } from '../journal/key-value.ts';
import { queueSchema } from '../journal/queue.ts';
import type { LogLine, OomKill } from '../model/life.ts';
import { type Clock, sleep } from '../util/clock.ts';
import { tracedBy } from '../util/traced.ts';
import { createPointsEncoder } from '../wire/otlp/points-encoder.ts';
import { createOtlpSender, type OtlpSender } from '../wire/otlp/sender.ts';
import { tracedTransport } from '../wire/otlp/traced-transport.ts';
import type { OtlpTransport } from '../wire/otlp/transport.ts';
import { expose } from '../wire/prometheus/text.ts';
import { metricsRoutes } from './api/metrics.ts';
import type { ApplyOutcome, ManifestFile } from './api/objects.ts';
import { usageRoutes } from './api/usage-routes.ts';
import { applyFiles } from './apply-files.ts';
import { openControlServer } from './control-server.ts';
import { createEventRecorder } from './events/event-recorder.ts';
import { createFlightRecorder } from './events/flight-recorder.ts';
import { findTools } from './host/tool.ts';
import { diskBytesOf, hostAddress, osImage } from './host-facts.ts';
import { openLifeWitnesses } from './life-witnesses.ts';
import { openRuntime } from './open-runtime.ts';
import { DEBUG_LABEL } from './pod/debug-copy.ts';
import type { NodeSettings } from './pod/node/node-keeper.ts';
import { createPodManager, type PodManager } from './pod/pod-manager.ts';
import { podmanSocketOf } from './pod/runtime/podman/podman-socket.ts';
import type { Enforcement } from './pod/runtime/runtime.ts';
import type { RuntimeName } from './pod/runtime/runtime-name.ts';
import type { PodTransition } from './pod/transition.ts';
import { createKnownSecrets } from './redaction/known-secrets.ts';
import { newestWithin } from './redaction/log-bound.ts';
import { redactLog } from './redaction/redaction.ts';
import { runEnd } from './run-end.ts';
import { createPodmanSource } from './sources/podman/podman-source.ts';
import { findSockets } from './sources/podman/sockets.ts';
import { createClockOffset } from './stats/clock-offset.ts';
import { diskUsageBytes } from './stats/disk-usage.ts';
import { createDnsWatch } from './stats/dns/dns-watch.ts';
import { readNodeSignals } from './stats/node-signals.ts';
import { createOomWatch } from './stats/oom-watch.ts';
import { usageOf } from './stats/pod-usage.ts';
import { createStatsReader } from './stats/stats-reader.ts';
import { traceStartup } from './traces/startup-trace.ts';
import { createTransitionInbox } from './transition-inbox.ts';
import { nodeFigures, podFigures, podStats } from './usage-figures.ts';
import { createVitalsLoop } from './vitals-loop.ts';
import { watchPods } from './watched-pods.ts';

export interface AgentOptions {
  readonly dataDir: string;
  readonly node: string;
  readonly version: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly controlSocket: string;
  /** Milliseconds between two sendings of everything. */
  readonly intervalMs: number;
  readonly backOff: { readonly baseMs: number; readonly capMs: number };
  /** Who runs containers. */
  readonly runtime: RuntimeName;
  readonly env: NodeJS.ProcessEnv;
  readonly nodeSettings: NodeSettings;
  /** Where records and points go; none: they are only there to be scraped. */
  readonly transports: Readonly<Record<string, OtlpTransport>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly tracer: Tracer;
  readonly logger: FastifyBaseLogger;
}

export interface Agent {
  /** Takes over what an earlier agent left, then opens its doors. Rejects with nothing left open. */
  start(): Promise<void>;
  apply(files: readonly ManifestFile[]): Promise<ApplyOutcome>;
  /** Resolves when none of its pods runs or will run again: with whether all went well. */
  ended(signal: AbortSignal): Promise<boolean>;
  /** Where `/metrics` is; after `start`. */
  url(): string;
  /** What this host lets it enforce. */
  enforcement(): Enforcement;
  /** The newest log lines, at most 256 Ki characters, without secrets: these leave the agent. */
  logs(
    uid: string,
    container: string,
    options: { readonly previous: boolean; readonly tail: number },
  ): Promise<readonly LogLine[] | undefined>;
  /** Ends all pods, tells of it, and stops. Idempotent. */
  stop(): Promise<void>;
}

const RUN_KINDS = ['Pod', 'Job', 'Deployment', 'StatefulSet', 'DaemonSet', 'CronJob'] as const;
const RUN_LOOK_MS = 200;
const RESET_BACK_OFF_MS = 600_000;
const LAST_WORDS_MS = 5_000;
/** Of the logs of one answer; about what a person reads, and a tenth of a second to look through. */
const MOST_LOG_CHARACTERS = 256 * 1024;

/** The half beside the pods. */
export function createAgent(options: AgentOptions): Agent {
  const { clock, node, logger, version } = options;
  // In the order of their making; closed the other way round.
  const open: { close(): Promise<unknown> | unknown }[] = [];
  let running: Awaited<ReturnType<typeof start>> | undefined;
  let stopping: Promise<void> | undefined;
  const secrets = createKnownSecrets();
  const onError = (error: unknown) => logger.error({ err: error }, 'the agent goes on after a failure');

  async function start() {
    const journal = openJournal(join(options.dataDir, 'agent.db'), {
      clock,
      schemas: [keyValueSchema, queueSchema],
      isSound: isSoundFact,
    });
    open.push(journal);
    const { damage } = journal.state();
    if (damage !== undefined) logger.error({ code: 'JOURNAL_SALVAGED' }, damage);
    const keyValue = createKeyValue(journal);
    const oomWatch = createOomWatch({ clock });
    open.push(oomWatch);
    const runtime = await openRuntime({
      name: options.runtime,
      dataDir: options.dataDir,
      podmanSocket: podmanSocketOf(options.env, process.getuid?.()),
      keyValue,
      clock,
      logger,
      oomKills: (life) => oomWatch.kills(life),
    });
    open.push(runtime);
    const nodeIp = hostAddress();
    const stats = createStatsReader({ clock });
    open.push(stats);
    const manager = createPodManager({
      runtime,
      clock,
      keyValue,
      random: options.random,
      node: {
        name: node,
        ip: nodeIp,
        cpuCores: cpus().length,
        memoryBytes: totalmem(),
        diskBytes: diskBytesOf(options.dataDir),
      },
      host: { uid: node, kernel: release(), osImage: osImage(), version: `podvitals ${version}` },
      nodeSettings: options.nodeSettings,
      measures: {
        signals: () => readNodeSignals(options.dataDir, stats.node()),
        usage: (uid) => usageOf(manager.view(uid), stats.latest()),
        diskBytes: diskUsageBytes,
      },
      backOff: { ...options.backOff, resetAfterMs: RESET_BACK_OFF_MS },
      onError,
    });
    const podman = createPodmanSource({
      clock,
      keyValue: keyValueBelow(keyValue, 'sources/'),
      node: { name: node, ip: nodeIp },
      sockets: () => findSockets(options.env, process.getuid?.() ?? 0),
      oomKills: (life) => oomWatch.kills(life),
      isUntouched: (containerId) => witnesses.isUntouched(containerId),
      onTrouble: (message, error) => logger.warn({ err: error }, message),
      onRecovered: (message) => logger.info(message),
      onError,
    });
    const tools = findTools();
    const clockOffset = createClockOffset({
      clock,
      chronyc: tools.chronyc,
      timedatectl: tools.timedatectl,
    });
    const pods = watchPods(manager, runtime, [podman]);
    const flightRecorder = createFlightRecorder();
    const traced = tracedBy(options.tracer);
    const resource = { node, instance: `${node}:7639`, version };
    const encoder = createPointsEncoder(resource);
    const senders = Object.entries(options.transports).map(([name, transport]) =>
      createOtlpSender({
        name,
        transport: tracedTransport(name, transport, traced),
        spool: journal,
        clock,
        random: options.random,
        resource,
      }),
    );
    open.push(...senders);
    // Records leave in the order they were made; `sent` is when the last of them is in the spool.
    let sent: Promise<unknown> = Promise.resolve();
    const recorder = createEventRecorder({
      node,
      clock,
      keyValue,
      flightRecorder,
      clockOffsetSeconds: () => clockOffset.seconds(),
      view: (uid) => pods.view(uid),
      logs: (uid, container, attempt, tail) => pods.logs(uid, container, attempt, { tail }),
      emit(records) {
        const told = secrets.hide(records);
        sent = Promise.all([sent, ...senders.map((sender) => sender.sendRecords(told))]).catch(onError);
      },
    });
    open.push({
      async close() {
        recorder.close();
        // What it counted up to now is told at its end, and must be in the spool before that is closed.
        await sent;
      },
    });
    const dns = createDnsWatch({ clock, random: options.random, nsenter: tools.nsenter });
    open.push(dns);
    const vitals = createVitalsLoop({
      clock,
      intervalMs: options.intervalMs,
      node,
      version,
      enforcement: runtime.enforcement(),
      pods,
      nodeState: manager,
      stats,
      oomWatch,
      dns,
      clockOffset,
      flightRecorder,
      recorder,
      async sendPoints(groups, atMs) {
        if (senders.length === 0) return;
        const requests = encoder.encode(groups, atMs);
        await Promise.all(senders.map((sender) => sender.sendEncoded(requests)));
      },
      dropped: () => droppedBy(senders),
      onError,
    });
    open.push(vitals);
    // A kill is told when it is seen, or else with the death it caused.
    const toldKills = new WeakSet<OomKill>();
    const recordOomKills = (death: PodTransition & { readonly kind: 'container-died' }) => {
      for (const kill of oomWatch.untrack(death.containerId, death.oomKills)) {
        if (!toldKills.has(kill)) recorder.onOomKill({ ...death, kill });
      }
    };
    const witnesses = await openLifeWitnesses({
      clock,
      flightRecorder,
      stats,
      view: (uid) => pods.view(uid),
    });
    open.push(witnesses);
    const handle = async (transition: PodTransition) => {
      if (transition.kind === 'container-died') recordOomKills(transition);
      recorder.onTransition(transition);
      const view = pods.view(transition.pod.uid);
      if (view) recorder.podChanged(view);
      await recorder.settled(transition.pod.uid);
      await sent;
      // The evidence is on its way: now the counters that alerts are made of.
      if (transition.kind === 'container-died' || transition.kind === 'back-off')
        await vitals.flush(transition.pod.uid);
      if (transition.kind === 'ready' && transition.first && view) traceStartup(options.tracer, view);
    };
    const inbox = createTransitionInbox({ journal, clock, handle, onError });
    open.push(inbox);
    pods.onTransition((transition) => {
      // Probe results are many and small: they are taken at once, and lost with the process.
      if (transition.kind === 'probe' || transition.kind === 'late-answer') recorder.onTransition(transition);
      else inbox.put(transition);
      if (transition.kind === 'container-started') vitals.track(transition.pod.uid);
      witnesses.saw(transition);
    });
    manager.onWorkloadEvent(recorder.onWorkloadEvent);
    oomWatch.onKill((containerId, kill) => {
      const owner = pods.ownerOf(containerId);
      if (!owner) return;
      toldKills.add(kill);
      recorder.onOomKill({ ...owner, kill });
      vitals.flush(owner.pod.uid).catch(onError);
    });
    await manager.start();
    secrets.learn(manager.list('Secret'));
    witnesses.adopt(manager.views().pods);
    open.push({ close: () => manager.stop({ deletePods: false }) });
    open.push(podman);
    await podman.start();
    vitals.start();
    forgetDebugCopies(manager, onError);
    const apply = async (files: readonly ManifestFile[], { create } = { create: false }) =>
      applyFiles(manager, secrets, runtime.enforcement(), files, create);
    const usage = usageRoutes({
      pods: () => podFigures(pods.views().pods, flightRecorder),
      stats: () => podStats(pods.views().pods, flightRecorder, stats.latest()),
      async node() {
        const figures = await nodeFigures(() => stats.node(), clock);
        return figures && { name: node, ...figures };
      },
    });
    const control = await openControlServer(
      options,
      manager,
      witnesses.watching(runtime),
      pods,
      apply,
      usage,
    );
    open.push(control);
    const server = await createHttpServer({ name: 'agent', listen: options.listen, logger, clock });
    await server.app.register(metricsRoutes(async (path, accept) => expose(vitals.points(), path, accept)));
    open.push(server);
    const url = await server.listen();
    return { runtime, manager, pods, senders, recorder, vitals, inbox, apply, url };
  }

  async function closeAll() {
    for (const part of open.splice(0).reverse()) {
      try {
        await part.close();
      } catch (error) {
        onError(error);
      }
    }
  }

  return {
    async start() {
      try {
        running = await start();
      } catch (error) {
        await closeAll();
        throw error;
      }
    },
    apply: (files) => started(running).apply(files),
    async ended(signal) {
      const { manager } = started(running);
      for (;;) {
        const end = runEnd([...RUN_KINDS].flatMap((kind) => manager.list(kind)));
        if (end !== undefined) return end;
        await sleep(clock, RUN_LOOK_MS, signal);
      }
    },
    url: () => started(running).url,
    enforcement: () => started(running).runtime.enforcement(),
    async logs(uid, container, { previous, tail }) {
      const { pods } = started(running);
      const view = pods.view(uid);
      const found = view?.containers.find((candidate) => candidate.name === container);
      if (!found) return undefined;
      const attempt = found.attempt - (previous ? 1 : 0);
      if (attempt < 0) return undefined;
      const lines = await pods.logs(uid, container, attempt, { tail });
      return secrets.hide(redactLog(newestWithin(lines, MOST_LOG_CHARACTERS)));
    },
    stop() {
      stopping ??= (async () => {
        if (running) {
          const { manager, inbox, senders, vitals } = running;
          const left = await manager.stop({ deletePods: true });
          for (const pod of left) logger.error({ pod }, 'this pod could not be ended in time');
          await inbox.settled(LAST_WORDS_MS);
          await vitals.last();
          await running.recorder.settled();
          await Promise.all(senders.map((sender) => sender.flush(LAST_WORDS_MS)));
        }
        await closeAll();
      })();
      return stopping;
    },
  };
}

function started<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the agent has not been started');
  return value;
}

/** Copies made to look around: who made them is gone. */
function forgetDebugCopies(manager: PodManager, onError: (error: unknown) => void): void {
  for (const { kind, metadata } of manager.list('Pod')) {
    if (metadata.labels?.[DEBUG_LABEL] === undefined) continue;
    const request = { by: 'user', message: 'A debug copy left by an earlier agent' } as const;
    manager.delete({ kind, ...metadata, gracePeriodSeconds: 0, force: true, request }).gone.catch(onError);
  }
}

function droppedBy(senders: readonly OtlpSender[]): Readonly<Record<string, number>> {
  const sum = { metrics: 0, logs: 0 };
  for (const sender of senders) {
    const { dropped } = sender.stats();
    sum.metrics += dropped.metrics;
    sum.logs += dropped.logs;
  }
  return sum;
}
