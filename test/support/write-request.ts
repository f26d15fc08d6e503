import { PbfWriter } from 'pbf';

export interface WrittenSeries {
  /** In this order, whatever it is. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** Milliseconds and a value, or the 16 hexadecimal digits of one. */
  readonly samples: readonly (readonly [t: number, value: number | string])[];
  readonly histograms?: number;
}

/** A `prometheus.WriteRequest` by pbf's own writer, which is not the one we send with. */
export function writeRequest(series: readonly WrittenSeries[]): Uint8Array {
  const request = new PbfWriter();
  for (const one of series) request.writeMessage(1, writeSeries, one);
  return request.finish();
}

function writeSeries({ labels, samples, histograms = 0 }: WrittenSeries, writer: PbfWriter): void {
  for (const [name, value] of labels)
    writer.writeMessage(
      1,
      (_, label: PbfWriter) => {
        label.writeStringField(1, name);
        label.writeStringField(2, value);
      },
      undefined,
    );
  for (const [t, value] of samples)
    writer.writeMessage(
      2,
      (_, sample: PbfWriter) => {
        if (typeof value === 'number') sample.writeDoubleField(1, value);
        else {
          sample.writeTag(1, 1);
          sample.writeFixed32(Number.parseInt(value.slice(8), 16));
          sample.writeFixed32(Number.parseInt(value.slice(0, 8), 16));
        }
        sample.writeVarintField(2, t);
      },
      undefined,
    );
  for (let i = 0; i < histograms; i += 1)
    writer.writeMessage(4, (_, histogram: PbfWriter) => histogram.writeVarintField(1, 1), undefined);
}
