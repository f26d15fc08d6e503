import { type Label, type Labels, labelValue, METRIC_NAME, toLabels } from '../../model/labels.ts';
import { signalsNamed } from './catalogue.ts';
import type { HistogramPoint, Point, Signal } from './signal.ts';

/** The labels a scrape adds by itself: `job` is `signal.path`, `instance` the agent's address. */
export interface Target {
  readonly job: string;
  readonly instance: string;
}

/** One sample a point becomes. `suffix` is empty except for the parts of a histogram, `le` set for its buckets. */
export interface PointSample {
  readonly suffix: '' | '_bucket' | '_sum' | '_count';
  readonly le?: string;
  readonly value: number;
}

/** The labels a scrape of this signal would store; `values` in the order of `signal.labels`, empty ones left out. */
export function toSeriesLabels(
  signal: Signal,
  values: readonly string[],
  target: Target,
  sample: Omit<PointSample, 'value'> = { suffix: '' },
): Labels {
  const pairs: Label[] = [
    [METRIC_NAME, signal.name + sample.suffix],
    ['job', target.job],
    ['instance', target.instance],
    ...(signal.constants ?? []),
  ];
  for (let i = 0; i < signal.labels.length; i += 1) pairs.push([signal.labels[i]!.name, values[i] ?? '']);
  if (sample.le !== undefined) pairs.push(['le', sample.le]);
  return toLabels(pairs);
}

/** What `toSeriesLabels` was given, or undefined when the labels belong to no signal of the catalogue. */
export function fromSeriesLabels(labels: Labels):
  | {
      readonly signal: Signal;
      readonly values: readonly string[];
      readonly target: Target;
      readonly sample: Omit<PointSample, 'value'>;
    }
  | undefined {
  const name = labelValue(labels, METRIC_NAME);
  const target = { job: labelValue(labels, 'job'), instance: labelValue(labels, 'instance') };
  const le = labelValue(labels, 'le');
  for (const suffix of ['', '_bucket', '_sum', '_count'] as const) {
    if (!name.endsWith(suffix)) continue;
    const signal = narrowest(
      signalsNamed(name.slice(0, name.length - suffix.length)).filter(
        (candidate) => (candidate.type === 'histogram') === (suffix !== '') && admits(candidate, labels),
      ),
    );
    if (!signal) continue;
    const values = signal.labels.map((label) => labelValue(labels, label.name));
    return { signal, values, target, sample: suffix === '_bucket' ? { suffix, le } : { suffix } };
  }
  return undefined;
}

const OF_SCRAPE: ReadonlySet<string> = new Set([METRIC_NAME, 'job', 'instance', 'le']);

function admits(signal: Signal, labels: Labels): boolean {
  const constants = signal.constants ?? [];
  if (!constants.every(([name, value]) => labelValue(labels, name) === value)) return false;
  return labels.every(
    ([name]) =>
      OF_SCRAPE.has(name) ||
      constants.some((constant) => constant[0] === name) ||
      signal.labels.some((label) => label.name === name),
  );
}

/** A pod's own series carries fewer labels than a container's; a series with few labels belongs to the former. */
function narrowest(signals: readonly Signal[]): Signal | undefined {
  const [first, ...rest] = signals;
  return rest.reduce((best, signal) => (signal.labels.length < best!.labels.length ? signal : best), first);
}

/** A number as Prometheus 3 writes the bound of a bucket: always with a fraction or an exponent. */
export function formatBound(bound: number): string {
  if (bound === Number.POSITIVE_INFINITY) return '+Inf';
  const text = String(bound);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** The samples of a point: one, or a histogram's buckets (cumulative, with `+Inf`), sum and count. */
export function samplesOf(point: Point): readonly PointSample[] {
  return 'buckets' in point ? histogramSamples(point) : [{ suffix: '', value: point.value }];
}

function histogramSamples(point: HistogramPoint): readonly PointSample[] {
  const bounds = [...(point.signal.bounds ?? []), Number.POSITIVE_INFINITY];
  let below = 0;
  const buckets = bounds.map((bound, i): PointSample => {
    below += point.buckets[i] ?? 0;
    return { suffix: '_bucket', le: formatBound(bound), value: below };
  });
  return [...buckets, { suffix: '_sum', value: point.sum }, { suffix: '_count', value: point.count }];
}
