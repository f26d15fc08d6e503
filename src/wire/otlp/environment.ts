import { readFileSync } from 'node:fs';
import { CodedError, messageOf } from '../../util/coded-error.ts';
import type { OtlpSignal } from './transport.ts';

/** Where one signal is sent and how. */
export interface OtlpEndpoint {
  readonly protocol: 'grpc' | 'http/protobuf';
  /** For gRPC only its host, port and scheme count. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly compression: 'none' | 'gzip';
  readonly timeoutMs: number;
  /** Without TLS, by `http:` or by OTEL_EXPORTER_OTLP_INSECURE. */
  readonly insecure: boolean;
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
}

export type OtlpEndpoints = { readonly [signal in OtlpSignal]?: OtlpEndpoint };

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The endpoints that `OTEL_EXPORTER_OTLP_*` names; a variable of one signal wins over the general one. Nothing is
 * sent for a signal without endpoint, and undefined means neither has one. The protocol is grpc when left out.
 *
 * @throws OTLP_ENVIRONMENT naming the variable, its value and what is allowed.
 * Source: https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
export function parseOtlpEnvironment(env: Environment): OtlpEndpoints | undefined {
  checkTemporality(env);
  const metrics = parseEndpoint(env, 'metrics');
  const logs = parseEndpoint(env, 'logs');
  if (metrics === undefined && logs === undefined) return undefined;
  return { ...(metrics && { metrics }), ...(logs && { logs }) };
}

/**
 * How a signal is sent, gRPC when nothing is said.
 *
 * @throws OTLP_ENVIRONMENT when it is neither of the two.
 */
export const parseOtlpProtocol = (
  env: Environment,
  signal: OtlpSignal | 'traces',
): OtlpEndpoint['protocol'] => choice(settingOf(env, signal, 'PROTOCOL'), ['grpc', 'http/protobuf'], 'grpc');

/** A variable that is set, under the name that was found. */
interface Setting {
  readonly name: string;
  readonly value: string;
}

function settingOf(env: Environment, signal: OtlpSignal | 'traces', what: string): Setting | undefined {
  for (const name of [`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${what}`, `OTEL_EXPORTER_OTLP_${what}`]) {
    const value = env[name]?.trim();
    // The specification wants an empty variable treated as unset.
    if (value) return { name, value };
  }
  return undefined;
}

function wrong({ name, value }: Setting, allowed: string, cause?: unknown): CodedError {
  return new CodedError('OTLP_ENVIRONMENT', `${name}=${JSON.stringify(value)}: ${allowed}`, { cause });
}

function choice<T extends string>(setting: Setting | undefined, allowed: readonly T[], otherwise: T): T {
  if (setting === undefined) return otherwise;
  const found = allowed.find((value) => value === setting.value.toLowerCase());
  if (found === undefined) throw wrong(setting, `must be one of ${allowed.join(', ')}`);
  return found;
}

function checkTemporality(env: Environment): void {
  const name = 'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE';
  const value = env[name]?.trim();
  if (value && value.toLowerCase() !== 'cumulative')
    throw wrong({ name, value }, 'podvitals sends cumulative values only; unset it or set it to cumulative');
}

function parseEndpoint(env: Environment, signal: OtlpSignal): OtlpEndpoint | undefined {
  const of = (what: string) => settingOf(env, signal, what);
  const endpoint = of('ENDPOINT');
  if (endpoint === undefined) return undefined;
  const protocol = parseOtlpProtocol(env, signal);
  const plain = choice(of('INSECURE'), ['true', 'false'], 'false') === 'true';
  const url = parseUrl(endpoint, protocol, plain, signal);
  return {
    protocol,
    url,
    headers: parseHeaders(of('HEADERS')),
    compression: choice(of('COMPRESSION'), ['none', 'gzip'], 'none'),
    timeoutMs: parseTimeout(of('TIMEOUT')),
    insecure: url.protocol === 'http:',
    tls: {
      ...readFile('ca', of('CERTIFICATE')),
      ...readFile('cert', of('CLIENT_CERTIFICATE')),
      ...readFile('key', of('CLIENT_KEY')),
    },
  };
}

function parseUrl(
  endpoint: Setting,
  protocol: OtlpEndpoint['protocol'],
  plain: boolean,
  signal: OtlpSignal,
): URL {
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(endpoint.value);
  // Only gRPC may do without a scheme; OTEL_EXPORTER_OTLP_INSECURE then decides.
  const text =
    !hasScheme && protocol === 'grpc' ? `${plain ? 'http' : 'https'}://${endpoint.value}` : endpoint.value;
  let url: URL;
  try {
    url = new URL(text);
  } catch (error) {
    throw wrong(endpoint, 'must be a URL such as http://127.0.0.1:4317', error);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw wrong(endpoint, 'must start with http:// or https://');
  const isGeneral = endpoint.name === 'OTEL_EXPORTER_OTLP_ENDPOINT';
  if (protocol === 'http/protobuf' && isGeneral)
    url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/${signal}`;
  return url;
}

function parseHeaders(setting: Setting | undefined): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const pair of setting?.value.split(',') ?? []) {
    if (pair.trim() === '') continue;
    const at = pair.indexOf('=');
    const name = pair.slice(0, at).trim().toLowerCase();
    // The value itself may be a secret: it is not repeated.
    if (at < 1 || !/^[a-z0-9_.-]+$/.test(name))
      throw new CodedError(
        'OTLP_ENVIRONMENT',
        `${setting!.name}: must be a list like name=value,other=value`,
      );
    try {
      headers[name] = decodeURIComponent(pair.slice(at + 1).trim());
    } catch (error) {
      throw new CodedError(
        'OTLP_ENVIRONMENT',
        `${setting!.name}: the value of ${name} is not percent-encoded text`,
        {
          cause: error,
        },
      );
    }
  }
  return headers;
}

function parseTimeout(setting: Setting | undefined): number {
  if (setting === undefined) return 10_000;
  const timeoutMs = Number(setting.value);
  if (!Number.isInteger(timeoutMs) || timeoutMs <= 0)
    throw wrong(setting, 'must be whole milliseconds, above 0');
  return timeoutMs;
}

function readFile(
  what: 'ca' | 'cert' | 'key',
  setting: Setting | undefined,
): Readonly<Record<string, Buffer>> {
  if (setting === undefined) return {};
  try {
    return { [what]: readFileSync(setting.value) };
  } catch (error) {
    throw wrong(setting, `cannot be read (${messageOf(error)}); must be the path of a PEM file`, error);
  }
}
