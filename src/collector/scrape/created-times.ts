import { labelsKey, METRIC_NAME, toLabels } from '../../model/labels.ts';
import type { TextFormat } from '../../wire/prometheus/content-type.ts';
import { type ExposedType, readExposition } from '../../wire/prometheus/exposition-reader.ts';
import { parseSeries } from '../../wire/prometheus/exposition-series.ts';

/**
 * When counters began, as OpenMetrics tells it: `shop_orders_created` beside `shop_orders_total`.
 * Source: https://prometheus.io/docs/specs/om/open_metrics_spec/#counter
 */
export interface CreatedTimes {
  /** To be told of every type, in the order written. */
  type(name: string, type: ExposedType): void;
  /** Whether this is such a time, and no series. */
  isTime(series: string): boolean;
  /** What series that began together have in common; undefined where nothing of the kind begins. */
  keyOf(series: string): string | undefined;
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
export function* readCreatedTimes(text: string, format: TextFormat): Generator<undefined, CreatedTimes> {
  const times = new Map<string, number>();
  const found = family(format, times);
  if (format === 'openmetrics-1.0.0' && text.includes(CREATED)) {
    yield* readExposition(text, format, {
      type: found.type,
      sample(series, value) {
        const t = Math.trunc(value * 1000);
        if (found.isTime(series) && Number.isSafeInteger(t)) times.set(found.timeKeyOf(series), t);
      },
      help: () => {},
      unit: () => {},
    });
    found.type('', 'unknown');
  }
  return found;
}

/** Knows the metric that is being read. */
function family(format: TextFormat, times: ReadonlyMap<string, number>) {
  let name = '';
  let type: ExposedType = 'unknown';
  const keyWithout = (series: string, label: string | undefined) => {
    const others = parseSeries(series, format).filter(([one]) => one !== METRIC_NAME && one !== label);
    return `${name} ${labelsKey(toLabels(others))}`;
  };
  const nameOf = (series: string) => parseSeries(series, format).find(([one]) => one === METRIC_NAME)?.[1];
  return {
    type(newName: string, newType: ExposedType) {
      name = newName;
      type = newType;
    },
    isTime: (series: string) =>
      PARTS[type] !== undefined && series.includes(CREATED) && nameOf(series) === name + CREATED,
    timeKeyOf: (series: string) => keyWithout(series, undefined),
    keyOf(series: string) {
      const parts = PARTS[type];
      if (parts === undefined) return undefined;
      const own = nameOf(series);
      return parts.suffixes.some((suffix) => own === name + suffix)
        ? keyWithout(series, parts.label)
        : undefined;
    },
    of: (key: string) => times.get(key),
  };
}
