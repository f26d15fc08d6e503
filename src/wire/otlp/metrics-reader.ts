import {
  type Cursor,
  createNumbers,
  doubleAt,
  enter,
  type Numbers,
  nextField,
  pushNumber,
  readDouble,
  readMilliseconds,
  readRepeated64,
  readSigned64,
  readUnsigned64,
  readVarint,
  skip,
  unsigned64At,
} from './cursor.ts';
import { beyondLimit, type OtlpLimits } from './limits.ts';
import { malformed } from './protobuf.ts';

// Field numbers of opentelemetry/proto/metrics/v1/metrics.proto. Protocol buffers may put fields in any order, so a
// message is scanned once for what its data points need, and then for the points.

export type MetricKind = 'gauge' | 'sum' | 'histogram' | 'exponential histogram' | 'summary';

/** Where something is in the bytes of a request: from `from` to before `to`. */
export interface Span {
  from: number;
  to: number;
}

/** What all data points of a metric share; one object is used for all metrics of a request. */
export interface RawMetric {
  /** The name of the scope. */
  readonly scope: Span;
  readonly name: Span;
  readonly unit: Span;
  kind: MetricKind;
  monotonic: boolean;
  /** 0 where the kind has none, 1 delta, 2 cumulative. */
  temporality: number;
}

/** A data point; one object is used for all points of a request. */
export interface RawPoint {
  /** The fields that hold attributes, each with its tag, one after the other; how many they are is `attributes`. */
  readonly attributeFields: Span;
  attributes: number;
  /** Something else stands between them. */
  scattered: boolean;
  startMs: number;
  timeMs: number;
  /** Number points only; NaN for others. */
  value: number;
  /** No value was recorded: the series has ended. */
  stale: boolean;
  count: number;
  hasSum: boolean;
  sum: number;
  readonly bucketCounts: Numbers;
  /** Upper bounds of buckets, or the quantiles of a summary. */
  readonly bounds: Numbers;
  /** Of the quantiles. */
  readonly quantileValues: Numbers;
}

/** Who takes what a request holds, as it is read; what it is handed is good until the next call. */
export interface MetricVisitor {
  /** The bytes of the next Resource message; empty where there is none. */
  resource(span: Span): void;
  /** Answers whether the points of the metric are wanted; `points` is how many there are. */
  metric(metric: RawMetric, points: number): boolean;
  point(point: RawPoint): void;
  resourceEnd(): void;
}

const KINDS: Readonly<Record<number, MetricKind>> = {
  5: 'gauge',
  7: 'sum',
  9: 'histogram',
  10: 'exponential histogram',
  11: 'summary',
};

// Between two steps the caller may look at the clock, which costs as much as a few points.
const FIELDS_A_STEP = 1_024;
const POINTS_A_STEP = 32;

interface Reading {
  readonly cursor: Cursor;
  readonly limits: OtlpLimits;
  readonly visitor: MetricVisitor;
  readonly metric: RawMetric;
  readonly point: RawPoint;
  /** The `Metric.data` of the metric at hand. */
  readonly data: Span;
  points: number;
  fields: number;
}

const span = (): Span => ({ from: 0, to: 0 });

/**
 * Walks an ExportMetricsServiceRequest, some points a step, so that the caller may give others their turn in between. No
 * object is made per point, and none per metric.
 *
 * @throws OTLP_MALFORMED, OTLP_LIMIT, and RangeError for bytes that are cut off: nothing of the request may be kept.
 */
export function* readMetrics(
  cursor: Cursor,
  limits: OtlpLimits,
  visitor: MetricVisitor,
): Generator<undefined, void> {
  const reading: Reading = {
    cursor,
    limits,
    visitor,
    metric: { scope: span(), name: span(), unit: span(), kind: 'gauge', monotonic: false, temporality: 0 },
    point: createPoint(),
    data: span(),
    points: 0,
    fields: 0,
  };
  const end = cursor.bytes.length;
  for (let field = nextField(cursor, end); field !== 0; field = nextField(cursor, end)) {
    if (field === 1) yield* readResourceMetrics(reading, enter(cursor, end));
    else skip(cursor, end);
    if (isStep(reading)) yield undefined;
  }
}

const isStep = (reading: Reading) => {
  reading.fields += 1;
  return reading.fields % FIELDS_A_STEP === 0;
};

function* readResourceMetrics(reading: Reading, end: number): Generator<undefined, void> {
  const { cursor, visitor } = reading;
  const start = cursor.at;
  const resource = span();
  for (let field = nextField(cursor, end); field !== 0; field = nextField(cursor, end)) {
    if (field === 1) stepOver(cursor, end, resource);
    else skip(cursor, end);
    if (isStep(reading)) yield undefined;
  }
  visitor.resource(resource);
  cursor.at = start;
  for (let field = nextField(cursor, end); field !== 0; field = nextField(cursor, end)) {
    if (field === 2) yield* readScopeMetrics(reading, enter(cursor, end));
    else skip(cursor, end);
    if (isStep(reading)) yield undefined;
  }
  visitor.resourceEnd();
}

function* readScopeMetrics(reading: Reading, end: number): Generator<undefined, void> {
  const { cursor } = reading;
  const start = cursor.at;
  const scope = span();
  for (let field = nextField(cursor, end); field !== 0; field = nextField(cursor, end)) {
    if (field === 1) readScopeName(cursor, enter(cursor, end), scope);
    else skip(cursor, end);
    if (isStep(reading)) yield undefined;
  }
  cursor.at = start;
  for (let field = nextField(cursor, end); field !== 0; field = nextField(cursor, end)) {
    if (field !== 2) skip(cursor, end);
    else {
      const metricEnd = enter(cursor, end);
      setSpan(reading.metric.scope, scope.from, scope.to);
      if (isWanted(reading, metricEnd)) {
        cursor.at = reading.data.from;
        while (readSomePoints(reading)) yield undefined;
      }
      cursor.at = metricEnd;
    }
    if (isStep(reading)) yield undefined;
  }
}

function readScopeName(cursor: Cursor, end: number, name: Span): void {
  setSpan(name, cursor.at, cursor.at);
  for (let field = nextField(cursor, end); field !== 0; field = nextField(cursor, end)) {
    if (field === 1) stepOver(cursor, end, name);
    else skip(cursor, end);
  }
}

/** Reads what the points of a metric share; whether there are some that are wanted. */
function isWanted(reading: Reading, end: number): boolean {
  const { cursor, metric, data, limits, visitor } = reading;
  let kind: MetricKind | undefined;
  setSpan(metric.name, 0, 0);
  setSpan(metric.unit, 0, 0);
  for (let field = nextField(cursor, end); field !== 0; field = nextField(cursor, end)) {
    if (field === 1) stepOver(cursor, end, metric.name);
    else if (field === 3) stepOver(cursor, end, metric.unit);
    else if (KINDS[field] !== undefined) {
      kind = KINDS[field];
      stepOver(cursor, end, data);
    } else skip(cursor, end);
  }
  if (kind === undefined) return false;
  if (metric.name.from === metric.name.to) throw malformed('a metric without a name');
  metric.kind = kind;
  metric.monotonic = false;
  metric.temporality = 0;
  let points = 0;
  cursor.at = data.from;
  for (let field = nextField(cursor, data.to); field !== 0; field = nextField(cursor, data.to)) {
    if (field === 2) metric.temporality = readVarint(cursor);
    else if (field === 3) metric.monotonic = readVarint(cursor) !== 0;
    else if (field === 1) {
      cursor.at = enter(cursor, data.to);
      points += 1;
      if (reading.points + points > limits.dataPoints) throw beyondLimit('data points', limits.dataPoints);
    } else skip(cursor, data.to);
  }
  reading.points += points;
  return visitor.metric(metric, points);
}

/** Whether there are more. */
function readSomePoints(reading: Reading): boolean {
  const { cursor, metric, data, point, visitor } = reading;
  const read = POINT_READERS[metric.kind];
  for (let fields = 0; fields < POINTS_A_STEP; fields += 1) {
    const field = nextField(cursor, data.to);
    if (field === 0) return false;
    if (field === 1) {
      clearPoint(point);
      read(cursor, enter(cursor, data.to), point);
      visitor.point(point);
    } else skip(cursor, data.to);
  }
  return true;
}

function createPoint(): RawPoint {
  return {
    attributeFields: span(),
    attributes: 0,
    scattered: false,
    startMs: 0,
    timeMs: 0,
    value: Number.NaN,
    stale: false,
    count: 0,
    hasSum: false,
    sum: 0,
    bucketCounts: createNumbers(),
    bounds: createNumbers(),
    quantileValues: createNumbers(),
  };
}

function clearPoint(point: RawPoint): void {
  setSpan(point.attributeFields, 0, 0);
  point.attributes = 0;
  point.scattered = false;
  point.startMs = 0;
  point.timeMs = 0;
  point.value = Number.NaN;
  point.stale = false;
  point.count = 0;
  point.hasSum = false;
  point.sum = 0;
  point.bucketCounts.length = 0;
  point.bounds.length = 0;
  point.quantileValues.length = 0;
}

type ReadPoint = (cursor: Cursor, end: number, point: RawPoint) => void;

function readNumberPoint(cursor: Cursor, end: number, point: RawPoint): void {
  let start = cursor.at;
  for (let field = nextField(cursor, end); field !== 0; field = nextField(cursor, end)) {
    if (field === 7) addAttribute(cursor, start, end, point);
    else if (field === 2) point.startMs = readMilliseconds(cursor);
    else if (field === 3) point.timeMs = readMilliseconds(cursor);
    else if (field === 4) point.value = readDouble(cursor);
    else if (field === 6) point.value = readSigned64(cursor);
    else if (field === 8) point.stale = (readVarint(cursor) & 1) === 1;
    else skip(cursor, end);
    start = cursor.at;
  }
}

function readHistogramPoint(cursor: Cursor, end: number, point: RawPoint): void {
  let start = cursor.at;
  for (let field = nextField(cursor, end); field !== 0; field = nextField(cursor, end)) {
    if (field === 9) addAttribute(cursor, start, end, point);
    else if (field === 2) point.startMs = readMilliseconds(cursor);
    else if (field === 3) point.timeMs = readMilliseconds(cursor);
    else if (field === 4) point.count = readUnsigned64(cursor);
    else if (field === 5) setSum(point, readDouble(cursor));
    else if (field === 6) readRepeated64(cursor, end, point.bucketCounts, unsigned64At);
    else if (field === 7) readRepeated64(cursor, end, point.bounds, doubleAt);
    else if (field === 10) point.stale = (readVarint(cursor) & 1) === 1;
    else skip(cursor, end);
    start = cursor.at;
  }
}

function readSummaryPoint(cursor: Cursor, end: number, point: RawPoint): void {
  let start = cursor.at;
  for (let field = nextField(cursor, end); field !== 0; field = nextField(cursor, end)) {
    if (field === 7) addAttribute(cursor, start, end, point);
    else if (field === 2) point.startMs = readMilliseconds(cursor);
    else if (field === 3) point.timeMs = readMilliseconds(cursor);
    else if (field === 4) point.count = readUnsigned64(cursor);
    else if (field === 5) setSum(point, readDouble(cursor));
    else if (field === 6) readQuantile(cursor, enter(cursor, end), point);
    else if (field === 8) point.stale = (readVarint(cursor) & 1) === 1;
    else skip(cursor, end);
    start = cursor.at;
  }
}

const POINT_READERS: Readonly<Record<MetricKind, ReadPoint>> = {
  gauge: readNumberPoint,
  sum: readNumberPoint,
  histogram: readHistogramPoint,
  // Nobody wants them.
  'exponential histogram': (cursor, end) => {
    cursor.at = end;
  },
  summary: readSummaryPoint,
};

function readQuantile(cursor: Cursor, end: number, point: RawPoint): void {
  let quantile = 0;
  let value = 0;
  for (let field = nextField(cursor, end); field !== 0; field = nextField(cursor, end)) {
    if (field === 1) quantile = readDouble(cursor);
    else if (field === 2) value = readDouble(cursor);
    else skip(cursor, end);
  }
  pushNumber(point.bounds, quantile);
  pushNumber(point.quantileValues, value);
}

function setSum(point: RawPoint, sum: number): void {
  point.hasSum = true;
  point.sum = sum;
}

/** `start` is where the tag of the field is. */
function addAttribute(cursor: Cursor, start: number, parentEnd: number, point: RawPoint): void {
  cursor.at = enter(cursor, parentEnd);
  const { attributeFields } = point;
  if (point.attributes === 0) setSpan(attributeFields, start, cursor.at);
  else {
    if (attributeFields.to !== start) point.scattered = true;
    attributeFields.to = cursor.at;
  }
  point.attributes += 1;
}

function stepOver(cursor: Cursor, parentEnd: number, into: Span): void {
  const end = enter(cursor, parentEnd);
  setSpan(into, cursor.at, end);
  cursor.at = end;
}

function setSpan(into: Span, from: number, to: number): void {
  into.from = from;
  into.to = to;
}
