import { formatFloat } from '../../src/collector/promql/go-format.ts';
import { type Labels, METRIC_NAME, toLabels } from '../../src/model/labels.ts';
import type { Random } from './random.ts';
import type { TestSample } from './sample-store.ts';

export interface RandomSeries {
  readonly labels: Labels;
  readonly samples: readonly TestSample[];
}

const INTERVAL_MS = 15_000;

/**
 * Series to ask about: counters with resets, gauges with NaN and infinities, a classic histogram, a late starter, all
 * with gaps, some longer than the lookback. Times are jittered whole milliseconds from `startMs` on.
 */
export function randomSeries(random: Random, startMs: number, steps: number): RandomSeries[] {
  const out: RandomSeries[] = [];
  const add = (name: string, labels: Record<string, string>, valueAt: () => number) => {
    const samples: TestSample[] = [];
    let gap = random.chance(0.3) ? random.integer(1, steps) : 0;
    for (let i = 0; i < steps; i += 1) {
      if (random.chance(0.02)) gap = random.integer(1, 40);
      gap -= 1;
      if (gap > 0) continue;
      const jitter = random.chance(0.5) ? 0 : random.integer(-3000, 3000);
      samples.push({ t: startMs + i * INTERVAL_MS + jitter, v: valueAt() });
    }
    if (samples.length > 0) out.push({ labels: toLabels({ ...labels, [METRIC_NAME]: name }), samples });
  };
  for (const job of ['api', 'db']) {
    for (const instance of ['a', 'b', 'c']) {
      for (const name of ['requests_total', 'errors_total']) add(name, { job, instance }, counter(random));
      add('temperature', { job, instance, zone: random.pick(['x', 'y']) }, gauge(random));
    }
    add('limit', { job }, () => 10 + random.integer(0, 3));
    addHistogram(add, random, job);
  }
  return out;
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

/** Series as an OpenMetrics text, which promtool makes blocks of. Grouped by name, times in seconds. */
export function toOpenMetrics(series: readonly RandomSeries[]): string {
  const lines: string[] = [];
  const name = ({ labels }: RandomSeries) => labels.find(([label]) => label === METRIC_NAME)![1];
  for (const one of [...series].sort((a, b) => (name(a) < name(b) ? -1 : 1))) {
    const pairs = one.labels
      .filter(([label]) => label !== METRIC_NAME)
      .map(([label, value]) => `${label}="${value}"`);
    for (const { t, v } of one.samples) {
      lines.push(`${name(one)}{${pairs.join(',')}} ${formatFloat(Number(v))} ${(t / 1000).toFixed(3)}`);
    }
  }
  return `${lines.join('\n')}\n# EOF\n`;
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
  'nothing',
];
const RANGE_FUNCTIONS = (
  'rate increase delta irate idelta changes resets deriv sum_over_time avg_over_time min_over_time max_over_time ' +
  'count_over_time stddev_over_time stdvar_over_time last_over_time present_over_time'
).split(' ');
const VECTOR_FUNCTIONS = (
  'abs ceil floor sqrt exp ln log2 log10 sgn sin cos tan atan sinh tanh deg rad timestamp absent sort sort_desc ' +
  'round'
).split(' ');
const DATE_FUNCTIONS = 'minute hour day_of_week day_of_month day_of_year days_in_month month year'.split(' ');
const AGGREGATIONS = ['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar'];
const LABELS = ['job', 'instance', 'zone', 'le'];
const DURATIONS = ['15s', '45s', '1m', '2m30s', '5m', '10m', '7m13s'];

/**
 * A random query. `topk` and `bottomk` come outermost only: which of several equal values they keep depends on the order
 * of series, and what would be made of it inside could differ in anything.
 */
export function randomQuery(random: Random, depth: number): string {
  const expr = randomVector(random, depth);
  if (!random.chance(0.06)) return expr;
  return `${random.pick(['topk', 'bottomk'])}(${random.integer(0, 3)}, ${expr})`;
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
    () =>
      `histogram_quantile(${random.pick(['0.5', '0.9', '0', '1'])}, rate(latency_seconds_bucket[${random.pick(DURATIONS)}]))`,
    () => `histogram_quantile(0.9, sum by (le) (latency_seconds_bucket))`,
    () => `label_replace(${inner()}, "new", "$1-x", "${random.pick(LABELS)}", "(.)(.*)")`,
    () => `label_join(${inner()}, "joined", "-", "job", "instance")`,
    () => `-${random.pick(['', ' '])}(${inner()})`,
    () => `(${inner()}) ${randomOperator(random)} ${randomNumber(random)}`,
    () => `${randomNumber(random)} ${randomOperator(random)} (${inner()})`,
    () => `(${inner()}) ${random.pick(['and', 'or', 'unless'])}${randomMatch(random)} (${inner()})`,
    () => `${inner()} ${randomOperator(random)}${randomMatch(random)} ${inner()}`,
    () =>
      `(${inner()}) ${randomOperator(random)} on (job) group_left () (${random.pick(AGGREGATIONS)} by (job) (${inner()}))`,
    () => `limit ${randomOperator(random)} on (job) group_right (zone) (${inner()})`,
    () => `(${inner()}) ${randomOperator(random)} scalar(sum(${inner()}))`,
    () => `vector(${random.pick(['time()', '1', 'scalar(limit{job="api"})', 'pi()'])})`,
  ];
  return random.pick(choices)();
}

function randomSelector(random: Random): string {
  const offset = random.chance(0.15) ? ` offset ${random.pick(['', '-'])}${random.pick(DURATIONS)}` : '';
  const at = random.chance(0.1) ? ` @ ${random.pick(['start()', 'end()'])}` : '';
  return random.pick(VECTORS) + at + offset;
}

function randomRange(random: Random, depth: number): string {
  const range = random.pick(DURATIONS);
  if (depth > 1 && random.chance(0.3)) {
    const step = random.chance(0.3) ? '' : random.pick(DURATIONS);
    return `(${randomVector(random, depth - 2)})[${range}:${step}]`;
  }
  return `${random.pick(VECTORS)}[${range}]${random.chance(0.15) ? ` offset ${random.pick(DURATIONS)}` : ''}`;
}

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
