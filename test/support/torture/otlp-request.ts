import { PbfWriter } from 'pbf';

export interface GaugePoint {
  readonly attributes: Readonly<Record<string, string>>;
  readonly t: number;
  readonly value: number;
}

/** An ExportMetricsServiceRequest with one gauge, by pbf's own writer, which is not the one we send with. */
export function gaugeRequest(name: string, points: readonly GaugePoint[]): Uint8Array {
  const request = new PbfWriter();
  request.writeMessage(1, resourceMetrics, { name, points });
  return request.finish();
}

interface Gauge {
  readonly name: string;
  readonly points: readonly GaugePoint[];
}

const resourceMetrics = (gauge: Gauge, writer: PbfWriter) => writer.writeMessage(2, scopeMetrics, gauge);
const scopeMetrics = (gauge: Gauge, writer: PbfWriter) => writer.writeMessage(2, metric, gauge);

function metric({ name, points }: Gauge, writer: PbfWriter): void {
  writer.writeStringField(1, name);
  writer.writeMessage(
    5,
    (_, gauge: PbfWriter) => {
      for (const one of points) gauge.writeMessage(1, point, one);
    },
    undefined,
  );
}

function point({ attributes, t, value }: GaugePoint, writer: PbfWriter): void {
  const nanoseconds = BigInt(t) * 1_000_000n;
  writer.writeTag(3, 1);
  writer.writeFixed32(Number(nanoseconds & 0xffffffffn));
  writer.writeFixed32(Number(nanoseconds >> 32n));
  writer.writeDoubleField(4, value);
  for (const [key, text] of Object.entries(attributes))
    writer.writeMessage(
      7,
      (_, pair: PbfWriter) => {
        pair.writeStringField(1, key);
        pair.writeMessage(2, (__, any: PbfWriter) => any.writeStringField(1, text), undefined);
      },
      undefined,
    );
}
