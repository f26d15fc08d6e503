import { readFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { CodedError, messageOf } from '../util/coded-error.ts';
import { parseDuration, parseSize } from './duration.ts';

const address = z.string().regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/, 'write it as host:port');

/** podvitals.yaml. Every field may be left out; flags win over the file. */
const fileSchema = z.strictObject({
  dataDir: z.string().optional(),
  node: z.string().optional(),
  externalUrl: z.url().optional(),
  agent: z
    .strictObject({
      listen: address.optional(),
      interval: z.string().optional(),
      promoteLabels: z.array(z.string()).max(32).optional(),
      backOff: z.strictObject({ base: z.string().optional(), cap: z.string().optional() }).optional(),
    })
    .optional(),
  collector: z
    .strictObject({
      listen: address.optional(),
      otlpGrpc: address.optional(),
      otlpHttp: address.optional(),
      token: z.string().min(16, 'use at least 16 characters').optional(),
      evaluationInterval: z.string().optional(),
      retention: z.strictObject({ time: z.string().optional(), size: z.string().optional() }).optional(),
      rules: z.array(z.string()).max(256).optional(),
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
  readonly agent: {
    readonly listen: Listen;
    readonly intervalMs: number;
    readonly promoteLabels: readonly string[];
    readonly backOff: { readonly baseMs: number; readonly capMs: number };
  };
  readonly collector: {
    readonly listen: Listen;
    readonly otlpGrpc: Listen;
    readonly otlpHttp: Listen;
    readonly token?: string;
    readonly evaluationIntervalMs: number;
    readonly retention: { readonly timeMs: number; readonly bytes: number };
    /** Rule files; those that ship with podvitals when left out. */
    readonly rules?: readonly string[];
    readonly webhooks: readonly { readonly url: string; readonly sendResolved: boolean }[];
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
  readonly token?: string;
  readonly externalUrl?: string;
  readonly webhook?: readonly string[];
}

/**
 * The configuration of a process: defaults, then the file, then flags.
 * @throws CONFIG_INVALID naming file, field, value and what is allowed.
 */
export function loadConfig(flags: ConfigFlags, env: NodeJS.ProcessEnv = process.env): Config {
  const path = flags.config;
  const file = path === undefined ? {} : readConfigFile(path);
  const folder = path === undefined ? process.cwd() : dirname(resolve(path));
  const listen = parseListen(flags.listen ?? file.collector?.listen ?? '127.0.0.1:7638', '--listen');
  const duration = (text: string | undefined, fallback: string, field: string) =>
    parseDuration(text ?? fallback, `${path ?? ''} ${field}`.trim());
  const token = flags.token ?? env.PODVITALS_TOKEN ?? file.collector?.token;
  return {
    dataDir: resolve(flags.dataDir ?? file.dataDir ?? env.PODVITALS_DATA_DIR ?? defaultDataDir(env)),
    node: (flags.node ?? file.node ?? hostname()).toLowerCase(),
    externalUrl: (
      flags.externalUrl ??
      file.externalUrl ??
      `http://${printableHost(listen.host)}:${listen.port}`
    ).replace(/\/$/, ''),
    agent: {
      listen: parseListen(flags.agentListen ?? file.agent?.listen ?? '127.0.0.1:7639', '--agent-listen'),
      intervalMs: duration(file.agent?.interval, '15s', 'agent.interval'),
      promoteLabels: file.agent?.promoteLabels ?? ['team', 'tier', 'app.kubernetes.io/part-of'],
      backOff: {
        baseMs: duration(file.agent?.backOff?.base, '10s', 'agent.backOff.base'),
        capMs: duration(file.agent?.backOff?.cap, '5m', 'agent.backOff.cap'),
      },
    },
    collector: {
      listen,
      otlpGrpc: parseListen(file.collector?.otlpGrpc ?? '127.0.0.1:4317', 'collector.otlpGrpc'),
      otlpHttp: parseListen(file.collector?.otlpHttp ?? '127.0.0.1:4318', 'collector.otlpHttp'),
      ...(token === undefined ? {} : { token }),
      evaluationIntervalMs: duration(
        file.collector?.evaluationInterval,
        '15s',
        'collector.evaluationInterval',
      ),
      retention: {
        timeMs: duration(file.collector?.retention?.time, '15d', 'collector.retention.time'),
        bytes: parseSize(file.collector?.retention?.size ?? '2GiB', 'collector.retention.size'),
      },
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
    },
  };
}

/** Where data lives when nobody says: /var/lib/podvitals for root, else the XDG state folder. */
export function defaultDataDir(env: NodeJS.ProcessEnv = process.env): string {
  if (process.getuid?.() === 0) return '/var/lib/podvitals';
  return join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'podvitals');
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
  if (broken) throw new CodedError('CONFIG_INVALID', `${path}: ${broken.message.split('\n')[0]}`);
  const result = fileSchema.safeParse(document.toJS() ?? {});
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    (issue) => `${path}: ${issue.path.join('.') || '(top)'}: ${issue.message}`,
  );
  throw new CodedError('CONFIG_INVALID', problems.join('\n'));
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
