import {
  type ChannelCredentials,
  Client,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { systemClock } from '../../util/clock.ts';
import type { OtlpEndpoint } from './environment.ts';
import { acceptedOf } from './export-response.ts';
import { readRetryDelayMs } from './retry-info.ts';
import { withTlsRemedy } from './tls-trouble.ts';
import type { ExportOutcome, OtlpSignal, OtlpTransport } from './transport.ts';

export const EXPORT_PATH: Readonly<Record<OtlpSignal, string>> = {
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
};

export const toBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

// Source: https://opentelemetry.io/docs/specs/otlp/#failures
const RETRYABLE: ReadonlySet<number> = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.ABORTED,
  status.OUT_OF_RANGE,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);
const GZIP = 2;
const LONGEST_BACK_OFF_MS = 10_000;

/** Sends by gRPC to one endpoint. Connects on the first request, and again whenever it must. */
export function grpcTransport(endpoint: OtlpEndpoint): OtlpTransport {
  const client = new Client(endpoint.url.host, credentialsOf(endpoint), {
    ...(endpoint.compression === 'gzip' && { 'grpc.default_compression_algorithm': GZIP }),
    'grpc.max_reconnect_backoff_ms': LONGEST_BACK_OFF_MS,
    'grpc.enable_retries': 0,
  });
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(endpoint.headers)) metadata.set(name, value);

  return {
    export(signal, request, abort) {
      return new Promise<ExportOutcome>((resolve) => {
        const call = client.makeUnaryRequest(
          EXPORT_PATH[signal],
          toBuffer,
          (response: Buffer) => response,
          request,
          metadata,
          { deadline: deadlineIn(endpoint.timeoutMs) },
          (error, response) => {
            abort?.removeEventListener('abort', cancel);
            resolve(error ? failureOf(error) : acceptedOf(response));
          },
        );
        const cancel = () => call.cancel();
        abort?.addEventListener('abort', cancel, { once: true });
      });
    },
    async close() {
      client.close();
    },
  };
}

// A deadline is a point of the machine's own time: grpc-js knows no other clock.
const deadlineIn = (timeoutMs: number) => new Date(systemClock.now() + timeoutMs);

function credentialsOf({ insecure, tls }: OtlpEndpoint): ChannelCredentials {
  if (insecure) return credentials.createInsecure();
  return credentials.createSsl(tls.ca ?? null, tls.key ?? null, tls.cert ?? null);
}

function failureOf(error: ServiceError): ExportOutcome {
  const [details] = error.metadata?.get('grpc-status-details-bin') ?? [];
  const afterMs = Buffer.isBuffer(details) ? readRetryDelayMs(details) : undefined;
  const message = withTlsRemedy(`gRPC ${status[error.code]}: ${error.details}`);
  // An exhausted receiver will take it later only when it says so.
  const isRetryable =
    RETRYABLE.has(error.code) || (error.code === status.RESOURCE_EXHAUSTED && afterMs !== undefined);
  if (!isRetryable) return { kind: 'refused', message };
  return afterMs === undefined ? { kind: 'retry', message } : { kind: 'retry', message, afterMs };
}
