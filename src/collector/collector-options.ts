import type { Tracer } from '@opentelemetry/api';
import type { FastifyBaseLogger } from 'fastify';
import type { Clock } from '../util/clock.ts';
import type { RemoteWriteEndpoint } from '../wire/prometheus/remote-write-client.ts';
import type { Prices } from './api/dashboards.ts';
import type { ReadLogs } from './api/pods.ts';
import type { QueryApiOptions } from './query-api/query-api.ts';
import type { RemoteWriteTarget } from './remote-write/remote-write.ts';
import type { ScrapeConfig } from './scrape/scrape-config.ts';
import type { Retention, StoreLimits } from './tsdb/limits.ts';

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
