import type { ValueType } from '../expr.ts';

/** What a function takes and gives. `variadic`: how many more arguments than `args` less one may come; -1 is any number. */
export interface Signature {
  readonly args: readonly ValueType[];
  readonly variadic: number;
  readonly returns: ValueType;
  /** Refused unless the engine was told to allow experimental functions. */
  readonly experimental: boolean;
}

const signature = (
  args: readonly ValueType[],
  more: { variadic?: number; returns?: ValueType; experimental?: boolean } = {},
): Signature => ({
  args,
  variadic: more.variadic ?? 0,
  returns: more.returns ?? 'vector',
  experimental: more.experimental ?? false,
});

const OF_VECTOR = [
  'abs',
  'absent',
  'acos',
  'acosh',
  'asin',
  'asinh',
  'atan',
  'atanh',
  'ceil',
  'cos',
  'cosh',
  'deg',
  'exp',
  'floor',
  'histogram_avg',
  'histogram_count',
  'histogram_stddev',
  'histogram_stdvar',
  'histogram_sum',
  'ln',
  'log10',
  'log2',
  'rad',
  'sgn',
  'sin',
  'sinh',
  'sort',
  'sort_desc',
  'sqrt',
  'tan',
  'tanh',
  'timestamp',
];
const OF_RANGE = [
  'absent_over_time',
  'avg_over_time',
  'changes',
  'count_over_time',
  'delta',
  'deriv',
  'first_over_time',
  'idelta',
  'increase',
  'irate',
  'last_over_time',
  'max_over_time',
  'min_over_time',
  'present_over_time',
  'rate',
  'resets',
  'stddev_over_time',
  'stdvar_over_time',
  'sum_over_time',
];
const OF_DATE = [
  'day_of_month',
  'day_of_week',
  'day_of_year',
  'days_in_month',
  'hour',
  'minute',
  'month',
  'year',
];
const EXPERIMENTAL_OF_RANGE = [
  'mad_over_time',
  'ts_of_first_over_time',
  'ts_of_last_over_time',
  'ts_of_max_over_time',
  'ts_of_min_over_time',
];
const EXPERIMENTAL_SCALARS = ['end', 'range', 'start', 'step'];

const experimental = true;

/**
 * Every function of PromQL, stable and experimental, by name.
 * Source: https://prometheus.io/docs/prometheus/latest/querying/functions/
 */
export const signatures: ReadonlyMap<string, Signature> = new Map<string, Signature>([
  ...OF_VECTOR.map((name) => [name, signature(['vector'])] as const),
  ...OF_RANGE.map((name) => [name, signature(['matrix'])] as const),
  ...OF_DATE.map((name) => [name, signature(['vector'], { variadic: 1 })] as const),
  ...EXPERIMENTAL_OF_RANGE.map((name) => [name, signature(['matrix'], { experimental })] as const),
  ...EXPERIMENTAL_SCALARS.map((name) => [name, signature([], { returns: 'scalar', experimental })] as const),
  ['clamp', signature(['vector', 'scalar', 'scalar'])],
  ['clamp_max', signature(['vector', 'scalar'])],
  ['clamp_min', signature(['vector', 'scalar'])],
  ['double_exponential_smoothing', signature(['matrix', 'scalar', 'scalar'], { experimental })],
  ['histogram_fraction', signature(['scalar', 'scalar', 'vector'])],
  ['histogram_quantile', signature(['scalar', 'vector'])],
  ['histogram_quantiles', signature(['vector', 'string', 'scalar', 'scalar'], { variadic: 9, experimental })],
  ['info', signature(['vector', 'vector'], { variadic: 1, experimental })],
  ['label_join', signature(['vector', 'string', 'string', 'string'], { variadic: -1 })],
  ['label_replace', signature(['vector', 'string', 'string', 'string', 'string'])],
  ['max_of', signature(['scalar', 'scalar'], { returns: 'scalar', experimental })],
  ['min_of', signature(['scalar', 'scalar'], { returns: 'scalar', experimental })],
  ['pi', signature([], { returns: 'scalar' })],
  ['predict_linear', signature(['matrix', 'scalar'])],
  ['quantile_over_time', signature(['scalar', 'matrix'])],
  ['round', signature(['vector', 'scalar'], { variadic: 1 })],
  ['scalar', signature(['vector'], { returns: 'scalar' })],
  ['sort_by_label', signature(['vector', 'string'], { variadic: -1, experimental })],
  ['sort_by_label_desc', signature(['vector', 'string'], { variadic: -1, experimental })],
  ['start_timestamp', signature(['vector'], { experimental })],
  ['time', signature([], { returns: 'scalar' })],
  ['vector', signature(['scalar'])],
]);
