import type { PbfReader } from 'pbf';
import { type AnyValue, type Attributes, readKeyValue } from './any-value.ts';
import { beyondLimit, type OtlpLimits } from './limits.ts';
import {
  enter,
  malformed,
  readMilliseconds,
  readNumber,
  readRepeated64,
  readSigned64,
  readSpan,
  readText,
  readVarint,
  scan,
} from './protobuf.ts';
import { readResource, readScopeName } from './resource.ts';

// Field numbers of opentelemetry/proto/metrics/v1/metrics.proto. Protocol buffers may put fields in any order, so a
// message is scanned once for what its data points need, and then for the points.

export type MetricKind = 'gauge' | 'sum' | 'histogram' | 'exponential histogram' | 'summary';

/** What all data points of a metric share. */
export interface MetricContext {
  readonly resource: Attributes;
  readonly scope: string;
  readonly name: string;
  readonly unit: string;
  readonly kind: MetricKind;
  readonly monotonic: boolean;
  /** 0 where the kind has none, 1 delta, 2 cumulative. */
  readonly temporality: number;
  /** The bytes that all of the above came from; equal for equal contexts. */
  readonly key: string;
}

/** A data point; one object is used for all points of a request. */
export interface DataPoint {
  /** The raw bytes of the attributes, as text of one character a byte. */
  attributeKey: string;
  /** Decodes the attributes. */
  attributes(): Attributes;
  startMs: number;
  timeMs: number;
  /** Number points only; NaN for others. */
  value: number;
  /** No value was recorded: the series has ended. */
  stale: boolean;
  count: number;
  sum: number | undefined;
  bucketCounts: number[];
  bounds: number[];
  /** Quantile and value, one after the other. Summaries only. */
  quantiles: number[];
}

export interface MetricVisitor {
  /** Answers whether the points of the metric are wanted; `points` is how many there are. */
  metric(context: MetricContext, points: number): boolean;
  point(point: DataPoint): void;
  resourceEnd(resource: Attributes): void;
}

const KINDS: Readonly<Record<number, MetricKind>> = {
  5: 'gauge',
  7: 'sum',
  9: 'histogram',
  10: 'exponential histogram',
  11: 'summary',
};

const latin1 = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

/** Walks an ExportMetricsServiceRequest. */
export function readMetrics(reader: PbfReader, limits: OtlpLimits, visitor: MetricVisitor): void {
  let points = 0;
  const counted: MetricVisitor = {
    ...visitor,
    metric(context, count) {
      points += count;
      if (points > limits.dataPoints) throw beyondLimit('data points', limits.dataPoints);
      return visitor.metric(context, count);
    },
  };
  scan(reader, reader.length, (field) => {
    if (field === 1) readResourceMetrics(reader, enter(reader), limits, counted);
  });
}

/** Where a field that was stepped over starts and ends. */
type Span = readonly [start: number, end: number];

function readResourceMetrics(
  reader: PbfReader,
  end: number,
  limits: OtlpLimits,
  visitor: MetricVisitor,
): void {
  let resource: Attributes = new Map<string, AnyValue>();
  let resourceKey = '';
  const scopes: Span[] = [];
  scan(reader, end, (field) => {
    if (field === 1) {
      const [start, stop] = stepOver(reader);
      resourceKey = latin1(reader.buf.subarray(start, stop));
      reader.pos = start;
      resource = readResource(reader, stop, limits.attributes);
    } else if (field === 2) scopes.push(stepOver(reader));
  });
  for (const scope of scopes) readScopeMetrics(reader, scope, { resource, resourceKey }, limits, visitor);
  reader.pos = end;
  visitor.resourceEnd(resource);
}

function stepOver(reader: PbfReader): Span {
  const span = readSpan(reader);
  return [reader.pos - span.length, reader.pos];
}

interface ResourceContext {
  readonly resource: Attributes;
  readonly resourceKey: string;
}

function readScopeMetrics(
  reader: PbfReader,
  [start, end]: Span,
  context: ResourceContext,
  limits: OtlpLimits,
  visitor: MetricVisitor,
): void {
  let scope = '';
  const metrics: Span[] = [];
  reader.pos = start;
  scan(reader, end, (field) => {
    if (field === 1) scope = readScopeName(reader, enter(reader));
    else if (field === 2) metrics.push(stepOver(reader));
  });
  for (const metric of metrics) readMetric(reader, metric, { ...context, scope }, limits, visitor);
}

function readMetric(
  reader: PbfReader,
  [start, end]: Span,
  shared: ResourceContext & { readonly scope: string },
  limits: OtlpLimits,
  visitor: MetricVisitor,
): void {
  let name = '';
  let unit = '';
  let kind: MetricKind | undefined;
  let data: Span = [start, start];
  reader.pos = start;
  scan(reader, end, (field) => {
    if (field === 1) name = readText(reader);
    else if (field === 3) unit = readText(reader);
    else if (KINDS[field] !== undefined) {
      kind = KINDS[field];
      data = stepOver(reader);
    }
  });
  if (kind === undefined) return;
  if (name === '') throw malformed('a metric without a name');
  const { temporality, monotonic, points } = readDataFacts(reader, data);
  const { resource, resourceKey, scope } = shared;
  const key = JSON.stringify([scope, name, unit, kind, monotonic]) + resourceKey;
  const context = { resource, scope, name, unit, kind, monotonic, temporality, key };
  if (!visitor.metric(context, points)) return;
  readPoints(reader, data, kind, limits, visitor);
}

function readDataFacts(reader: PbfReader, [start, end]: Span) {
  let temporality = 0;
  let monotonic = false;
  let points = 0;
  reader.pos = start;
  scan(reader, end, (field) => {
    if (field === 1) {
      stepOver(reader);
      points += 1;
    } else if (field === 2) temporality = readVarint(reader);
    else if (field === 3) monotonic = readVarint(reader) !== 0;
  });
  return { temporality, monotonic, points };
}

function readPoints(
  reader: PbfReader,
  [start, end]: Span,
  kind: MetricKind,
  limits: OtlpLimits,
  visitor: MetricVisitor,
): void {
  const attributeSpans: Span[] = [];
  const point: DataPoint = {
    attributeKey: '',
    attributes: () => decodeAttributes(reader, attributeSpans, limits),
    startMs: 0,
    timeMs: 0,
    value: Number.NaN,
    stale: false,
    count: 0,
    sum: undefined,
    bucketCounts: [],
    bounds: [],
    quantiles: [],
  };
  const fields = FIELDS[kind];
  reader.pos = start;
  scan(reader, end, (field) => {
    if (field !== 1) return;
    const stop = enter(reader);
    clearPoint(point);
    attributeSpans.length = 0;
    scan(reader, stop, (inner) => {
      if (inner === fields.attributes) {
        const span = stepOver(reader);
        attributeSpans.push(span);
        point.attributeKey += `${span[1] - span[0]}:${latin1(reader.buf.subarray(span[0], span[1]))}`;
      } else if (inner === 2) point.startMs = readMilliseconds(reader);
      else if (inner === 3) point.timeMs = readMilliseconds(reader);
      else if (inner === fields.flags) point.stale = (readVarint(reader) & 1) === 1;
      else fields.read(inner, point, reader);
    });
    visitor.point(point);
    reader.pos = stop;
  });
}

function clearPoint(point: DataPoint): void {
  point.attributeKey = '';
  point.startMs = 0;
  point.timeMs = 0;
  point.value = Number.NaN;
  point.stale = false;
  point.count = 0;
  point.sum = undefined;
  point.bucketCounts.length = 0;
  point.bounds.length = 0;
  point.quantiles.length = 0;
}

interface PointFields {
  readonly attributes: number;
  readonly flags: number;
  readonly read: (field: number, point: DataPoint, reader: PbfReader) => void;
}

const number: PointFields = {
  attributes: 7,
  flags: 8,
  read(field, point, reader) {
    if (field === 4) point.value = readNumber(reader);
    else if (field === 6) point.value = readSigned64(reader);
  },
};

const unsigned64 = (reader: PbfReader) => reader.readFixed64();
const double = (reader: PbfReader) => reader.readDouble();

const FIELDS: Readonly<Record<MetricKind, PointFields>> = {
  gauge: number,
  sum: number,
  histogram: {
    attributes: 9,
    flags: 10,
    read(field, point, reader) {
      if (field === 4) point.count = unsigned64(reader);
      else if (field === 5) point.sum = readNumber(reader);
      else if (field === 6) readRepeated64(reader, point.bucketCounts, unsigned64);
      else if (field === 7) readRepeated64(reader, point.bounds, double);
    },
  },
  'exponential histogram': { attributes: 1, flags: 10, read() {} },
  summary: {
    attributes: 7,
    flags: 8,
    read(field, point, reader) {
      if (field === 4) point.count = unsigned64(reader);
      else if (field === 5) point.sum = readNumber(reader);
      else if (field === 6) readQuantile(point, reader);
    },
  },
};

function readQuantile(point: DataPoint, reader: PbfReader): void {
  let quantile = 0;
  let value = 0;
  scan(reader, enter(reader), (field) => {
    if (field === 1) quantile = readNumber(reader);
    else if (field === 2) value = readNumber(reader);
  });
  point.quantiles.push(quantile, value);
}

function decodeAttributes(reader: PbfReader, spans: readonly Span[], limits: OtlpLimits): Attributes {
  if (spans.length > limits.attributes) throw beyondLimit('attributes on a data point', limits.attributes);
  const back = reader.pos;
  const attributes = new Map<string, AnyValue>();
  for (const [start, end] of spans) {
    reader.pos = start;
    const [key, value] = readKeyValue(reader, end);
    attributes.set(key, value);
  }
  reader.pos = back;
  return attributes;
}
