import { PbfWriter } from 'pbf';
import type { HistogramPoint, NumberPoint, Point, Signal } from '../catalogue/signal.ts';
import { type AnyValue, writeKeyValue } from './any-value.ts';
import { writeNanoseconds } from './protobuf.ts';
import { NODE_ATTRIBUTE, type ResourceFacts, writeResource, writeScope } from './resource.ts';

// Field numbers of opentelemetry/proto/metrics/v1/metrics.proto and collector/metrics/v1/metrics_service.proto.

const CUMULATIVE = 2;
/** DataPointFlags: the series went away. */
const NO_RECORDED_VALUE = 1;

/** The points of one resource, as they came. */
export interface ResourcePoints {
  /** The same for all points of this resource, and for no others. */
  readonly key: string;
  readonly attributes: readonly (readonly [string, AnyValue])[];
  readonly points: Point[];
}

/** An ExportMetricsServiceRequest of points taken at `atMs`. Times are written in nanoseconds. */
export function encodePoints(points: readonly Point[], atMs: number, facts: ResourceFacts): Uint8Array {
  const writer = new PbfWriter(new Uint8Array(Math.max(1024, points.length * 64)));
  for (const resource of byResource(points, facts)) writeResourcePoints(resource, atMs, facts, writer);
  return writer.finish();
}

/** One resource with all its points, as a field of the request: they stand by signal, in the order signals came. */
export function writeResourcePoints(
  resource: ResourcePoints,
  atMs: number,
  facts: ResourceFacts,
  writer: PbfWriter,
): void {
  writer.writeMessage(1, writeResourceMetrics, { resource, facts, atMs });
}

export function bySignal(points: readonly Point[]): ReadonlyMap<Signal, readonly Point[]> {
  return Map.groupBy(points, ({ signal }) => signal);
}

export function byResource(points: readonly Point[], facts: ResourceFacts): Iterable<ResourcePoints> {
  const resources = new Map<string, ResourcePoints>();
  // Points of one resource come in rows: mostly the one of that kind before had the same.
  const newest = new Map<string, { readonly point: Point; readonly resource: ResourcePoints }>();
  const find = (point: Point): ResourcePoints => {
    const { kind } = places(point.signal);
    const before = newest.get(kind);
    if (before && sameResource(point, before.point)) return before.resource;
    const key = resourceKey(point);
    let resource = resources.get(key);
    if (resource === undefined) {
      resource = { key, attributes: resourceAttributes(point, facts), points: [] };
      resources.set(key, resource);
    }
    newest.set(kind, { point, resource });
    return resource;
  };
  for (const point of points) find(point).points.push(point);
  return resources.values();
}

interface Placed {
  readonly attribute: string;
  readonly index: number;
}

/** Where a signal's labels go, and a word for the attributes its resources have. */
interface Places {
  readonly resource: readonly Placed[];
  readonly point: readonly Placed[];
  readonly kind: string;
}

const placesOf = new WeakMap<Signal, Places>();

function places(signal: Signal): Places {
  const known = placesOf.get(signal);
  if (known) return known;
  const made = findPlaces(signal);
  placesOf.set(signal, made);
  return made;
}

function findPlaces({ labels }: Signal): Places {
  const on = (where: 'resource' | 'point') =>
    labels.flatMap((label, index) => (label.on === where ? [{ attribute: label.attribute, index }] : []));
  const resource = on('resource');
  return {
    resource,
    point: on('point'),
    kind: resource.map(({ attribute }) => attribute).join('\0'),
  };
}

/** The same for points with the same attributes of the resource; who has fewer of them by absence has another. */
function resourceKey({ signal, labels }: Point): string {
  const { resource, kind } = places(signal);
  let key = kind;
  for (const { index } of resource) key += `\0${labels[index] ?? ''}`;
  return key;
}

/** For points of the same kind. */
function sameResource(some: Point, other: Point): boolean {
  const mine = places(some.signal).resource;
  const theirs = places(other.signal).resource;
  for (let i = 0; i < mine.length; i += 1)
    if (some.labels[mine[i]!.index] !== other.labels[theirs[i]!.index]) return false;
  return true;
}

function resourceAttributes(point: Point, facts: ResourceFacts): (readonly [string, string])[] {
  const attributes: (readonly [string, string])[] = [];
  let saysNode = false;
  for (const { attribute, index } of places(point.signal).resource) {
    if (attribute === NODE_ATTRIBUTE) saysNode = true;
    const value = point.labels[index];
    if (value) attributes.push([attribute, value]);
  }
  // A signal with a node label of its own says itself which node it is about, if any.
  if (!saysNode) attributes.push([NODE_ATTRIBUTE, facts.node]);
  return attributes;
}

interface Context {
  readonly facts: ResourceFacts;
  readonly atMs: number;
}

function writeResourceMetrics(
  context: Context & { readonly resource: ResourcePoints },
  writer: PbfWriter,
): void {
  const { resource, facts } = context;
  writer.writeMessage(1, (_, w: PbfWriter) => writeResource(facts, resource.attributes, w), undefined);
  writer.writeMessage(2, writeScopeMetrics, context);
}

function writeScopeMetrics(
  { resource, facts, atMs }: Context & { readonly resource: ResourcePoints },
  writer: PbfWriter,
): void {
  writer.writeMessage(1, writeScope, facts);
  for (const [signal, points] of bySignal(resource.points))
    writer.writeMessage(2, writeMetric, { signal, points, atMs });
}

interface Metric {
  readonly signal: Signal;
  readonly points: readonly Point[];
  readonly atMs: number;
}

// Field of `Metric.data` for each instrument.
const DATA_FIELD = { gauge: 5, counter: 7, updowncounter: 7, histogram: 9 } as const;

function writeMetric(metric: Metric, writer: PbfWriter): void {
  const { otlp, help, unit } = metric.signal;
  writer.writeStringField(1, otlp.name);
  writer.writeStringField(2, help);
  writer.writeStringField(3, unit);
  writer.writeMessage(DATA_FIELD[otlp.instrument], writeData, metric);
}

function writeData({ signal, points, atMs }: Metric, writer: PbfWriter): void {
  for (const point of points) {
    if ('buckets' in point) writer.writeMessage(1, (p, w) => writeHistogramPoint(p, atMs, w), point);
    else writer.writeMessage(1, (p, w) => writeNumberPoint(p, atMs, w), point);
  }
  const { instrument } = signal.otlp;
  if (instrument !== 'gauge') writer.writeVarintField(2, CUMULATIVE);
  if (instrument === 'counter') writer.writeBooleanField(3, true);
}

function writePointAttributes(point: Point, field: number, writer: PbfWriter): void {
  for (const { attribute, index } of places(point.signal).point) {
    const value = point.labels[index];
    if (value) writeKeyValue(writer, field, attribute, value);
  }
  const { fixed } = point.signal.otlp;
  if (fixed) for (const key of Object.keys(fixed)) writeKeyValue(writer, field, key, fixed[key]!);
}

function writeNumberPoint(point: NumberPoint, atMs: number, writer: PbfWriter): void {
  writePointAttributes(point, 7, writer);
  if (point.startMs !== undefined) writeNanoseconds(writer, 2, point.startMs);
  writeNanoseconds(writer, 3, atMs);
  if (point.ended) writer.writeVarintField(8, NO_RECORDED_VALUE);
  else writer.writeDoubleField(4, point.value);
}

function writeHistogramPoint(point: HistogramPoint, atMs: number, writer: PbfWriter): void {
  writePointAttributes(point, 9, writer);
  if (point.startMs !== undefined) writeNanoseconds(writer, 2, point.startMs);
  writeNanoseconds(writer, 3, atMs);
  writer.writeFixed64Field(4, point.count);
  writer.writeDoubleField(5, point.sum);
  writer.writePackedFixed64(6, [...point.buckets]);
  writer.writePackedDouble(7, [...(point.signal.bounds ?? [])]);
  if (point.ended) writer.writeVarintField(10, NO_RECORDED_VALUE);
}
