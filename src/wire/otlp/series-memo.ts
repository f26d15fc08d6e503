import { type ByteTable, createByteTable } from '../../util/byte-table.ts';
import type { Attributes } from './any-value.ts';
import type { MetricKind, RawMetric, Span } from './metrics-reader.ts';
import { SCOPE_NAME } from './resource.ts';
import type { MetricContext } from './series-naming.ts';

/** A Resource as it was sent, and what was made of it. */
export interface KnownResource {
  readonly number: number;
  readonly attributes: Attributes;
  /** The label bytes of its `target_info`; null where it has none, undefined where nobody asked. */
  targetInfo?: Uint8Array | null;
  targetInfoRef: number;
}

/** A metric of a resource and a scope. */
export interface KnownMetric extends MetricContext {
  readonly number: number;
  readonly isOurs: boolean;
}

/** The series of a histogram's or summary's point. */
export interface KnownParts {
  readonly bounds: Float64Array;
  readonly hasSum: boolean;
  readonly refs: number[];
}

/**
 * Remembers what raw bytes of requests stand for, so that a known series is found without making anything: resources by
 * their bytes, metrics by those of their scope, name and unit, points by those of their attributes. Numbers of series are the
 * store's, which may stand for nothing any more.
 */
export interface SeriesMemo {
  resource(view: DataView, span: Span, read: () => Attributes): KnownResource;
  metric(view: DataView, resource: KnownResource, metric: RawMetric, read: () => MetricContext): KnownMetric;
  /** By the number of their metric, and attributes. */
  readonly points: ByteTable;
  /** By the number of a point; a number point's series. */
  readonly refs: number[];
  /** By the number of a point; of histograms and summaries. */
  readonly parts: (KnownParts | undefined)[];
  /** Too much is remembered: who can should start anew. */
  readonly isFull: boolean;
}

const MOST_ENTRIES = 500_000;
const MOST_BYTES = 96 * 1024 ** 2;
const KIND_NUMBERS: Readonly<Record<MetricKind, number>> = {
  gauge: 0,
  sum: 1,
  histogram: 2,
  'exponential histogram': 3,
  summary: 4,
};

/** `seed` is random, but for tests. */
export function createSeriesMemo(seed: number): SeriesMemo {
  const resources = createByteTable(seed);
  const metrics = createByteTable(seed);
  const points = createByteTable(seed);
  const knownResources: KnownResource[] = [];
  const knownMetrics: KnownMetric[] = [];
  const parts: (KnownParts | undefined)[] = [];
  let scratch = new DataView(new ArrayBuffer(1_024));

  /** Kind, whether it only grows, and the lengths tell apart what stands together. */
  const writeMetric = (view: DataView, { scope, name, unit, kind, monotonic }: RawMetric) => {
    const size = 9 + scope.to - scope.from + name.to - name.from + unit.to - unit.from;
    if (size > scratch.byteLength) scratch = new DataView(new ArrayBuffer(size * 2));
    scratch.setUint8(0, KIND_NUMBERS[kind] * 2 + (monotonic ? 1 : 0));
    scratch.setUint32(1, scope.to - scope.from);
    scratch.setUint32(5, name.to - name.from);
    return copy(view, unit, copy(view, name, copy(view, scope, 9)));
  };
  const copy = (view: DataView, { from, to }: Span, start: number) => {
    let at = start;
    for (let i = from; i < to; i += 1) {
      scratch.setUint8(at, view.getUint8(i));
      at += 1;
    }
    return at;
  };

  return {
    resource(view, { from, to }, read) {
      const found = resources.find(0, view, from, to);
      if (found >= 0) return knownResources[found]!;
      const attributes = read();
      const number = resources.add(0, view, from, to);
      const known: KnownResource = { number, attributes, targetInfoRef: -1 };
      knownResources[number] = known;
      return known;
    },
    metric(view, resource, metric, read) {
      const size = writeMetric(view, metric);
      const found = metrics.find(resource.number, scratch, 0, size);
      if (found >= 0) return knownMetrics[found]!;
      const context = read();
      const number = metrics.add(resource.number, scratch, 0, size);
      const known: KnownMetric = { ...context, number, isOurs: context.scope === SCOPE_NAME };
      knownMetrics[number] = known;
      return known;
    },
    points,
    refs: [],
    parts,
    get isFull() {
      return (
        points.size + metrics.size + resources.size > MOST_ENTRIES ||
        points.bytes + metrics.bytes + resources.bytes > MOST_BYTES
      );
    },
  };
}
