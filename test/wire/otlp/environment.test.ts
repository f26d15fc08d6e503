import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type OtlpEndpoint, parseOtlpEnvironment } from '../../../src/wire/otlp/environment.ts';

const summary = (endpoint: OtlpEndpoint | undefined) =>
  endpoint && `${endpoint.protocol} ${endpoint.url.href}`;
const both = (env: Record<string, string>) => {
  const endpoints = parseOtlpEnvironment(env);
  return [summary(endpoints?.metrics), summary(endpoints?.logs)];
};

describe('OTEL_EXPORTER_OTLP_*', () => {
  it('turns sending on by an endpoint alone', () => {
    expect(parseOtlpEnvironment({})).toBeUndefined();
    expect(
      parseOtlpEnvironment({ OTEL_EXPORTER_OTLP_HEADERS: 'a=b', OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }),
    ).toBeUndefined();
    expect(both({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4317' })).toEqual([
      'grpc http://127.0.0.1:4317/',
      'grpc http://127.0.0.1:4317/',
    ]);
    expect(both({ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://h:1' })).toEqual([
      'grpc http://h:1/',
      undefined,
    ]);
  });

  it('adds the signal’s path to a general HTTP endpoint, and takes a signal’s own as it is', () => {
    expect(
      both({
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://h:4318/otlp/',
        OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://p:9090/api/v1/otlp/v1/metrics',
      }),
    ).toEqual([
      'http/protobuf http://p:9090/api/v1/otlp/v1/metrics',
      'http/protobuf http://h:4318/otlp/v1/logs',
    ]);
  });

  it('uses TLS for a bare host unless told it is insecure', () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' };
    expect(parseOtlpEnvironment(env)?.logs?.insecure).toBe(false);
    expect(parseOtlpEnvironment({ ...env, OTEL_EXPORTER_OTLP_INSECURE: 'true' })?.logs?.insecure).toBe(true);
  });

  it('reads headers, compression, time-out and certificates', () => {
    const folder = mkdtempSync(join(tmpdir(), 'podvitals-env-'));
    try {
      writeFileSync(join(folder, 'ca.pem'), 'certificate');
      const { metrics } = parseOtlpEnvironment({
        OTEL_EXPORTER_OTLP_ENDPOINT: 'https://h:4317',
        OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20abc,x-tenant=shop',
        OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
        OTEL_EXPORTER_OTLP_TIMEOUT: '10000',
        OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: '2500',
        OTEL_EXPORTER_OTLP_CERTIFICATE: join(folder, 'ca.pem'),
      })!;
      expect(metrics).toMatchObject({
        headers: { authorization: 'Bearer abc', 'x-tenant': 'shop' },
        compression: 'gzip',
        timeoutMs: 2500,
        tls: { ca: Buffer.from('certificate') },
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  const wrong: readonly [name: string, value: string, message: RegExp][] = [
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'http/json', /"http\/json": must be one of grpc, http\/protobuf/],
    ['OTEL_EXPORTER_OTLP_LOGS_COMPRESSION', 'zstd', /must be one of none, gzip/],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '10s', /must be whole milliseconds/],
    ['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', 'ftp://h', /must start with http/],
    ['OTEL_EXPORTER_OTLP_CLIENT_KEY', '/nowhere/key.pem', /cannot be read/],
    ['OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', 'delta', /cumulative values only/],
  ];
  for (const [name, value, message] of wrong) {
    it(`names ${name}=${value} as wrong, and what is allowed`, () => {
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://h:4317', [name]: value };
      expect(() => parseOtlpEnvironment(env)).toThrow(message);
      expect(() => parseOtlpEnvironment(env)).toThrow(expect.objectContaining({ code: 'OTLP_ENVIRONMENT' }));
      expect(() => parseOtlpEnvironment(env)).toThrow(name);
    });
  }

  it('does not repeat a header that may be a secret', () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://h:4317', OTEL_EXPORTER_OTLP_HEADERS: 'topsecret' };
    expect(() => parseOtlpEnvironment(env)).toThrow(/OTEL_EXPORTER_OTLP_HEADERS: must be a list/);
    expect(() => parseOtlpEnvironment(env)).not.toThrow(/topsecret/);
  });
});
