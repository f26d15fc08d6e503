import { encodeLabels } from '../../model/labels.ts';
import { type CodedError, isCodedError, messageOf } from '../../util/coded-error.ts';
import { createCursor } from './cursor.ts';
import { beyondLimit, type OtlpLimits } from './limits.ts';
import { targetInfo } from './metric-translation.ts';
import { type RawMetric, type RawPoint, readMetrics, type Span } from './metrics-reader.ts';
import { decodeWith, malformed } from './protobuf.ts';
import { readAttributes, readResource } from './resource.ts';
import type { KnownMetric, KnownParts, KnownResource, SeriesMemo } from './series-memo.ts';
import { type MetricContext, type PointShape, seriesKeys } from './series-naming.ts';

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
 * Puts the samples of an ExportMetricsServiceRequest into `sink`, some a step, so that the caller may give others their turn
 * in between. What cannot be kept is counted. Nothing is made for a point whose series is known.
 *
 * @throws OTLP_MALFORMED, OTLP_LIMIT: the request is refused as a whole, the caller rolls back.
 */
export function* ingestMetrics(bytes: Uint8Array, ingest: Ingest): Generator<undefined, Rejections> {
  const rejections: Rejections = { rejected: 0, message: '' };
  const reject = (count: number, message: string) => {
    rejections.rejected += count;
    if (rejections.message === '') rejections.message = message;
  };
  const { memo, limits, sink, nowMs } = ingest;
  const cursor = createCursor(bytes);
  const { view } = cursor;
  const nameOf = namer(bytes, limits);
  let resource: KnownResource | undefined;
  let metric: KnownMetric | undefined;
  let newestForeignMs = 0;
  const reading = readMetrics(cursor, limits, {
    resource(span) {
      resource = memo.resource(view, span, () =>
        decodeWith(bytes.subarray(span.from, span.to), (reader) =>
          readResource(reader, reader.length, limits.attributes),
        ),
      );
    },
    metric(raw, points) {
      const refusal = refusalOf(bytes, raw);
      if (refusal !== undefined) {
        reject(points, refusal);
        return false;
      }
      metric = memo.metric(view, resource!, raw, () => contextOf(bytes, resource!, raw));
      return true;
    },
    point(point) {
      const timeMs = point.timeMs || nowMs;
      if (!metric!.isOurs && timeMs > newestForeignMs) newestForeignMs = timeMs;
      try {
        if (point.bounds.length > limits.buckets)
          throw beyondLimit('buckets on a data point', limits.buckets);
        if (metric!.kind === 'gauge' || metric!.kind === 'sum') {
          const ref = referenceOf(view, metric!, point, ingest, nameOf);
          appendValue(ref, point, timeMs, point.value, sink);
        } else {
          appendParts(partsOf(view, metric!, point, ingest, nameOf), metric!, point, timeMs, sink);
        }
      } catch (error) {
        reject(1, refused(error).message);
      }
    },
    resourceEnd() {
      try {
        if (newestForeignMs > 0) appendTargetInfo(resource!, newestForeignMs, sink);
      } catch (error) {
        reject(0, refused(error).message);
      }
      newestForeignMs = 0;
    },
  });
  try {
    yield* reading;
  } catch (error) {
    // Bytes that end in the middle of a number.
    if (error instanceof RangeError) throw malformed(messageOf(error), error);
    throw error;
  }
  return rejections;
}

function refusalOf(bytes: Uint8Array, { kind, temporality, name }: RawMetric): string | undefined {
  if (kind === 'exponential histogram')
    return `${textOf(bytes, name)}: exponential histograms are not stored: use explicit buckets (OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION=explicit_bucket_histogram)`;
  if ((kind !== 'sum' && kind !== 'histogram') || temporality === 2) return undefined;
  const what = temporality === 1 ? 'delta' : 'unspecified';
  return `${textOf(bytes, name)}: ${what} temporality is not stored: set OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative`;
}

function contextOf(bytes: Uint8Array, resource: KnownResource, metric: RawMetric): MetricContext {
  const { scope, name, unit, kind, monotonic } = metric;
  return {
    resource: resource.attributes,
    scope: textOf(bytes, scope),
    name: textOf(bytes, name),
    unit: textOf(bytes, unit),
    kind,
    monotonic,
  };
}

const textOf = (bytes: Uint8Array, { from, to }: Span) =>
  Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8');

type NameOf = (metric: KnownMetric, point: RawPoint) => readonly Uint8Array[];

const NUMBER_ATTRIBUTES = 7;
const HISTOGRAM_ATTRIBUTES = 9;

/** The label bytes of a point's series. */
function namer(bytes: Uint8Array, limits: OtlpLimits): NameOf {
  return (metric, point) => {
    if (point.attributes > limits.attributes)
      throw beyondLimit('attributes on a data point', limits.attributes);
    const { from, to } = point.attributeFields;
    const field = metric.kind === 'histogram' ? HISTOGRAM_ATTRIBUTES : NUMBER_ATTRIBUTES;
    const shape: PointShape = {
      attributes: decodeWith(bytes.subarray(from, to), (reader) =>
        readAttributes(reader, reader.length, field, limits.attributes),
      ),
      bounds: point.bounds.values.subarray(0, point.bounds.length),
      hasSum: point.hasSum,
    };
    return seriesKeys(metric, shape);
  };
}

/** The number of a point by its attributes, -1 where it is not known. */
function findPoint(view: DataView, metric: KnownMetric, point: RawPoint, memo: SeriesMemo): number {
  const { from, to } = point.attributeFields;
  return point.scattered ? -1 : memo.points.find(metric.number, view, from, to);
}

/** The same, remembered when it was not; undefined where nothing can be remembered. */
function rememberPoint(
  view: DataView,
  metric: KnownMetric,
  point: RawPoint,
  memo: SeriesMemo,
): number | undefined {
  const { from, to } = point.attributeFields;
  return point.scattered ? undefined : memo.points.add(metric.number, view, from, to);
}

function referenceOf(
  view: DataView,
  metric: KnownMetric,
  point: RawPoint,
  { memo, sink }: Ingest,
  nameOf: NameOf,
): number {
  const found = findPoint(view, metric, point, memo);
  // The store lets go of a series that was silent for long.
  if (found >= 0 && sink.isReferenced?.(memo.refs[found]!)) return memo.refs[found]!;
  const ref = sink.reference(nameOf(metric, point)[0]!);
  const number = found >= 0 ? found : rememberPoint(view, metric, point, memo);
  if (number !== undefined) memo.refs[number] = ref;
  return ref;
}

/** All parts are known before the first is appended: a histogram is kept whole or not at all. */
function partsOf(
  view: DataView,
  metric: KnownMetric,
  point: RawPoint,
  { memo, sink }: Ingest,
  nameOf: NameOf,
): KnownParts {
  const found = findPoint(view, metric, point, memo);
  const known = found >= 0 ? memo.parts[found] : undefined;
  if (known !== undefined && isLike(known, point) && areReferenced(known, sink)) return known;
  const parts: KnownParts = {
    bounds: point.bounds.values.slice(0, point.bounds.length),
    hasSum: point.hasSum,
    refs: nameOf(metric, point).map((key) => sink.reference(key)),
  };
  const number = found >= 0 ? found : rememberPoint(view, metric, point, memo);
  if (number !== undefined) memo.parts[number] = parts;
  return parts;
}

function isLike({ bounds, hasSum }: KnownParts, point: RawPoint): boolean {
  if (hasSum !== point.hasSum || bounds.length !== point.bounds.length) return false;
  for (let i = 0; i < bounds.length; i += 1) if (!Object.is(bounds[i], point.bounds.values[i])) return false;
  return true;
}

function areReferenced({ refs }: KnownParts, sink: SampleSink): boolean {
  if (sink.isReferenced === undefined) return false;
  for (let i = 0; i < refs.length; i += 1) if (!sink.isReferenced(refs[i]!)) return false;
  return true;
}

/** In the order in which the series are named. */
function appendParts(
  { refs }: KnownParts,
  { kind }: KnownMetric,
  point: RawPoint,
  timeMs: number,
  sink: SampleSink,
): void {
  const { bucketCounts, bounds, quantileValues } = point;
  let at = 0;
  if (kind === 'histogram') {
    let below = 0;
    for (; at < bounds.length; at += 1) {
      if (at < bucketCounts.length) below += bucketCounts.values[at]!;
      appendValue(refs[at]!, point, timeMs, below, sink);
    }
    appendValue(refs[at]!, point, timeMs, point.count, sink);
    at += 1;
  } else {
    for (; at < quantileValues.length; at += 1)
      appendValue(refs[at]!, point, timeMs, quantileValues.values[at]!, sink);
  }
  appendValue(refs[at]!, point, timeMs, point.count, sink);
  if (point.hasSum) appendValue(refs[at + 1]!, point, timeMs, point.sum, sink);
}

function appendValue(ref: number, point: RawPoint, timeMs: number, value: number, sink: SampleSink): void {
  if (point.stale) sink.appendStale(ref, timeMs);
  else if (point.startMs > 0) sink.append(ref, timeMs, value, point.startMs);
  else sink.append(ref, timeMs, value);
}

function appendTargetInfo(resource: KnownResource, timeMs: number, sink: SampleSink): void {
  if (resource.targetInfo === undefined) {
    const labels = targetInfo(resource.attributes);
    resource.targetInfo = labels === undefined ? null : encodeLabels(labels);
  }
  if (resource.targetInfo === null) return;
  if (!sink.isReferenced?.(resource.targetInfoRef))
    resource.targetInfoRef = sink.reference(resource.targetInfo);
  sink.append(resource.targetInfoRef, timeMs, 1);
}

const WHOLE_REQUEST: ReadonlySet<string> = new Set(['OTLP_MALFORMED', 'OTLP_LIMIT', 'STORE_BATCH_LIMIT']);

/** What the store refuses of one point is counted; what is wrong with the request is thrown on. */
function refused(error: unknown): CodedError {
  if (!isCodedError(error) || WHOLE_REQUEST.has(error.code)) throw error;
  return error;
}
