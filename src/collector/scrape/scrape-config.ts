import type { TextFormat } from '../../wire/prometheus/content-type.ts';
import type { RelabelConfig } from './relabel.ts';

/** Targets that share labels; a target is its `host:port`. */
export interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

export interface FileDiscoveryConfig {
  /** Paths that end in .json, .yml or .yaml; the last part may hold one `*`. */
  readonly files: readonly string[];
}

/** One entry of Prometheus' `scrape_configs`. A limit of 0 is none. */
export interface ScrapeConfig {
  readonly jobName: string;
  readonly scheme: 'http' | 'https';
  readonly metricsPath: string;
  readonly params: Readonly<Record<string, readonly string[]>>;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly honorLabels: boolean;
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;
  readonly followRedirects: boolean;
  readonly compression: boolean;
  /** The Authorization header. */
  readonly authorization?: string;
  /** How to read an answer that does not say what it is. */
  readonly fallbackFormat?: TextFormat;
  /** Bytes of an answer, unpacked. */
  readonly bodyBytes: number;
  readonly limits: SampleLimits;
  /** Counters get a 0 where OpenMetrics says that they began, and that time is no series of its own. */
  readonly zeroAtCreation: boolean;
  readonly staticGroups: readonly TargetGroup[];
  readonly fileDiscovery: readonly FileDiscoveryConfig[];
  readonly relabel: readonly RelabelConfig[];
  readonly metricRelabel: readonly RelabelConfig[];
}

/** Exceeding any of these fails the scrape. 0 is no limit. */
export interface SampleLimits {
  readonly samples: number;
  readonly labels: number;
  readonly labelNameBytes: number;
  readonly labelValueBytes: number;
}
