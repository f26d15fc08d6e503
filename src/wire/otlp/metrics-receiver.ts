import { encodeLabels } from '../../model/labels.ts';
import { type CodedError, isCodedError } from '../../util/coded-error.ts';
import type { Attributes } from './any-value.ts';
import { beyondLimit, type OtlpLimits } from './limits.ts';
import { targetInfo } from './metric-translation.ts';
import { type DataPoint, type MetricContext, readMetrics } from './metrics-reader.ts';
import { decodeWith } from './protobuf.ts';
import { SCOPE_NAME } from './resource.ts';
import { pointValues, type SeriesMemo } from './series-naming.ts';

/** What decoding asks of the store's appender. */
export interface SampleSink {
  reference(labelBytes: Uint8Array): number;
  isReferenced?(ref: number): boolean;
  append(ref: number, t: number, v: number, startT?: number): void;
  appendStale(ref: number, t: number): void;
}

/** Data points that were not kept, and the first reason why. */
export interface Rejections {
  rejected: number;
  message: string;
}

interface Ingest {
  readonly sink: SampleSink;
  readonly memo: SeriesMemo;
  readonly limits: OtlpLimits;
  readonly nowMs: number;
}

/**
 * Puts the samples of an ExportMetricsServiceRequest into `sink`. What cannot be kept is counted.
 *
 * @throws OTLP_MALFORMED, OTLP_LIMIT: the request is refused as a whole, the caller rolls back.
 */
export function ingestMetrics(bytes: Uint8Array, ingest: Ingest): Rejections {
  const rejections: Rejections = { rejected: 0, message: '' };
  const reject = (count: number, message: string) => {
    rejections.rejected += count;
    if (rejections.message === '') rejections.message = message;
  };
  let context: MetricContext | undefined;
  let newestForeignMs = 0;
  decodeWith(bytes, (reader) =>
    readMetrics(reader, ingest.limits, {
      metric(next, points) {
        context = next;
        const refusal = refusalOf(next);
        if (refusal !== undefined) reject(points, refusal);
        return refusal === undefined;
      },
      point(point) {
        const timeMs = point.timeMs || ingest.nowMs;
        if (context!.scope !== SCOPE_NAME) newestForeignMs = Math.max(newestForeignMs, timeMs);
        attempt(
          () => appendPoint(context!, point, timeMs, ingest),
          (error) => reject(1, error.message),
        );
      },
      resourceEnd(resource) {
        if (newestForeignMs > 0)
          attempt(
            () => appendTargetInfo(resource, newestForeignMs, ingest.sink),
            (error) => reject(0, error.message),
          );
        newestForeignMs = 0;
      },
    }),
  );
  return rejections;
}

const REFUSED_KINDS: Readonly<Record<string, string>> = {
  'exponential histogram':
    'exponential histograms are not stored: use explicit buckets (OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION=explicit_bucket_histogram)',
};

function refusalOf({ name, kind, temporality }: MetricContext): string | undefined {
  if (REFUSED_KINDS[kind] !== undefined) return `${name}: ${REFUSED_KINDS[kind]}`;
  if ((kind !== 'sum' && kind !== 'histogram') || temporality === 2) return undefined;
  const what = temporality === 1 ? 'delta' : 'unspecified';
  return `${name}: ${what} temporality is not stored: set OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative`;
}

function appendPoint(context: MetricContext, point: DataPoint, timeMs: number, ingest: Ingest): void {
  const { sink, memo, limits } = ingest;
  if (point.bounds.length > limits.buckets || point.quantiles.length > limits.buckets * 2)
    throw beyondLimit('buckets on a data point', limits.buckets);
  const { keys, refs } = memo.partsOf(context, point);
  // All parts are known before the first is appended: a histogram is kept whole or not at all.
  for (let i = 0; i < keys.length; i += 1) {
    const known = refs[i];
    // The store lets go of a series that was silent for long.
    if (known === undefined || !sink.isReferenced?.(known)) refs[i] = sink.reference(keys[i]!);
  }
  if (context.kind === 'gauge' || context.kind === 'sum') {
    appendValue(refs[0]!, point, timeMs, point.value, sink);
    return;
  }
  const values = pointValues(context, point);
  for (let i = 0; i < refs.length; i += 1) appendValue(refs[i]!, point, timeMs, values[i]!, sink);
}

function appendValue(ref: number, point: DataPoint, timeMs: number, value: number, sink: SampleSink): void {
  if (point.stale) sink.appendStale(ref, timeMs);
  else if (point.startMs > 0) sink.append(ref, timeMs, value, point.startMs);
  else sink.append(ref, timeMs, value);
}

function appendTargetInfo(resource: Attributes, timeMs: number, sink: SampleSink): void {
  const labels = targetInfo(resource);
  if (labels !== undefined) sink.append(sink.reference(encodeLabels(labels)), timeMs, 1);
}

const WHOLE_REQUEST = new Set(['OTLP_MALFORMED', 'OTLP_LIMIT', 'STORE_BATCH_LIMIT']);

/** What the store refuses of one point is counted; what is wrong with the request is thrown on. */
function attempt(work: () => void, refused: (error: CodedError) => void): void {
  try {
    work();
  } catch (error) {
    if (!isCodedError(error) || WHOLE_REQUEST.has(error.code)) throw error;
    refused(error);
  }
}
