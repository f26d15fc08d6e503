import type { DiagLogger, Tracer } from '@opentelemetry/api';
import type { FastifyBaseLogger } from 'fastify';
import { CodedError } from '../util/coded-error.ts';
import { parseOtlpProtocol } from '../wire/otlp/environment.ts';

export interface Tracing {
  readonly tracer: Tracer;
  /** Sends what is left and stops; bounded in time. */
  stop(): Promise<void>;
}

/**
 * Traces over OTLP, by gRPC when nothing else is said, as the standard `OTEL_*` variables say: on when `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` or
 * `OTEL_EXPORTER_OTLP_ENDPOINT` is set and `OTEL_SDK_DISABLED` is not true. Off, the SDK is not even loaded.
 *
 * @throws OTLP_ENVIRONMENT when the protocol is none that is spoken.
 */
export async function startTracing(
  env: NodeJS.ProcessEnv,
  version: string,
  logger: Pick<FastifyBaseLogger, 'warn'>,
): Promise<Tracing> {
  const { diag, trace } = await import('@opentelemetry/api');
  const wanted = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || env.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (!wanted || env.OTEL_SDK_DISABLED === 'true' || env.OTEL_TRACES_EXPORTER === 'none') {
    return { tracer: trace.getTracer('podvitals', version), stop: async () => {} };
  }
  diag.setLogger(toldTo(logger), { suppressOverrideMessage: true });
  const protocol = parseOtlpProtocol(env, 'traces');
  const [{ NodeSDK }, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/exporter-trace-otlp-grpc'),
  ]);
  // Metrics and logs leave by our own sender; without these the SDK would start exporters of its own for them.
  const sdk = new NodeSDK({
    serviceName: env.OTEL_SERVICE_NAME ?? 'podvitals',
    // Else the SDK's own for HTTP, which is its default.
    ...(protocol === 'grpc' && { traceExporter: new OTLPTraceExporter() }),
    instrumentations: [],
    metricReaders: [],
    logRecordProcessors: [],
  });
  sdk.start();
  return { tracer: trace.getTracer('podvitals', version), stop: () => sdk.shutdown().catch(() => {}) };
}

/** What the SDK complains of: most of all that spans could not be sent. It writes an error as the JSON of its fields. */
function toldTo(logger: Pick<FastifyBaseLogger, 'warn'>): DiagLogger {
  const tell = (text: string) => {
    let message = text;
    try {
      message = String((JSON.parse(text) as { readonly message?: unknown }).message ?? text);
    } catch {
      // Words, not an error.
    }
    logger.warn({ err: new CodedError('TRACING', message) }, 'traces may be lost');
  };
  const pass = () => {};
  return { error: tell, warn: tell, info: pass, debug: pass, verbose: pass };
}
