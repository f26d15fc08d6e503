import { labelsKey, METRIC_NAME, toLabels } from '../../model/labels.ts';
import type { TextFormat } from '../../wire/prometheus/content-type.ts';
import { type ExposedType, readExposition } from '../../wire/prometheus/exposition-reader.ts';
import { endOfMetricName, parseSeries } from '../../wire/prometheus/exposition-series.ts';

/**
 * When counters began, as OpenMetrics tells it: `shop_orders_created` beside `shop_orders_total`.
 * Source: https://prometheus.io/docs/specs/om/open_metrics_spec/#counter
 */
export interface CreatedTimes {
  /** To be told of every type, in the order written. */
  type(name: string, type: ExposedType): void;
  /** Whether bytes `from` to before `to` of the body are such a time, and no series. */
  isTime(from: number, to: number): boolean;
  /** What series that began together have in common; undefined where nothing of the kind begins. */
  keyOf(from: number, to: number): string | undefined;
  /** When the series with this key began, in integer milliseconds, if the target says so. */
  of(key: string): number | undefined;
}

const CREATED = '_created';
// What else the series of a metric are called, and the label that tells them apart.
const PARTS: Partial<
  Record<ExposedType, { readonly suffixes: readonly string[]; readonly label: string | undefined }>
> = {
  counter: { suffixes: ['_total'], label: undefined },
  histogram: { suffixes: ['_bucket', '_sum', '_count'], label: 'le' },
  summary: { suffixes: ['', '_sum', '_count'], label: 'quantile' },
};

/** Reads the times of a whole exposition, which may stand after what began at them. Between pieces others may go on. */
export function* readCreatedTimes(body: Uint8Array, format: TextFormat): Generator<undefined, CreatedTimes> {
  const times = new Map<string, number>();
  const found = family(body, format, times);
  if (format === 'openmetrics-1.0.0' && bufferOf(body).includes(CREATED)) {
    yield* readExposition(body, format, {
      type: found.type,
      sample(from, to, value) {
        const t = Math.trunc(value * 1000);
        if (found.isTime(from, to) && Number.isSafeInteger(t)) times.set(found.timeKeyOf(from, to), t);
      },
      help: () => {},
      unit: () => {},
    });
    found.type('', 'unknown');
  }
  return found;
}

const BRACE_OPEN = 123;
const bufferOf = ({ buffer, byteOffset, length }: Uint8Array) => Buffer.from(buffer, byteOffset, length);

/** Knows the metric that is being read. */
function family(body: Uint8Array, format: TextFormat, times: ReadonlyMap<string, number>) {
  let name = '';
  let type: ExposedType = 'unknown';
  const labelsOf = (from: number, to: number) => parseSeries(body.subarray(from, to), format);
  const keyWithout = (from: number, to: number, label: string | undefined) => {
    const others = labelsOf(from, to).filter(([one]) => one !== METRIC_NAME && one !== label);
    return `${name} ${labelsKey(toLabels(others))}`;
  };
  const nameOf = (from: number, to: number) => labelsOf(from, to).find(([one]) => one === METRIC_NAME)?.[1];
  /** Whether the name that begins at `from` is that of the times of this metric. */
  const isNamed = (from: number) => {
    if (endOfMetricName(body, from) - from !== name.length + CREATED.length) return false;
    for (let i = 0; i < name.length; i += 1) if (body[from + i] !== name.charCodeAt(i)) return false;
    for (let i = 0; i < CREATED.length; i += 1)
      if (body[from + name.length + i] !== CREATED.charCodeAt(i)) return false;
    return true;
  };
  return {
    type(newName: string, newType: ExposedType) {
      name = newName;
      type = newType;
    },
    isTime(from: number, to: number) {
      if (PARTS[type] === undefined) return false;
      return body[from] === BRACE_OPEN ? nameOf(from, to) === name + CREATED : isNamed(from);
    },
    timeKeyOf: (from: number, to: number) => keyWithout(from, to, undefined),
    keyOf(from: number, to: number) {
      const parts = PARTS[type];
      if (parts === undefined) return undefined;
      const own = nameOf(from, to);
      return parts.suffixes.some((suffix) => own === name + suffix)
        ? keyWithout(from, to, parts.label)
        : undefined;
    },
    of: (key: string) => times.get(key),
  };
}
