import { mkdirSync } from 'node:fs';
import type { Agent } from '../agent/agent.ts';
import type { ApplyOutcome, ManifestFile } from '../agent/api/objects.ts';
import type { Collector } from '../collector/collector.ts';
import type { Config } from '../config/config.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import { CodedError, messageOf } from '../util/coded-error.ts';
import { parseOtlpEnvironment } from '../wire/otlp/environment.ts';
import { internalTransport } from '../wire/otlp/internal-transport.ts';
import type { OtlpTransport } from '../wire/otlp/transport.ts';
import { ASSETS } from './assets.ts';
import { controlSocket } from './control-socket.ts';
import { createLogger } from './logger.ts';
import { startTracing, type Tracing } from './tracing.ts';
import { VERSION } from './version.ts';

export interface AppOptions {
  /** `up`: both halves in this process. */
  readonly halves: 'up' | 'agent' | 'collector';
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  /** One line for the person who started it. */
  readonly say: (line: string) => void;
  readonly clock?: Clock;
}

/** Either half or both, from start to stop. */
export interface App {
  /** Rejects with nothing left open. */
  start(): Promise<void>;
  /** Not for a collector alone. */
  apply(files: readonly ManifestFile[]): Promise<ApplyOutcome>;
  /** Resolves when none of the agent's pods runs or will run again: with whether all went well. */
  ended(signal: AbortSignal): Promise<boolean>;
  /** `podvitals is ready at http://127.0.0.1:7638` */
  readyLine(): string;
  /** Ends the agent's pods, then both halves. Idempotent; bounded by the pods' grace. */
  stop(): Promise<void>;
}

/** What a runtime does on no host is no news of this one: who asks for it is told so. */
const ENFORCED_NOWHERE: readonly string[] = [
  'securityContext.seccompProfile',
  'Service.spec.ports.targetPort',
  'volumeClaimTemplates.resources.requests.storage',
];

export function createApp(options: AppOptions): App {
  const { halves, config, env, say, clock = systemClock } = options;
  const logger = createLogger(env.PODVITALS_LOG_LEVEL ?? 'warn', clock, (line) => process.stderr.write(line));
  let tracing: Tracing | undefined;
  let collector: Collector | undefined;
  let agent: Agent | undefined;
  let stopping: Promise<void> | undefined;

  const stop = () => {
    stopping ??= (async () => {
      await agent?.stop();
      await collector?.stop();
      await tracing?.stop();
    })();
    return stopping;
  };

  const startCollector = async (tracer: Tracing['tracer']) => {
    // Each half loads what it needs itself: an agent alone is to be small.
    const { createCollector } = await import('../collector/collector.ts');
    const { collector: own } = config;
    collector = createCollector({
      dataDir: config.dataDir,
      listen: own.listen,
      otlpGrpc: own.otlpGrpc,
      otlpHttp: own.otlpHttp,
      otlpOptional: halves === 'up',
      ...(own.token === undefined ? {} : { token: own.token }),
      externalUrl: config.externalUrl,
      cost: config.cost,
      evaluationIntervalMs: own.evaluationIntervalMs,
      retention: own.retention,
      limits: own.limits,
      ruleFiles: own.rules ?? [ASSETS.rules],
      webhooks: own.webhooks,
      ...(own.query && { query: own.query }),
      remoteWrite: own.remoteWrite,
      scrapeConfigs: own.scrapeConfigs,
      tellTerminal: halves === 'up',
      assets: ASSETS,
      version: VERSION,
      clock,
      tracer,
      logger,
      say,
      ...(halves === 'up'
        ? { logs: async (pod, container, logOptions) => agent?.logs(pod.uid, container, logOptions) }
        : {}),
    });
    await collector.start();
    const days = own.retention.timeMs / 86_400_000;
    const gibibytes = own.retention.bytes / 2 ** 30;
    say(`keeping ${round(days)} days and at most ${round(gibibytes)} GiB in ${config.dataDir}`);
  };

  const startAgent = async (tracer: Tracing['tracer']) => {
    const endpoints = parseOtlpEnvironment(env);
    const transports: Record<string, OtlpTransport> = {};
    if (collector) transports.collector = internalTransport(collector.receiver());
    if (endpoints) {
      const { endpointTransport } = await import('../wire/otlp/endpoint-transport.ts');
      transports.otlp = await endpointTransport(endpoints, clock);
    }
    const { createAgent } = await import('../agent/agent.ts');
    agent = createAgent({
      dataDir: config.dataDir,
      node: config.node,
      version: VERSION,
      listen: config.agent.listen,
      controlSocket: controlSocket(config.dataDir),
      intervalMs: config.agent.intervalMs,
      backOff: config.agent.backOff,
      runtime: config.agent.runtime,
      env,
      nodeSettings: config.agent.node,
      transports,
      clock,
      random: Math.random,
      tracer,
      logger,
    });
    await agent.start();
    const { level, notEnforced, remedy } = agent.enforcement();
    say(`pods run here with: ${level}`);
    const lost = notEnforced.filter((field) => !ENFORCED_NOWHERE.includes(field));
    if (lost.length > 0) say(`not enforced on this host: ${lost.join(', ')}`);
    if (remedy !== undefined) say(`to enforce more: ${remedy}`);
  };

  return {
    async start() {
      try {
        prepareDataDir(config.dataDir);
        tracing = await startTracing(env, VERSION, logger);
        if (halves !== 'agent') await startCollector(tracing.tracer);
        if (halves !== 'collector') await startAgent(tracing.tracer);
      } catch (error) {
        await stop();
        throw error;
      }
    },
    async apply(files) {
      if (!agent)
        throw new CodedError(
          'NO_AGENT',
          'a collector alone runs no pods; start one with: podvitals agent FILE',
        );
      return agent.apply(files);
    },
    ended(signal) {
      if (!agent) throw new CodedError('NO_AGENT', 'a collector alone runs no pods');
      return agent.ended(signal);
    },
    readyLine: () =>
      collector
        ? `podvitals is ready at ${collector.url()}`
        : `podvitals agent is ready at ${agent?.url()}/metrics`,
    stop,
  };
}

const round = (value: number) => Number(value.toFixed(1));

function prepareDataDir(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new CodedError(
      'DATA_DIR_UNUSABLE',
      `cannot make the data folder ${path}: ${messageOf(error)}; name another with --data-dir`,
      { cause: error },
    );
  }
}
