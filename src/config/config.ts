import { readFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import type { NodeSettings } from '../agent/pod/node/node-keeper.ts';
import { RUNTIMES, type RuntimeName } from '../agent/pod/runtime/runtime-name.ts';
import type { ScrapeConfig } from '../collector/scrape/scrape-config.ts';
import { CodedError, messageOf } from '../util/coded-error.ts';
import { parseDuration, parseSize } from './duration.ts';
import { EVICTION_SIGNAL_NAMES, nodeSettings } from './node-settings.ts';
import { scrapeConfigSchema, toScrapeConfigs } from './scrape-configs.ts';
import {
  nameOfUrl,
  querySchema,
  type RemoteWriteUrl,
  remoteWriteSchema,
  type ServerUrl,
  serverUrl,
} from './server-url.ts';

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
const LEAST_STORE_BYTES = 16 * 2 ** 20;

const addressText = z.string().regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/, 'write it as host:port');

const price = z.number('write a number, such as 0.033').min(0, 'a price is not negative').max(1e6);

const FEATURES = ['created-timestamp-zero-ingestion'] as const;

/** podvitals.yaml. Every field may be left out; flags win over the file. */
const fileSchema = z.strictObject({
  dataDir: z.string().optional(),
  node: z.string().optional(),
  externalUrl: z.url().optional(),
  cost: z.strictObject({ cpuCoreHour: price.optional(), memoryGiBHour: price.optional() }).optional(),
  agent: z
    .strictObject({
      listen: addressText.optional(),
      interval: z.string().optional(),
      runtime: z.enum(RUNTIMES).optional(),
      backOff: z.strictObject({ base: z.string().optional(), cap: z.string().optional() }).optional(),
      labels: z.record(z.string().max(317), z.string().max(63)).optional(),
      taints: z
        .array(
          z.strictObject({
            key: z.string().min(1).max(317),
            value: z.string().max(63).optional(),
            effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
          }),
        )
        .max(64)
        .optional(),
      reserved: z.strictObject({ cpu: z.string().optional(), memory: z.string().optional() }).optional(),
      maxPods: z.number().int().min(1).max(10_000).optional(),
      evictionHard: z.partialRecord(z.enum(EVICTION_SIGNAL_NAMES), z.string()).optional(),
      evictionSoft: z.partialRecord(z.enum(EVICTION_SIGNAL_NAMES), z.string()).optional(),
      evictionSoftGracePeriod: z.partialRecord(z.enum(EVICTION_SIGNAL_NAMES), z.string()).optional(),
      allowedUnsafeSysctls: z
        .array(
          z.string().regex(/^[a-z0-9._-]+\*?$/, 'write a name such as net.core.somaxconn, or kernel.msg*'),
        )
        .max(100)
        .optional(),
      evictionMaxPodGracePeriod: z.number().int().min(0).max(86_400).optional(),
    })
    .optional(),
  collector: z
    .strictObject({
      listen: addressText.optional(),
      otlpGrpc: addressText.optional(),
      otlpHttp: addressText.optional(),
      token: z.string().min(16, 'use at least 16 characters').optional(),
      evaluationInterval: z.string().optional(),
      retention: z
        .strictObject({
          time: z.string().optional(),
          size: z.string().optional(),
          events: z.string().optional(),
          lives: z.string().optional(),
        })
        .optional(),
      limits: z
        .strictObject({ activeSeries: z.number().int().min(1_000).max(10_000_000).optional() })
        .optional(),
      rules: z.array(z.string()).max(256).optional(),
      query: querySchema.optional(),
      remote_write: z.array(remoteWriteSchema).max(16).optional(),
      scrape_configs: z.array(scrapeConfigSchema).max(1000).optional(),
      /** What Prometheus has behind `--enable-feature`. */
      features: z.array(z.enum(FEATURES)).optional(),
      webhooks: z
        .array(z.strictObject({ url: z.url(), sendResolved: z.boolean().optional() }))
        .max(32)
        .optional(),
    })
    .optional(),
});

export interface Config {
  readonly dataDir: string;
  readonly node: string;
  readonly externalUrl: string;
  /** What an hour of use costs, for the executive dashboard; its own prices when left out. */
  readonly cost: { readonly cpuCoreHour?: number; readonly memoryGiBHour?: number };
  readonly agent: {
    readonly listen: Listen;
    readonly intervalMs: number;
    /** Who runs containers. */
    readonly runtime: RuntimeName;
    readonly backOff: { readonly baseMs: number; readonly capMs: number };
    readonly node: NodeSettings;
  };
  readonly collector: {
    readonly listen: Listen;
    readonly otlpGrpc: Listen;
    readonly otlpHttp: Listen;
    readonly token?: string;
    readonly evaluationIntervalMs: number;
    /** Of samples `timeMs` and `bytes`; events and lives have times of their own. */
    readonly retention: {
      readonly timeMs: number;
      readonly bytes: number;
      readonly eventsMs: number;
      readonly livesMs: number;
    };
    /** What the store takes; its own limits where left out. */
    readonly limits: { readonly activeSeries?: number };
    /** Rule files; those that ship with podvitals when left out. */
    readonly rules?: readonly string[];
    readonly webhooks: readonly { readonly url: string; readonly sendResolved: boolean }[];
    /** Who answers queries; our own store when left out. */
    readonly query?: ServerUrl;
    /** Who gets what is stored. */
    readonly remoteWrite: readonly RemoteWriteUrl[];
    readonly scrapeConfigs: readonly ScrapeConfig[];
  };
}

export interface Listen {
  readonly host: string;
  readonly port: number;
}

export interface ConfigFlags {
  readonly config?: string;
  readonly dataDir?: string;
  readonly node?: string;
  readonly listen?: string;
  readonly agentListen?: string;
  readonly runtime?: string;
  readonly token?: string;
  readonly externalUrl?: string;
  readonly webhook?: readonly string[];
  readonly queryUrl?: string;
  readonly remoteWriteUrl?: readonly string[];
}

/**
 * The configuration of a process: defaults, then the file, then flags.
 * @throws CONFIG_INVALID naming file, field, value and what is allowed.
 */
export function loadConfig(flags: ConfigFlags, env: NodeJS.ProcessEnv = process.env): Config {
  const path = flags.config;
  const file = path === undefined ? {} : readConfigFile(path);
  const folder = path === undefined ? process.cwd() : dirname(resolve(path));
  const inFile = (field: string) => (path === undefined ? field : `${path}: ${field}`);
  const address = (flag: string | undefined, name: string, field: string | undefined, fallback: string) =>
    parseListen(flag ?? field ?? fallback, flag === undefined ? inFile(name) : name);
  const duration = (text: string | undefined, fallback: string, field: string, leastMs: number) =>
    parseDuration(text ?? fallback, inFile(field), leastMs);
  const nodeName = (flags.node ?? file.node ?? hostname()).toLowerCase();
  const listen = address(flags.listen, '--listen', file.collector?.listen, '127.0.0.1:7638');
  const token = flags.token ?? env.PODVITALS_TOKEN ?? file.collector?.token;
  return {
    dataDir: resolve(flags.dataDir ?? file.dataDir ?? env.PODVITALS_DATA_DIR ?? defaultDataDir(env)),
    node: nodeName,
    externalUrl: parseExternalUrl(
      flags.externalUrl ?? file.externalUrl ?? `http://${printableHost(listen.host)}:${listen.port}`,
    ),
    cost: {
      ...(file.cost?.cpuCoreHour === undefined ? {} : { cpuCoreHour: file.cost.cpuCoreHour }),
      ...(file.cost?.memoryGiBHour === undefined ? {} : { memoryGiBHour: file.cost.memoryGiBHour }),
    },
    agent: {
      listen: address(flags.agentListen, '--agent-listen', file.agent?.listen, '127.0.0.1:7639'),
      runtime: runtimeName(flags.runtime ?? file.agent?.runtime ?? 'process'),
      intervalMs: duration(file.agent?.interval, '15s', 'agent.interval', SECOND_MS),
      backOff: {
        baseMs: duration(file.agent?.backOff?.base, '10s', 'agent.backOff.base', SECOND_MS),
        capMs: duration(file.agent?.backOff?.cap, '5m', 'agent.backOff.cap', SECOND_MS),
      },
      node: nodeSettings(nodeName, file.agent, inFile),
    },
    collector: {
      listen,
      otlpGrpc: address(undefined, 'collector.otlpGrpc', file.collector?.otlpGrpc, '127.0.0.1:4317'),
      otlpHttp: address(undefined, 'collector.otlpHttp', file.collector?.otlpHttp, '127.0.0.1:4318'),
      ...(token === undefined ? {} : { token }),
      evaluationIntervalMs: duration(
        file.collector?.evaluationInterval,
        '15s',
        'collector.evaluationInterval',
        SECOND_MS,
      ),
      retention: retentionOf(file, inFile),
      limits: limitsOf(file),
      ...(file.collector?.rules === undefined
        ? {}
        : { rules: file.collector.rules.map((rule) => resolve(folder, rule)) }),
      webhooks: [
        ...(file.collector?.webhooks ?? []).map((webhook) => ({
          url: webhook.url,
          sendResolved: webhook.sendResolved ?? true,
        })),
        ...(flags.webhook ?? []).map((url) => ({ url, sendResolved: true })),
      ],
      ...queryOf(flags, file),
      remoteWrite: remoteWriteOf(flags, file, path ?? ''),
      scrapeConfigs: toScrapeConfigs(
        file.collector?.scrape_configs ?? [],
        inFile('collector.scrape_configs'),
        folder,
        { zeroAtCreation: (file.collector?.features ?? []).includes('created-timestamp-zero-ingestion') },
      ),
    },
  };
}

type ConfigFile = z.infer<typeof fileSchema>;

function retentionOf(file: ConfigFile, inFile: (place: string) => string): Config['collector']['retention'] {
  const { time = '15d', size = '2GiB', events = time, lives = time } = file.collector?.retention ?? {};
  const place = (name: string) => inFile(`collector.retention.${name}`);
  return {
    timeMs: parseDuration(time, place('time'), HOUR_MS),
    bytes: parseSize(size, place('size'), LEAST_STORE_BYTES),
    eventsMs: parseDuration(events, place('events'), HOUR_MS),
    livesMs: parseDuration(lives, place('lives'), HOUR_MS),
  };
}

function limitsOf({ collector }: ConfigFile): Config['collector']['limits'] {
  const activeSeries = collector?.limits?.activeSeries;
  return activeSeries === undefined ? {} : { activeSeries };
}

function queryOf(flags: ConfigFlags, file: ConfigFile): { query?: ServerUrl } {
  const given = flags.queryUrl === undefined ? file.collector?.query : { url: flags.queryUrl };
  return given === undefined ? {} : { query: serverUrl(checked(querySchema, given, '--query-url')) };
}

function remoteWriteOf(flags: ConfigFlags, file: ConfigFile, path: string): RemoteWriteUrl[] {
  const fromFlags = (flags.remoteWriteUrl ?? []).map((url) =>
    checked(remoteWriteSchema, { url }, '--remote-write-url'),
  );
  const names = new Set<string>();
  return [...(file.collector?.remote_write ?? []), ...fromFlags].map((given) => {
    const place = `${path} collector.remote_write`.trim();
    const server = serverUrl(given);
    const name = given.name ?? nameOfUrl(server.url);
    if (names.has(name))
      throw new CodedError('CONFIG_INVALID', `${place}: two entries are called ${name}; give each a name`);
    names.add(name);
    return {
      ...server,
      name,
      timeoutMs: parseDuration(given.remote_timeout ?? '30s', `${place} remote_timeout`, 1000),
      maxBytes: parseSize(given.queue?.size ?? '256MiB', `${place} queue.size`, 2 ** 20),
      maxAgeMs: parseDuration(given.queue?.age ?? '1d', `${place} queue.age`, 60_000),
    };
  });
}

function checked<T>(schema: z.ZodType<T>, given: unknown, place: string): T {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  throw new CodedError('CONFIG_INVALID', `${place}: ${result.error.issues[0]?.message}`);
}

/** Where data lives when nobody says: /var/lib/podvitals for root, else the XDG state folder. */
export function defaultDataDir(env: NodeJS.ProcessEnv = process.env): string {
  if (process.getuid?.() === 0) return '/var/lib/podvitals';
  return join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'podvitals');
}

function runtimeName(text: string): RuntimeName {
  const name = RUNTIMES.find((candidate) => candidate === text);
  if (name !== undefined) return name;
  throw new CodedError('CONFIG_INVALID', `--runtime: "${text}" is none; use ${RUNTIMES.join(' or ')}`);
}

function readConfigFile(path: string): z.infer<typeof fileSchema> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new CodedError('CONFIG_INVALID', `cannot read the configuration ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const document = parseDocument(text);
  const broken = document.errors[0];
  if (broken)
    throw new CodedError('CONFIG_INVALID', `${path}: ${broken.message.split('\n')[0]!.replace(/:$/, '')}`);
  const result = fileSchema.safeParse(document.toJS() ?? {});
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${path}: ${problem(issue)}`);
  throw new CodedError('CONFIG_INVALID', problems.join('\n'));
}

function problem(issue: z.core.$ZodIssue): string {
  const place = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') return `${place || 'the file'}: ${issue.message}`;
  const fields = issue.keys.map((key) => (place === '' ? key : `${place}.${key}`));
  return `${fields.join(', ')}: there is no such field; there are ${fieldsAt(issue.path).join(', ')}`;
}

/** The fields that the object at this path may have. */
function fieldsAt(path: readonly PropertyKey[]): readonly string[] {
  let schema: z.ZodType = fileSchema;
  for (const step of ['', ...path]) {
    if (schema instanceof z.ZodObject && typeof step === 'string' && step !== '')
      schema = schema.shape[String(step)] as z.ZodType;
    if (schema instanceof z.ZodOptional) schema = schema.unwrap() as z.ZodType;
    if (schema instanceof z.ZodArray && typeof step === 'string') schema = schema.element as z.ZodType;
  }
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function parseExternalUrl(text: string): string {
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return text.replace(/\/$/, '');
  throw new CodedError(
    'CONFIG_INVALID',
    `the external URL "${text}" is none; write it like https://podvitals.example.org`,
  );
}

function parseListen(text: string, place: string): Listen {
  const at = text.lastIndexOf(':');
  const port = Number(text.slice(at + 1));
  if (at <= 0 || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new CodedError(
      'CONFIG_INVALID',
      `${place}: "${text}" is not an address; write it as host:port, e.g. 127.0.0.1:7638`,
    );
  }
  return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port };
}

export function printableHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
