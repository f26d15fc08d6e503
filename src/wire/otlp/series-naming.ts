import { encodeLabels, type Label, type Labels } from '../../model/labels.ts';
import { signalByOtlp } from '../catalogue/catalogue.ts';
import { formatBound, toSeriesLabels } from '../catalogue/series.ts';
import { type Attributes, attributeText } from './any-value.ts';
import { foreignLabels, metricName } from './metric-translation.ts';
import type { DataPoint, MetricContext } from './metrics-reader.ts';
import { INSTANCE_ATTRIBUTE, SCOPE_NAME } from './resource.ts';

/** One series of a data point: a plain one, or a part of a histogram or summary. */
export interface SeriesPart {
  readonly suffix: '' | '_bucket' | '_sum' | '_count';
  readonly le?: number;
  readonly quantile?: number;
}

const PLAIN: readonly SeriesPart[] = [{ suffix: '' }];

/** The series a point becomes, in the order `pointValues` gives their values. */
export function partsOf(context: MetricContext, point: DataPoint): readonly SeriesPart[] {
  if (context.kind === 'histogram') {
    const bounds = [...point.bounds, Number.POSITIVE_INFINITY];
    return [...bounds.map((le) => ({ suffix: '_bucket', le }) as const), ...totals(point)];
  }
  if (context.kind === 'summary') {
    const quantiles = point.quantiles.filter((_, i) => i % 2 === 0);
    return [...quantiles.map((quantile) => ({ suffix: '', quantile }) as const), ...totals(point)];
  }
  return PLAIN;
}

const totals = (point: DataPoint): SeriesPart[] =>
  point.sum === undefined ? [{ suffix: '_count' }] : [{ suffix: '_count' }, { suffix: '_sum' }];

export function pointValues(context: MetricContext, point: DataPoint): readonly number[] {
  const tail = point.sum === undefined ? [point.count] : [point.count, point.sum];
  if (context.kind === 'histogram') {
    let below = 0;
    const buckets = point.bounds.map((_, i) => {
      below += point.bucketCounts[i] ?? 0;
      return below;
    });
    return [...buckets, point.count, ...tail];
  }
  if (context.kind === 'summary') return [...point.quantiles.filter((_, i) => i % 2 === 1), ...tail];
  return [point.value];
}

/** The label bytes of each part: by the catalogue when the metric is ours, by Prometheus' translation otherwise. */
export function seriesKeys(context: MetricContext, point: DataPoint): readonly Uint8Array[] {
  const attributes = point.attributes();
  const label = ours(context, attributes) ?? foreign(context, attributes);
  return partsOf(context, point).map((part) => encodeLabels(label(part)));
}

type LabelsOf = (part: SeriesPart) => Labels;

function ours(context: MetricContext, attributes: Attributes): LabelsOf | undefined {
  if (context.scope !== SCOPE_NAME) return undefined;
  const signal = signalByOtlp(context.name, (key) => {
    const value = attributes.get(key);
    return value === undefined ? undefined : attributeText(value);
  });
  if (signal === undefined || (signal.type === 'histogram') !== (context.kind === 'histogram'))
    return undefined;
  const target = { job: signal.path, instance: attributeText(context.resource.get(INSTANCE_ATTRIBUTE)) };
  const values = signal.labels.map(({ attribute, on }) =>
    attributeText((on === 'resource' ? context.resource : attributes).get(attribute)),
  );
  return ({ suffix, le }) =>
    toSeriesLabels(signal, values, target, le === undefined ? { suffix } : { suffix, le: formatBound(le) });
}

function foreign(context: MetricContext, attributes: Attributes): LabelsOf {
  const { kind, monotonic } = context;
  const name = metricName({
    name: context.name,
    unit: context.unit,
    monotonic: kind === 'sum' && monotonic,
    gauge: kind === 'gauge',
  });
  return ({ suffix, le, quantile }) => {
    const extra: Label[] = [];
    if (le !== undefined) extra.push(['le', formatBound(le)]);
    if (quantile !== undefined) extra.push(['quantile', formatBound(quantile)]);
    return foreignLabels(name + suffix, attributes, context.resource, extra);
  };
}

/** The series of a data point, one for each part. */
export interface KnownParts {
  readonly keys: readonly Uint8Array[];
  /** The store's numbers for them, which may stand for nothing any more; empty before it was asked. */
  readonly refs: number[];
}

/** Remembers series by the bytes they came from, so that a known one is not named again. Bounded. */
export interface SeriesMemo {
  partsOf(context: MetricContext, point: DataPoint): KnownParts;
}

const MOST_REMEMBERED = 100_000;

export function createSeriesMemo(): SeriesMemo {
  const contexts = new Map<string, Map<string, KnownParts>>();
  let size = 0;
  return {
    partsOf(context, point) {
      let known = contexts.get(context.key);
      const key = pointKey(context, point);
      const found = known?.get(key);
      if (found !== undefined) return found;
      const parts: KnownParts = { keys: seriesKeys(context, point), refs: [] };
      if (size >= MOST_REMEMBERED) {
        contexts.clear();
        known = undefined;
        size = 0;
      }
      if (known === undefined) {
        known = new Map();
        contexts.set(context.key, known);
      }
      known.set(key, parts);
      size += parts.keys.length;
      return parts;
    },
  };
}

function pointKey(context: MetricContext, point: DataPoint): string {
  const { attributeKey, bounds, quantiles, sum } = point;
  if (context.kind === 'histogram') return `${attributeKey}|${bounds.join()}|${sum === undefined}`;
  if (context.kind === 'summary') return `${attributeKey}|${quantiles.filter((_, i) => i % 2 === 0).join()}`;
  return attributeKey;
}
