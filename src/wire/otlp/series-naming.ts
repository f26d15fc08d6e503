import { encodeLabels, type Label, type Labels } from '../../model/labels.ts';
import { signalByOtlp } from '../catalogue/catalogue.ts';
import { formatBound, toSeriesLabels } from '../catalogue/series.ts';
import { type Attributes, attributeText } from './any-value.ts';
import { foreignLabels, metricName } from './metric-translation.ts';
import type { MetricKind } from './metrics-reader.ts';
import { INSTANCE_ATTRIBUTE, SCOPE_NAME } from './resource.ts';

/** What all data points of a metric share. */
export interface MetricContext {
  readonly resource: Attributes;
  readonly scope: string;
  readonly name: string;
  readonly unit: string;
  readonly kind: MetricKind;
  readonly monotonic: boolean;
}

/** What a data point's series are named after. */
export interface PointShape {
  readonly attributes: Attributes;
  /** Upper bounds of a histogram's buckets, or a summary's quantiles. */
  readonly bounds: ArrayLike<number>;
  readonly hasSum: boolean;
}

/** One series of a data point: a plain one, or a part of a histogram or summary. */
export interface SeriesPart {
  readonly suffix: '' | '_bucket' | '_sum' | '_count';
  readonly le?: number;
  readonly quantile?: number;
}

const PLAIN: readonly SeriesPart[] = [{ suffix: '' }];

/** The series a point becomes: buckets or quantiles in the order of their bounds, then the count, then the sum. */
export function partsOf(kind: MetricKind, { bounds, hasSum }: PointShape): readonly SeriesPart[] {
  const totals: SeriesPart[] = hasSum ? [{ suffix: '_count' }, { suffix: '_sum' }] : [{ suffix: '_count' }];
  if (kind === 'histogram')
    return [
      ...Array.from(bounds, (le) => ({ suffix: '_bucket', le }) as const),
      { suffix: '_bucket', le: Number.POSITIVE_INFINITY },
      ...totals,
    ];
  if (kind === 'summary')
    return [...Array.from(bounds, (quantile) => ({ suffix: '', quantile }) as const), ...totals];
  return PLAIN;
}

/** The label bytes of each part: by the catalogue when the metric is ours, by Prometheus' translation otherwise. */
export function seriesKeys(context: MetricContext, shape: PointShape): readonly Uint8Array[] {
  const { attributes } = shape;
  const label = ours(context, attributes) ?? foreign(context, attributes);
  return partsOf(context.kind, shape).map((part) => encodeLabels(label(part)));
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
