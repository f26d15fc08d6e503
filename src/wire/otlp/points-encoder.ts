import { PbfReader, PbfWriter } from 'pbf';
import type { Point } from '../catalogue/signal.ts';
import { byResource, bySignal, type ResourcePoints, writeResourcePoints } from './points-writer.ts';
import { enter, nanosecondsHigh, nanosecondsLow, scan } from './protobuf.ts';
import type { ResourceFacts } from './resource.ts';

/** Some points, encoded as one ExportMetricsServiceRequest. */
export interface PointsRequest {
  readonly count: number;
  readonly body: Uint8Array;
}

/**
 * Encodes what is sent again and again. Names, help and attributes are most of the bytes and stay the same: of a
 * resource whose series are those of the last time, only times and values are written anew.
 */
export interface PointsEncoder {
  /**
   * All points of the groups, in requests of at most `POINTS_PER_REQUEST`. Groups are asked for one by one, and no point
   * of a group is needed any more when the next is asked for. A resource should have all its points in one group.
   */
  encode(groups: Iterable<readonly Point[]>, atMs: number): readonly PointsRequest[];
  /** Resources that are kept. */
  readonly size: number;
}

// gRPC receivers take 4 MiB unless told otherwise; a point is some 100 bytes, a resource some 300.
export const POINTS_PER_REQUEST = 5_000;

/** A resource as it was encoded last. */
interface Template {
  readonly points: readonly Point[];
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where the numbers of each point begin: behind its attributes. */
  readonly numbersAt: Uint32Array;
  usedAtMs: number;
}

/** Whose resource is sent no more is gone, or says nothing. */
const FORGOTTEN_AFTER_MS = 300_000;
const MOST_RESOURCES = 4096;

export function createPointsEncoder(facts: ResourceFacts): PointsEncoder {
  const templates = new Map<string, Template>();
  let sweptAtMs = 0;

  const sweep = (atMs: number) => {
    if (Math.abs(atMs - sweptAtMs) < FORGOTTEN_AFTER_MS) return;
    sweptAtMs = atMs;
    for (const [key, { usedAtMs }] of templates)
      if (Math.abs(atMs - usedAtMs) >= FORGOTTEN_AFTER_MS) templates.delete(key);
  };
  const encodeResource = (resource: ResourcePoints, atMs: number): Uint8Array => {
    const { key, points } = resource;
    const known = templates.get(key);
    if (known && sameShape(known.points, points)) {
      const time = [nanosecondsLow(atMs), nanosecondsHigh(atMs)] as const;
      for (let i = 0; i < points.length; i += 1)
        writeNumbers(known.view, known.numbersAt[i]!, points[i]!, time);
      known.usedAtMs = atMs;
      return known.bytes;
    }
    const writer = new PbfWriter(new Uint8Array(points.length * 128));
    writeResourcePoints(resource, atMs, facts, writer);
    const bytes = writer.finish().slice();
    // The end of a series is told once.
    const comesAgain = !points.some(({ ended }) => ended);
    if (comesAgain && (known || templates.size < MOST_RESOURCES)) {
      const view = new DataView(bytes.buffer);
      templates.set(key, { points, bytes, view, numbersAt: findNumbers(bytes, points), usedAtMs: atMs });
    }
    return bytes;
  };
  // The next time it is as large.
  const body = growingBytes();
  const encodeGroup = (points: readonly Point[], atMs: number) => {
    for (const resource of byResource(points, facts)) body.add(encodeResource(resource, atMs));
  };
  return {
    encode(groups, atMs) {
      sweep(atMs);
      const requests: PointsRequest[] = [];
      let count = 0;
      const finish = () => {
        if (count > 0) requests.push({ count, body: body.take() });
        count = 0;
      };
      for (const group of groups) {
        if (count + group.length > POINTS_PER_REQUEST) finish();
        for (let i = 0; i < group.length; i += POINTS_PER_REQUEST) {
          const some = group.length > POINTS_PER_REQUEST ? group.slice(i, i + POINTS_PER_REQUEST) : group;
          encodeGroup(some, atMs);
          count += some.length;
          if (count === POINTS_PER_REQUEST) finish();
        }
      }
      finish();
      return requests;
    },
    get size() {
      return templates.size;
    },
  };
}

interface GrowingBytes {
  /** Takes a copy. */
  add(part: Uint8Array): void;
  /** A copy of all; begins anew. */
  take(): Uint8Array;
}

function growingBytes(): GrowingBytes {
  let all = new Uint8Array(16 * 1024);
  let length = 0;
  return {
    add(part) {
      if (length + part.length > all.length) {
        const larger = new Uint8Array(Math.max(2 * all.length, length + part.length));
        larger.set(all.subarray(0, length));
        all = larger;
      }
      all.set(part, length);
      length += part.length;
    },
    take() {
      const taken = all.slice(0, length);
      length = 0;
      return taken;
    },
  };
}

/** The same series, with the same start. */
function sameShape(some: readonly Point[], others: readonly Point[]): boolean {
  if (some.length !== others.length) return false;
  for (let i = 0; i < some.length; i += 1) {
    const [one, other] = [some[i]!, others[i]!];
    if (one === other) continue;
    if (one.signal !== other.signal || one.startMs !== other.startMs || other.ended) return false;
    if (one.labels.length !== other.labels.length) return false;
    for (let label = 0; label < one.labels.length; label += 1)
      if (one.labels[label] !== other.labels[label]) return false;
  }
  return true;
}

// Field numbers of opentelemetry/proto/metrics/v1/metrics.proto.
const ATTRIBUTES = { number: 7, histogram: 9 } as const;
const DATA_FIELDS: readonly number[] = [5, 7, 9];

/** Points are encoded by signal; the places are given in the order of `points`. */
function findNumbers(bytes: Uint8Array, points: readonly Point[]): Uint32Array {
  const indexOf = new Map(points.map((point, index) => [point, index]));
  const encoded = [...bySignal(points).values()].flat();
  const found = new Uint32Array(points.length);
  let count = 0;
  const reader = new PbfReader(bytes);
  const inside = (wanted: readonly number[], visit: (end: number) => void) => (field: number) => {
    if (wanted.includes(field)) visit(enter(reader));
  };
  const visitPoint = (end: number) => {
    const point = encoded[count]!;
    const attributes = 'buckets' in point ? ATTRIBUTES.histogram : ATTRIBUTES.number;
    let at = end;
    scan(reader, end, (field) => {
      // A tag of these fields is one byte.
      if (field !== attributes) at = Math.min(at, reader.pos - 1);
    });
    found[indexOf.get(point)!] = at;
    count += 1;
  };
  const visitData = (end: number) => scan(reader, end, inside([1], visitPoint));
  const visitMetric = (end: number) => scan(reader, end, inside(DATA_FIELDS, visitData));
  const visitScope = (end: number) => scan(reader, end, inside([2], visitMetric));
  const visitResource = (end: number) => scan(reader, end, inside([2], visitScope));
  scan(reader, bytes.length, inside([1], visitResource));
  return found;
}

/** Each number has eight bytes behind a tag of one. */
const NUMBER_BYTES = 9;

/**
 * In the order of `writeNumberPoint` and `writeHistogramPoint`, from the first field behind the attributes. A start stays
 * what it was.
 */
function writeNumbers(
  view: DataView,
  from: number,
  point: Point,
  [low, high]: readonly [number, number],
): void {
  let at = from + 1 + (point.startMs === undefined ? 0 : NUMBER_BYTES);
  view.setUint32(at, low, true);
  view.setUint32(at + 4, high, true);
  at += NUMBER_BYTES;
  if (!('buckets' in point)) {
    view.setFloat64(at, point.value, true);
    return;
  }
  setCount(view, at, point.count);
  view.setFloat64(at + NUMBER_BYTES, point.sum, true);
  at += 2 * NUMBER_BYTES;
  // The length of the buckets, in groups of seven bits.
  for (let length = point.buckets.length * 8; ; length = Math.floor(length / 128)) {
    at += 1;
    if (length < 128) break;
  }
  for (const [index, bucket] of point.buckets.entries()) setCount(view, at + index * 8, bucket);
}

function setCount(view: DataView, at: number, count: number): void {
  view.setUint32(at, count % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(count / 2 ** 32), true);
}
