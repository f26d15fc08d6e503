import { PbfWriter } from 'pbf';
import { writeKeyValue } from '../../../src/wire/otlp/any-value.ts';
import { writeNanoseconds } from '../../../src/wire/otlp/protobuf.ts';

/** A metric as another sender would send it. */
export interface ForeignMetric {
  readonly name: string;
  readonly unit: string;
  readonly kind: 'gauge' | 'sum' | 'histogram' | 'summary';
  readonly monotonic?: boolean;
  /** Cumulative when left out. */
  readonly temporality?: number;
  readonly points: readonly {
    readonly attributes?: Readonly<Record<string, string>>;
    readonly value?: number;
    readonly noValue?: boolean;
    readonly bounds?: readonly number[];
    readonly buckets?: readonly number[];
    readonly quantiles?: readonly (readonly [number, number])[];
    readonly sum?: number;
    readonly count?: number;
  }[];
}

const DATA = { gauge: 5, sum: 7, histogram: 9, summary: 11 } as const;

/** By opentelemetry/proto/metrics/v1/metrics.proto; written apart from the product's own encoder. */
export function encodeForeign(
  metrics: readonly ForeignMetric[],
  resource: Readonly<Record<string, string>>,
  atMs: number,
): Uint8Array {
  const writer = new PbfWriter();
  const message = (into: PbfWriter, field: number, write: (w: PbfWriter) => void) =>
    into.writeMessage(field, (_, w: PbfWriter) => write(w), null);
  message(writer, 1, (resourceMetrics) => {
    message(resourceMetrics, 1, (w) => {
      for (const [key, value] of Object.entries(resource)) writeKeyValue(w, 1, key, value);
    });
    message(resourceMetrics, 2, (scope) => {
      for (const metric of metrics) message(scope, 2, (w) => writeForeignMetric(w, metric));
    });
  });
  return writer.finish();

  function writeForeignMetric(w: PbfWriter, metric: ForeignMetric): void {
    w.writeStringField(1, metric.name);
    w.writeStringField(3, metric.unit);
    message(w, DATA[metric.kind], (data) => {
      for (const point of metric.points) {
        message(data, 1, (p) => {
          const attributes = metric.kind === 'histogram' ? 9 : 7;
          for (const [key, value] of Object.entries(point.attributes ?? {}))
            writeKeyValue(p, attributes, key, value);
          writeNanoseconds(p, 3, atMs);
          if (point.value !== undefined) p.writeDoubleField(4, point.value);
          if (point.count !== undefined) p.writeFixed64Field(4, point.count);
          if (point.sum !== undefined) p.writeDoubleField(5, point.sum);
          if (point.buckets) p.writePackedFixed64(6, [...point.buckets]);
          if (point.bounds) p.writePackedDouble(7, [...point.bounds]);
          for (const [quantile, value] of point.quantiles ?? []) {
            message(p, 6, (q) => {
              q.writeDoubleField(1, quantile);
              q.writeDoubleField(2, value);
            });
          }
          if (point.noValue) p.writeVarintField(metric.kind === 'histogram' ? 10 : 8, 1);
        });
      }
      if (metric.kind === 'sum' || metric.kind === 'histogram')
        data.writeVarintField(2, metric.temporality ?? 2);
      if (metric.monotonic) data.writeBooleanField(3, true);
    });
  }
}
