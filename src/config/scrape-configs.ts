import { isAbsolute, resolve } from 'node:path';
import { z } from 'zod';
import {
  compileRelabel,
  DEFAULT_RELABEL,
  RELABEL_ACTIONS,
  type RelabelConfig,
} from '../collector/scrape/relabel.ts';
import type { ScrapeConfig, TargetGroup } from '../collector/scrape/scrape-config.ts';
import { CodedError, messageOf } from '../util/coded-error.ts';
import { durationMs } from '../util/duration.ts';
import { parseSize } from './duration.ts';
import { serverUrl } from './server-url.ts';

const DEFAULT_INTERVAL = '1m';
const LONGEST_DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_BODY_SIZE = '64MiB';

const duration = z
  .string()
  .refine((text) => (durationMs(text) ?? 0) > 0, 'write a duration above 0, like 15s or 1m30s');
const count = z.int().nonnegative().max(100_000_000);
const targetsFile = z
  .string()
  .regex(
    /^[^*]*(\*[^*/]*)?\.(json|ya?ml)$/,
    'write a path to .json, .yml or .yaml; its last part may have one *',
  );

const relabelSchema = z.strictObject({
  action: z
    .string()
    .transform((action) => action.toLowerCase())
    .pipe(z.enum(RELABEL_ACTIONS))
    .optional(),
  source_labels: z.array(z.string().min(1)).max(100).optional(),
  separator: z.string().optional(),
  target_label: z.string().optional(),
  regex: z.coerce.string().optional(),
  modulus: z.int().positive().optional(),
  replacement: z.string().optional(),
});

const groupSchema = z.strictObject({
  targets: z.array(z.string().min(1).max(1024)).max(10_000),
  labels: z.record(z.string().min(1), z.coerce.string()).optional(),
});

/** Prometheus' block of the same name, as far as it is honoured. */
export const scrapeConfigSchema = z.strictObject({
  job_name: z.string().min(1).max(256),
  scrape_interval: duration.optional(),
  scrape_timeout: duration.optional(),
  scheme: z.enum(['http', 'https']).optional(),
  metrics_path: z.string().max(2048).optional(),
  params: z.record(z.string(), z.array(z.string())).optional(),
  honor_labels: z.boolean().optional(),
  honor_timestamps: z.boolean().optional(),
  track_timestamps_staleness: z.boolean().optional(),
  follow_redirects: z.boolean().optional(),
  enable_compression: z.boolean().optional(),
  fallback_scrape_protocol: z
    .enum(['PrometheusText0.0.4', 'PrometheusText1.0.0', 'OpenMetricsText0.0.1', 'OpenMetricsText1.0.0'])
    .optional(),
  basic_auth: z.strictObject({ username: z.string(), password: z.string() }).optional(),
  authorization: z.strictObject({ type: z.string().optional(), credentials: z.string() }).optional(),
  body_size_limit: z.union([z.string(), z.int().nonnegative()]).optional(),
  sample_limit: count.optional(),
  label_limit: count.optional(),
  label_name_length_limit: count.optional(),
  label_value_length_limit: count.optional(),
  static_configs: z.array(groupSchema).max(10_000).optional(),
  file_sd_configs: z
    .array(
      z.strictObject({
        files: z.array(targetsFile).min(1).max(100),
        // Files are looked at every few seconds, which satisfies any.
        refresh_interval: duration.optional(),
      }),
    )
    .max(100)
    .optional(),
  relabel_configs: z.array(relabelSchema).max(1000).optional(),
  metric_relabel_configs: z.array(relabelSchema).max(1000).optional(),
});

type Given = z.infer<typeof scrapeConfigSchema>;

/**
 * @param place where the list stands, for errors
 * @param folder what relative paths are relative to
 * @throws CONFIG_INVALID
 */
export function toScrapeConfigs(
  given: readonly Given[],
  place: string,
  folder: string,
  { zeroAtCreation = false }: { readonly zeroAtCreation?: boolean } = {},
): ScrapeConfig[] {
  const names = new Set<string>();
  return given.map((one, i) => {
    const here = `${place}.${i}`;
    if (names.has(one.job_name))
      throw invalid(
        `${here}.job_name: there are two jobs ${JSON.stringify(one.job_name)}; give each its own name`,
      );
    names.add(one.job_name);
    return { ...toScrapeConfig(one, here, folder), zeroAtCreation };
  });
}

function toScrapeConfig(given: Given, place: string, folder: string): Omit<ScrapeConfig, 'zeroAtCreation'> {
  const fallback = given.fallback_scrape_protocol;
  return {
    jobName: given.job_name,
    scheme: given.scheme ?? 'http',
    metricsPath: given.metrics_path ?? '/metrics',
    params: given.params ?? {},
    ...timesOf(given, place),
    honorLabels: given.honor_labels ?? false,
    honorTimestamps: given.honor_timestamps ?? true,
    trackTimestampsStaleness: given.track_timestamps_staleness ?? false,
    followRedirects: given.follow_redirects ?? true,
    compression: given.enable_compression ?? true,
    ...authorizationOf(given, place),
    ...(fallback !== undefined && {
      fallbackFormat: fallback.startsWith('OpenMetrics') ? 'openmetrics-1.0.0' : 'prometheus-0.0.4',
    }),
    bodyBytes: bodyBytesOf(given.body_size_limit ?? DEFAULT_BODY_SIZE, `${place}.body_size_limit`),
    limits: {
      samples: given.sample_limit ?? 0,
      labels: given.label_limit ?? 0,
      labelNameBytes: given.label_name_length_limit ?? 0,
      labelValueBytes: given.label_value_length_limit ?? 0,
    },
    staticGroups: (given.static_configs ?? []).map(
      ({ targets, labels }): TargetGroup => ({ targets, labels: labels ?? {} }),
    ),
    fileDiscovery: (given.file_sd_configs ?? []).map(({ files }) => ({
      files: files.map((file) => (isAbsolute(file) ? file : resolve(folder, file))),
    })),
    relabel: relabelsOf(given.relabel_configs, `${place}.relabel_configs`),
    metricRelabel: relabelsOf(given.metric_relabel_configs, `${place}.metric_relabel_configs`),
  };
}

function timesOf(given: Given, place: string): Pick<ScrapeConfig, 'intervalMs' | 'timeoutMs'> {
  const intervalMs = durationMs(given.scrape_interval ?? DEFAULT_INTERVAL)!;
  if (given.scrape_timeout === undefined)
    return { intervalMs, timeoutMs: Math.min(LONGEST_DEFAULT_TIMEOUT_MS, intervalMs) };
  const timeoutMs = durationMs(given.scrape_timeout)!;
  if (timeoutMs <= intervalMs) return { intervalMs, timeoutMs };
  throw invalid(
    `${place}.scrape_timeout: "${given.scrape_timeout}" is above the scrape_interval, ${given.scrape_interval ?? DEFAULT_INTERVAL}; make it at most that`,
  );
}

function authorizationOf(given: Given, place: string): { authorization?: string } {
  if (given.basic_auth && given.authorization)
    throw invalid(`${place}: there are both basic_auth and authorization; leave one`);
  const { basic_auth, authorization } = given;
  const url = 'http://localhost';
  const { headers } = serverUrl({
    url,
    ...(basic_auth && { basic_auth }),
    ...(authorization && { authorization }),
  });
  return headers.authorization === undefined ? {} : { authorization: headers.authorization };
}

// Prometheus writes 50MB for 50 times 2^20, and so it is meant here.
function bodyBytesOf(given: string | number, place: string): number {
  if (Number(given) === 0) return 0;
  return parseSize(
    String(given)
      .replace(/^(\d+)$/, '$1B')
      .replace(/([KMGT])B$/, '$1iB'),
    place,
    1,
  );
}

function relabelsOf(given: Given['relabel_configs'], place: string): RelabelConfig[] {
  return (given ?? []).map((one, i) => {
    const config: RelabelConfig = {
      action: one.action ?? DEFAULT_RELABEL.action,
      sourceLabels: one.source_labels ?? DEFAULT_RELABEL.sourceLabels,
      separator: one.separator ?? DEFAULT_RELABEL.separator,
      targetLabel: one.target_label ?? DEFAULT_RELABEL.targetLabel,
      regex: one.regex ?? DEFAULT_RELABEL.regex,
      modulus: one.modulus ?? DEFAULT_RELABEL.modulus,
      replacement: one.replacement ?? DEFAULT_RELABEL.replacement,
    };
    try {
      compileRelabel(config);
    } catch (error) {
      throw invalid(`${place}.${i}: ${messageOf(error)}`);
    }
    return config;
  });
}

const invalid = (message: string) => new CodedError('CONFIG_INVALID', message);
