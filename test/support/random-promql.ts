import { formatFloat } from '../../src/collector/promql/go-format.ts';
import { compareLabels, type Labels, METRIC_NAME, toLabels } from '../../src/model/labels.ts';
import type { Random } from './random.ts';
import type { TestSample } from './sample-store.ts';
import type { WrittenSeries } from './write-request.ts';

export interface RandomSeries {
  readonly labels: Labels;
  readonly samples: readonly TestSample[];
}

const INTERVAL_MS = 15_000;

/**
 * Series to ask about: counters with resets, gauges with NaN and infinities, classic histograms, a late starter, labels
 * with empty and odd values, all with gaps, some longer than the lookback, some with stale markers. Times are jittered
 * whole milliseconds from `startMs` on. In the order of labels, which is ours: Prometheus goes through new series in the
 * order it got them.
 */
export function randomSeries(random: Random, startMs: number, steps: number): RandomSeries[] {
  const out: RandomSeries[] = [];
  const add = (name: string, labels: Record<string, string>, valueAt: () => number) => {
    const samples: TestSample[] = [];
    let gap = random.chance(0.3) ? random.integer(1, steps) : 0;
    for (let i = 0; i < steps; i += 1) {
      if (random.chance(0.02)) gap = random.integer(1, 40);
      gap -= 1;
      const jitter = random.chance(0.5) ? 0 : random.integer(-3000, 3000);
      const t = startMs + i * INTERVAL_MS + jitter;
      // Some gaps begin with the word that the series has ended.
      if (gap > 0) {
        if (gap > 1 && random.chance(0.05)) samples.push({ t, v: 'stale' });
        continue;
      }
      samples.push({ t, v: valueAt() });
    }
    if (samples.length > 0) out.push({ labels: toLabels({ ...labels, [METRIC_NAME]: name }), samples });
  };
  for (const job of ['api', 'db']) {
    for (const instance of ['a', 'b', 'c']) {
      for (const name of ['requests_total', 'errors_total']) add(name, { job, instance }, counter(random));
      add('temperature', { job, instance, zone: random.pick(['x', 'y']) }, gauge(random));
    }
    add('limit', { job }, () => 10 + random.integer(0, 3));
    add('build_info', { job, version: random.pick(['1.2', '', 'v-β', 'a "b"']) }, () => 1);
    addHistogram(add, random, job);
  }
  return out.sort((a, b) => compareLabels(a.labels, b.labels));
}

function counter(random: Random): () => number {
  let value = random.chance(0.5) ? 0 : random.integer(0, 1000);
  const whole = random.chance(0.7);
  return () => {
    if (random.chance(0.01)) value = 0;
    value += whole ? random.integer(0, 20) : random.next() * 3;
    return value;
  };
}

function gauge(random: Random): () => number {
  return () => {
    if (random.chance(0.01))
      return random.pick([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    return random.chance(0.2) ? random.integer(-5, 5) : (random.next() - 0.3) * 100;
  };
}

function addHistogram(
  add: (name: string, labels: Record<string, string>, valueAt: () => number) => void,
  random: Random,
  job: string,
): void {
  const bounds = ['0.1', '0.5', '1', '5', '+Inf'];
  bounds.forEach((le, i) => {
    let count = 0;
    add('latency_seconds_bucket', { job, le }, () => {
      count += random.integer(0, 3) + i * 2;
      return count;
    });
  });
}

/**
 * Series as an OpenMetrics text, which promtool makes blocks of: what ends a series is left out. Grouped by name, times in
 * seconds.
 */
export function toOpenMetrics(series: readonly RandomSeries[]): string {
  const lines: string[] = [];
  const name = ({ labels }: RandomSeries) => labels.find(([label]) => label === METRIC_NAME)![1];
  for (const one of [...series].sort((a, b) => (name(a) < name(b) ? -1 : 1))) {
    const pairs = one.labels
      .filter(([label]) => label !== METRIC_NAME)
      .map(([label, value]) => `${JSON.stringify(label)}=${JSON.stringify(value)}`);
    for (const { t, v } of one.samples) {
      if (v === 'stale') continue;
      const inBraces = [JSON.stringify(name(one)), ...pairs].join(',');
      lines.push(`{${inBraces}} ${formatFloat(v)} ${(t / 1000).toFixed(3)}`);
    }
  }
  return `${lines.join('\n')}\n# EOF\n`;
}

/** Series as a remote write has them, stale markers included. */
export function toWritten(series: readonly RandomSeries[]): WrittenSeries[] {
  return series.map(({ labels, samples }) => ({
    labels,
    samples: samples.map(({ t, v }) => [t, v === 'stale' ? '7ff0000000000002' : v] as const),
  }));
}

const VECTORS = [
  'requests_total',
  'errors_total',
  'temperature',
  'limit',
  'latency_seconds_bucket',
  'requests_total{job="api"}',
  'errors_total{instance=~"a|b"}',
  'temperature{zone!="x"}',
  'temperature{instance=~".*[bc]"}',
  '{__name__=~"(requests|errors)_total",job="db"}',
  'build_info',
  'build_info{version!=""}',
  'temperature{zone="",job!~"x|y"}',
  '{"temperature","zone"="y"}',
  'nothing',
];
const RANGE_FUNCTIONS = (
  'rate increase delta irate idelta changes resets deriv sum_over_time avg_over_time min_over_time max_over_time ' +
  'count_over_time stddev_over_time stdvar_over_time last_over_time present_over_time'
).split(' ');
const VECTOR_FUNCTIONS = (
  'abs ceil floor sqrt exp ln log2 log10 sgn sin cos tan atan sinh tanh deg rad timestamp absent sort sort_desc ' +
  'round acos acosh asin asinh atanh cosh'
).split(' ');
const DATE_FUNCTIONS = 'minute hour day_of_week day_of_month day_of_year days_in_month month year'.split(' ');
const AGGREGATIONS = ['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar'];
const LABELS = ['job', 'instance', 'zone', 'le', '__name__', 'version', 'nolabel'];
const REPLACED = ['(.)(.*)', '(.*)', '', '.+', '([a-c])|(d)', '(?i)(?P<first>[A-Z]).*', 'x', '(.*)-(.*)'];
const REPLACEMENTS = ['$1-x', '$2', '', ['$', '{1}y'].join(''), '$first', '$0', '$$', 'fixed', '$1x', 'é$1'];
const QUANTILES = ['0.5', '0.9', '0', '1', '-1', '2', 'NaN', '0.99'];
const DURATIONS = ['15s', '45s', '1m', '2m30s', '5m', '10m', '7m13s'];

/**
 * A random query. `topk` and `bottomk` come outermost only: which of several equal values they keep depends on the order
 * of series, and what would be made of it inside could differ in anything.
 */
export function randomQuery(random: Random, depth: number): string {
  const expr = randomVector(random, depth);
  if (random.chance(0.04)) return randomMistake(random, expr, depth);
  if (random.chance(0.04))
    return `${random.pick(['sort_by_label', 'sort_by_label_desc'])}(${expr}, "${random.pick(LABELS)}", "job")`;
  if (!random.chance(0.06)) return expr;
  const grouping = random.pick(['', ' by (job) ', ' without (instance, le) ']);
  return `${random.pick(['topk', 'bottomk'])}${grouping}(${random.pick(['0', '1', '3', '-2', '2.7', 'scalar(limit{job="api"})'])}, ${expr})`;
}

/** What is refused, or fails on most data. */
function randomMistake(random: Random, expr: string, depth: number): string {
  return random.pick([
    `${expr} + bool 1`,
    `label_replace(${expr}, "bad label", "$1", "job", "(")`,
    `label_replace(${expr}, "job", "same", "", "")`,
    `label_replace(${expr}, "instance", "", "job", ".*")`,
    `label_join(${expr}, "instance", "-")`,
    `count_values("a-b", round(${expr}))`,
    `count_values("", ${expr})`,
    `topk(NaN, ${expr})`,
    `bottomk(Inf, ${expr})`,
    `limitk(1e30, ${expr})`,
    `(${expr}) * on (job) group_left (instance, zone) (${randomVector(random, depth - 1)})`,
    `(${expr}) / ignoring (nolabel) group_right () (${randomVector(random, depth - 1)})`,
    `double_exponential_smoothing(temperature[5m], ${random.pick(['0', '0.5', '1.5'])}, 0.5)`,
    `scalar(${expr}) == 1`,
    `(${expr})[5m]`,
    `rate(${expr})`,
    `rate((${expr})[5m:1m])`,
    `sum by (job) (${expr}) [5m:30s]`,
    `(${expr}) and 1`,
    `histogram_quantile(0.9, ${expr})`,
    `quantile(${random.pick(['2', '-1', 'NaN'])}, ${expr})`,
    `vector(${expr})`,
    `absent(${expr}, 1)`,
    `-"${random.pick(LABELS)}"`,
  ]);
}

/** A random instant vector expression, nested at most `depth` deep. */
export function randomVector(random: Random, depth: number): string {
  if (depth <= 0) return randomSelector(random);
  const inner = () => randomVector(random, depth - 1);
  const labels = () => LABELS.filter(() => random.chance(0.4)).join(',');
  const grouping = () => random.pick(['', ` by (${labels()}) `, ` without (${labels()}) `]);
  const choices: (() => string)[] = [
    () => randomSelector(random),
    () => `${random.pick(RANGE_FUNCTIONS)}(${randomRange(random, depth)})`,
    () => `${random.pick(RANGE_FUNCTIONS)}(${randomRange(random, depth)})`,
    () => `quantile_over_time(${randomNumber(random)}, ${randomRange(random, depth)})`,
    () => `predict_linear(${randomRange(random, depth)}, ${random.integer(-60, 600)})`,
    () => `absent_over_time(${randomRange(random, depth)})`,
    () => `${random.pick(VECTOR_FUNCTIONS)}(${inner()})`,
    () => `${random.pick(AGGREGATIONS)}${grouping()}(${inner()})`,
    () => `${random.pick(AGGREGATIONS)}${grouping()}(${inner()})`,
    () => `quantile${grouping()}(${random.pick(['0', '0.3', '0.5', '1', '1.2', 'NaN'])}, ${inner()})`,
    // Labels show the last digit, in which mathematics libraries differ; dates of infinities differ by machine.
    () => `count_values${grouping()}("value", round(${random.pick(VECTORS)}))`,
    () => `${random.pick(DATE_FUNCTIONS)}(timestamp(${random.pick(VECTORS)}) + ${random.integer(0, 1e8)})`,
    () => `clamp(${inner()}, ${randomNumber(random)}, ${randomNumber(random)})`,
    () => `${random.pick(['clamp_min', 'clamp_max'])}(${inner()}, ${randomNumber(random)})`,
    () => `round(${inner()}, ${random.pick(['0.1', '5', '0.25'])})`,
    // Without histogram_fraction, which 3.8 (#17424) changed for a lower bound in the first bucket there is.
    // 3.14 (#19040) answers otherwise where there is NaN.
    () => `mad_over_time(${random.pick(['requests_total', 'limit'])}[5m])`,
    () => `${random.pick(['ts_of_min', 'ts_of_max', 'ts_of_last'])}_over_time(${randomRange(random, depth)})`,
    () =>
      `histogram_quantile(${random.pick(QUANTILES)}, rate(latency_seconds_bucket[${random.pick(DURATIONS)}]))`,
    () =>
      `histogram_quantile(${random.pick(QUANTILES)}, ${random.pick(['sum', 'avg', 'max', 'min'])} by (${random.pick(['le', 'le, job', 'job'])}) (latency_seconds_bucket))`,
    () =>
      `label_replace(${inner()}, "${random.pick(['new', 'job', 'zone', '__name__'])}", "${random.pick(REPLACEMENTS)}", "${random.pick(LABELS)}", "${random.pick(REPLACED)}")`,
    () =>
      `label_join(${inner()}, "${random.pick(['joined', 'zone', '__name__'])}", "${random.pick(['-', '', '//'])}", ${random.pick(['"job"', '"job", "instance"', '"zone", "nolabel", "le"'])})`,
    () => `limitk(0, ${inner()})`,
    () => `absent(${random.pick(VECTORS)} ${randomOperator(random)} ${randomNumber(random)})`,
    () => `double_exponential_smoothing(${randomRange(random, depth)}, 0.3, 0.7)`,
    () => `scalar(${inner()}) * (${inner()})`,
    () => `timestamp(${randomSelector(random)}) ${random.pick(['and', 'or', 'unless'])} ${inner()}`,
    () => `-${random.pick(['', ' '])}(${inner()})`,
    () => `(${inner()}) ${randomOperator(random)} ${randomNumber(random)}`,
    () => `${randomNumber(random)} ${randomOperator(random)} (${inner()})`,
    () => `(${inner()}) ${random.pick(['and', 'or', 'unless'])}${randomMatch(random)} (${inner()})`,
    () => `${inner()} ${randomOperator(random)}${randomMatch(random)} ${inner()}`,
    () =>
      `(${inner()}) ${randomOperator(random)} on (job) group_left () (${random.pick(AGGREGATIONS)} by (job) (${inner()}))`,
    () => `limit ${randomOperator(random)} on (job) group_right (zone) (${inner()})`,
    () =>
      `(${inner()}) ${randomOperator(random)} on (job) group_left (${random.pick(['version', 'nolabel', 'zone, version'])}) build_info`,
    () =>
      `${random.pick(VECTORS)} ${randomOperator(random)} ignoring (version, zone, instance) group_left ${random.pick(['limit', 'build_info'])}`,
    () => `(${inner()}) ${randomOperator(random)} scalar(sum(${inner()}))`,
    () => `vector(${random.pick(['time()', '1', 'scalar(limit{job="api"})', 'pi()'])})`,
  ];
  return random.pick(choices)();
}

function randomSelector(random: Random): string {
  const offset = random.chance(0.15) ? ` offset ${random.pick(['', '-'])}${random.pick(DURATIONS)}` : '';
  return random.pick(VECTORS) + (random.chance(0.5) ? randomAt(random) + offset : offset + randomAt(random));
}

const randomAt = (random: Random): string =>
  random.chance(0.1) ? ` @ ${random.pick(['start()', 'end()', '1700001234.567', '1700000000', '17e8'])}` : '';

function randomRange(random: Random, depth: number): string {
  const range = random.pick(DURATIONS);
  if (depth > 1 && random.chance(0.3)) {
    const step = random.chance(0.3) ? '' : random.pick(DURATIONS);
    return `(${randomVector(random, depth - 2)})[${range}:${step}]${moved(random)}`;
  }
  return `${random.pick(VECTORS)}[${range}]${moved(random)}`;
}

const moved = (random: Random): string =>
  (random.chance(0.15) ? ` offset ${random.pick(['', '-'])}${random.pick(DURATIONS)}` : '') +
  randomAt(random);

const randomNumber = (random: Random): string =>
  random.pick(['0', '1', '2', '-1', '0.5', '10', '100', '1e3', 'Inf', '-Inf', 'NaN', '30s']);

// Without %: the remainder of a large number turns a difference in the last place into any.
const randomOperator = (random: Random): string =>
  random.pick([
    '+',
    '-',
    '*',
    '/',
    '^',
    'atan2',
    '==',
    '!=',
    '>',
    '<',
    '>=',
    '<=',
    '== bool',
    '> bool',
    '<= bool',
  ]);

const randomMatch = (random: Random): string =>
  random.pick([
    '',
    '',
    ' on (job, instance)',
    ' ignoring (zone)',
    ' on (job)',
    ' ignoring (le, zone)',
    ' on ()',
  ]);
