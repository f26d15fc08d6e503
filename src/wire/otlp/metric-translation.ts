import { type Label, type Labels, METRIC_NAME, toLabels } from '../../model/labels.ts';
import { CodedError } from '../../util/coded-error.ts';
import { type Attributes, attributeText } from './any-value.ts';

/**
 * How Prometheus names what comes by OTLP, with its default strategy `UnderscoreEscapingWithSuffixes`.
 * Sources: https://prometheus.io/docs/guides/opentelemetry/, github.com/prometheus/otlptranslator,
 * https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
 */
const UNITS: Readonly<Record<string, string>> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  TiBy: 'tibibytes',
  KBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  TBy: 'terabytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '1': '',
  '%': 'percent',
};

const PER_UNITS: Readonly<Record<string, string>> = {
  s: 'second',
  m: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  mo: 'month',
  y: 'year',
};

export interface MetricShape {
  readonly name: string;
  readonly unit: string;
  readonly monotonic: boolean;
  readonly gauge: boolean;
}

/**
 * The metric's name: valid characters, unit and `_total` or `_ratio` at the end.
 *
 * @throws OTLP_NAME_INVALID when no valid character is left.
 */
export function metricName({ name, unit, monotonic, gauge }: MetricShape): string {
  let tokens = name.split(/[^a-zA-Z0-9:]+/).filter((token) => token !== '');
  if (tokens.length === 0)
    throw new CodedError(
      'OTLP_NAME_INVALID',
      `metric ${JSON.stringify(name)}: no letter or digit to make a name of`,
      {
        status: 400,
      },
    );
  const [main, per] = unit.split('/', 2);
  const perToken = unitToken(per, PER_UNITS);
  const suffixes = [unitToken(main, UNITS), perToken === '' ? '' : `per_${perToken}`];
  tokens.push(...suffixes.filter((suffix) => suffix !== '' && !tokens.includes(suffix)));
  if (monotonic) tokens = [...tokens.filter((token) => token !== 'total'), 'total'];
  if (gauge && unit === '1') tokens = [...tokens.filter((token) => token !== 'ratio'), 'ratio'];
  const joined = tokens.join('_');
  return /^[0-9]/.test(joined) ? `_${joined}` : joined;
}

function unitToken(unit: string | undefined, table: Readonly<Record<string, string>>): string {
  const text = unit?.trim() ?? '';
  if (text === '' || /[{}]/.test(text)) return '';
  const word = Object.hasOwn(table, text) ? table[text]! : text;
  return word.replace(/[^a-zA-Z0-9]+/g, '_').replace(/^_+|_+$/g, '');
}

export function labelName(key: string): string {
  const name = key.replace(/[^a-zA-Z0-9_]/g, '_');
  if (/^[0-9]/.test(name)) return `key_${name}`;
  return /^_[^_]/.test(name) ? `key${name}` : name;
}

/** `job` and `instance` of a resource, as scraping it would say. */
export function targetLabels(resource: Attributes): readonly Label[] {
  const name = attributeText(resource.get('service.name'));
  const namespace = attributeText(resource.get('service.namespace'));
  const job = namespace !== '' && name !== '' ? `${namespace}/${name}` : name;
  return [
    ['job', job],
    ['instance', attributeText(resource.get('service.instance.id'))],
  ];
}

/** Labels of a series from elsewhere. Attributes that come to the same label are joined by `;`, in order of key. */
export function foreignLabels(
  name: string,
  attributes: Attributes,
  resource: Attributes,
  extra: readonly Label[] = [],
): Labels {
  const values = new Map<string, string>();
  for (const [key, value] of [...attributes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const label = labelName(key);
    const known = values.get(label);
    const text = attributeText(value);
    values.set(label, known === undefined ? text : `${known};${text}`);
  }
  return toLabels([...values, ...targetLabels(resource), ...extra, [METRIC_NAME, name]]);
}

const IDENTIFYING = new Set(['service.name', 'service.namespace', 'service.instance.id']);

/** `target_info`: what else is known of the resource; undefined when there is nothing to say, or of nobody. */
export function targetInfo(resource: Attributes): Labels | undefined {
  const others = new Map([...resource].filter(([key]) => !IDENTIFYING.has(key)));
  if (others.size === 0 || targetLabels(resource).every(([, value]) => value === '')) return undefined;
  return foreignLabels('target_info', others, resource);
}
