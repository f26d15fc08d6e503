import { type Labels, labelsKey, labelValue, METRIC_NAME } from '../../../model/labels.ts';
import { badBucketLabel, forcedMonotonicity, invalidQuantile } from '../evaluation/annotations.ts';
import { settleEqualSeries } from '../evaluation/equal-series.ts';
import { type Evaluation, timeAt } from '../evaluation/evaluation.ts';
import { dropLabels, dropMetadata, withLabel } from '../evaluation/label-set.ts';
import { hasPoints, newSeries, type StepSeries } from '../evaluation/step-series.ts';
import type { Expr } from '../expr.ts';
import { formatFloat } from '../go-format.ts';
import { type Bucket, bucketFraction, bucketQuantile } from './classic-histogram.ts';
import { type FunctionImplementation, scalarArgument, stringArgument, vectorArgument } from './function.ts';

const BUCKET_LABEL = new Set(['le']);

/** The buckets of one classic histogram over all steps. */
interface Histogram {
  readonly labels: Labels;
  readonly buckets: { readonly upperBound: number; readonly series: StepSeries }[];
}

/** Series grouped by all labels but `le`; those whose `le` is no number are told of and left out. */
async function histogramsIn(arg: Expr, evaluation: Evaluation): Promise<Histogram[]> {
  const histograms = new Map<string, Histogram>();
  for (const series of (await vectorArgument(arg, evaluation)).filter(hasPoints)) {
    if (evaluation.turn.isOver()) await evaluation.turn.pause();
    const le = labelValue(series.labels, 'le');
    const upperBound = parseBound(le);
    if (upperBound === undefined) {
      evaluation.annotations.add(badBucketLabel(nameFor(series.labels, evaluation), le, arg));
      continue;
    }
    const labels = dropLabels(series.labels, BUCKET_LABEL);
    const key = labelsKey(labels);
    const histogram = histograms.get(key) ?? { labels, buckets: [] };
    histogram.buckets.push({ upperBound, series });
    histograms.set(key, histogram);
  }
  return [...histograms.values()];
}

// Where names are removed early they are no longer known when this is told.
const nameFor = (labels: Labels, { delayedNameRemoval }: Evaluation): string =>
  delayedNameRemoval ? labelValue(labels, METRIC_NAME) : '';

const NUMBER = /^[+-]?(?:\d[\d_]*\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|inf|infinity|nan)$/i;

function parseBound(le: string): number | undefined {
  if (!NUMBER.test(le)) return undefined;
  const word = le.toLowerCase();
  if (word.endsWith('nan')) return Number.NaN;
  if (word.includes('inf')) return word.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(le.replaceAll('_', ''));
}

/** One result a histogram: at each step with any bucket, what `compute` says of the buckets there. */
async function mapHistograms(
  histograms: readonly Histogram[],
  evaluation: Evaluation,
  compute: (buckets: Bucket[], step: number, labels: Labels) => number,
): Promise<StepSeries[]> {
  const { grid, turn, delayedNameRemoval } = evaluation;
  const out: StepSeries[] = [];
  for (const { labels, buckets } of histograms) {
    const result = newSeries(delayedNameRemoval ? labels : dropMetadata(labels), grid.steps, true);
    for (let k = 0; k < grid.steps; k += 1) {
      const atStep: Bucket[] = [];
      for (const { upperBound, series } of buckets) {
        if (series.present[k] === 1) atStep.push({ upperBound, count: series.values[k]! });
      }
      if (atStep.length === 0) continue;
      result.values[k] = compute(atStep, k, labels);
      result.present[k] = 1;
      if (turn.isOver()) await turn.pause();
    }
    out.push(result);
  }
  return out;
}

/** Warns of quantiles outside 0 to 1. */
async function quantileArgument(arg: Expr, evaluation: Evaluation): Promise<Float64Array> {
  const q = await scalarArgument(arg, evaluation);
  for (const value of q) {
    if (!(value >= 0 && value <= 1)) evaluation.annotations.add(invalidQuantile(value, arg));
  }
  return q;
}

const quantileAt =
  (q: Float64Array, arg: Expr, evaluation: Evaluation) =>
  (buckets: Bucket[], step: number, labels: Labels): number => {
    const { value, correction } = bucketQuantile(q[step]!, buckets);
    if (correction !== null) {
      const t = timeAt(evaluation.grid, step);
      const details = { ...correction, minT: t, maxT: t, count: 1 };
      evaluation.annotations.add(forcedMonotonicity(nameFor(labels, evaluation), details, arg));
    }
    return value;
  };

const histogramQuantile: FunctionImplementation = async (call, evaluation) => {
  const arg = call.args[1]!;
  const q = await quantileArgument(call.args[0]!, evaluation);
  const histograms = await histogramsIn(arg, evaluation);
  const series = await mapHistograms(histograms, evaluation, quantileAt(q, arg, evaluation));
  return { kind: 'vector', series: await settleEqualSeries(series, evaluation) };
};

const histogramQuantiles: FunctionImplementation = async (call, evaluation) => {
  const arg = call.args[0]!;
  const label = stringArgument(call.args[1]!);
  const histograms = await histogramsIn(arg, evaluation);
  const all: StepSeries[] = [];
  for (const place of call.args.slice(2)) {
    const q = await quantileArgument(place, evaluation);
    const series = await mapHistograms(histograms, evaluation, quantileAt(q, arg, evaluation));
    for (const one of series) all.push(...splitByQuantile(one, label, q));
  }
  return { kind: 'vector', series: await settleEqualSeries(all, evaluation) };
};

/** The quantile goes into a label, so that one that varies over time makes several series. */
function splitByQuantile(series: StepSeries, label: string, q: Float64Array): StepSeries[] {
  return [...new Set(q)].map((quantile) => ({
    ...series,
    labels: withLabel(series.labels, label, openMetricsFloat(quantile)),
    present: series.present.map((present, k) => present & Number(Object.is(q[k], quantile))),
  }));
}

/** A float as OpenMetrics writes it in `quantile` and `le`: always with a point. */
function openMetricsFloat(value: number): string {
  const text = formatFloat(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

const histogramFraction: FunctionImplementation = async (call, evaluation) => {
  const lower = await scalarArgument(call.args[0]!, evaluation);
  const upper = await scalarArgument(call.args[1]!, evaluation);
  const histograms = await histogramsIn(call.args[2]!, evaluation);
  const series = await mapHistograms(histograms, evaluation, (buckets, k) =>
    bucketFraction(lower[k]!, upper[k]!, buckets),
  );
  return { kind: 'vector', series: await settleEqualSeries(series, evaluation) };
};

/** What is asked of native histograms only: floats have no answer, and the store holds nothing else. */
const ofNativeHistograms: FunctionImplementation = async (call, evaluation) => {
  await vectorArgument(call.args[0]!, evaluation);
  return { kind: 'vector', series: [] };
};

export const histogramFunctions: Readonly<Record<string, FunctionImplementation>> = {
  histogram_quantile: histogramQuantile,
  histogram_quantiles: histogramQuantiles,
  histogram_fraction: histogramFraction,
  histogram_avg: ofNativeHistograms,
  histogram_count: ofNativeHistograms,
  histogram_sum: ofNativeHistograms,
  histogram_stddev: ofNativeHistograms,
  histogram_stdvar: ofNativeHistograms,
};
