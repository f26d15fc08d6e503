import type { Position } from '../expr.ts';
import { formatGeneral, formatPrecision, quote } from '../go-format.ts';
import { lineAndColumn } from '../parser/parse-error.ts';

/**
 * A remark on a valid answer. The same remark counts once; of several places the last is told, as in Prometheus.
 * Source: prometheus/util/annotations
 */
export interface Annotation {
  readonly level: 'warning' | 'info';
  readonly message: string;
  readonly at: number;
  /** Told after the message, before the place. */
  readonly details?: ForcedMonotonicity;
}

/** Where buckets of classic histograms had to be corrected: bounds, largest correction, and when. */
export interface ForcedMonotonicity {
  readonly minBucket: number;
  readonly maxBucket: number;
  readonly maxDiff: number;
  readonly minT: number;
  readonly maxT: number;
  readonly count: number;
}

export interface Annotations {
  add(annotation: Annotation): void;
  /** `PromQL warning: … (line:column)`, in the order they first came up. */
  messages(text: string): { readonly warnings: string[]; readonly infos: string[] };
}

export function createAnnotations(): Annotations {
  const all = new Map<string, Annotation>();
  return {
    add(annotation) {
      const before = all.get(annotation.message);
      const details = mergeDetails(before?.details, annotation.details);
      all.set(annotation.message, details === undefined ? annotation : { ...annotation, details });
    },
    messages(text) {
      const of = (level: Annotation['level']) =>
        [...all.values()]
          .filter((annotation) => annotation.level === level)
          .map((one) => printAnnotation(one, text));
      return { warnings: of('warning'), infos: of('info') };
    },
  };
}

function mergeDetails(a?: ForcedMonotonicity, b?: ForcedMonotonicity): ForcedMonotonicity | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    minBucket: Math.min(a.minBucket, b.minBucket),
    maxBucket: Math.max(a.maxBucket, b.maxBucket),
    maxDiff: Math.max(a.maxDiff, b.maxDiff),
    minT: Math.min(a.minT, b.minT),
    maxT: Math.max(a.maxT, b.maxT),
    count: a.count + b.count,
  };
}

function printAnnotation({ level, message, at, details }: Annotation, text: string): string {
  return `PromQL ${level}: ${message}${details === undefined ? '' : printDetails(details)} (${lineAndColumn(text, at)})`;
}

function printDetails({ minBucket, maxBucket, maxDiff, minT, maxT, count }: ForcedMonotonicity): string {
  const when = (t: number) => new Date(Math.floor(t / 1000) * 1000).toISOString().replace('.000Z', 'Z');
  return (
    `, from buckets ${formatGeneral(minBucket)} to ${formatGeneral(maxBucket)}, with a max diff of ` +
    `${formatPrecision(maxDiff, 2)}, over ${count} samples from ${when(minT)} to ${when(maxT)}`
  );
}

const named = (message: string, metricName: string): string =>
  metricName === '' ? message : `${message} for metric name ${quote(metricName)}`;

const warning = (message: string, { start }: Position): Annotation => ({
  level: 'warning',
  message,
  at: start,
});
const info = (message: string, { start }: Position): Annotation => ({ level: 'info', message, at: start });

export const invalidQuantile = (q: number, place: Position): Annotation =>
  warning(`quantile value should be between 0 and 1, got ${formatGeneral(q)}`, place);

export const badBucketLabel = (metricName: string, label: string, place: Position): Annotation =>
  warning(
    named(`bucket label "le" is missing or has a malformed value of ${quote(label)}`, metricName),
    place,
  );

export const sortInRangeQuery = (place: Position): Annotation =>
  warning('sort is ineffective for range queries since results are always ordered by labels', place);

export const possibleNonCounter = (metricName: string, place: Position): Annotation =>
  info(
    `metric might not be a counter, name does not end in _total/_sum/_count/_bucket: ${quote(metricName)}`,
    place,
  );

export const forcedMonotonicity = (
  metricName: string,
  details: ForcedMonotonicity,
  place: Position,
): Annotation => ({
  ...info(
    named(
      'input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)',
      metricName,
    ),
    place,
  ),
  details,
});
