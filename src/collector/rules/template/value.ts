import { formatGeneral } from '../../promql/go-format.ts';

/**
 * What a template computes with. Go's integers are bigint, its floats number, so that `{{ 1 }}` and `{{ 1.0 }}` and
 * their printf verbs stay apart.
 */
export type Value =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | readonly Value[]
  | LabelMap
  | Fields
  | QuerySample
  | Instant
  | Span;

/** Labels; a name that is missing gives the empty string. */
export interface LabelMap {
  readonly kind: 'labels';
  readonly entries: Readonly<Record<string, Value>>;
}

/** What a template starts with, its dot: a field it does not have is a mistake. */
export interface Fields {
  readonly kind: 'fields';
  readonly entries: Readonly<Record<string, Value>>;
}

/** One result of `query`. */
export interface QuerySample {
  readonly kind: 'sample';
  readonly labels: LabelMap;
  readonly value: number;
}

/** Go's time.Time, in milliseconds since the epoch. */
export interface Instant {
  readonly kind: 'instant';
  readonly ms: number;
}

/** Go's time.Duration, in nanoseconds. */
export interface Span {
  readonly kind: 'span';
  readonly nanoseconds: number;
}

export class TemplateError extends Error {}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function isTagged<K extends string>(value: Value, kind: K): value is Extract<Value, { kind: K }> {
  return (
    typeof value === 'object' && value !== null && !isList(value) && 'kind' in value && value.kind === kind
  );
}

export const isLabels = (value: Value): value is LabelMap => isTagged(value, 'labels');
export const isFields = (value: Value): value is Fields => isTagged(value, 'fields');
export const isSample = (value: Value): value is QuerySample => isTagged(value, 'sample');
export const isInstant = (value: Value): value is Instant => isTagged(value, 'instant');
export const isSpan = (value: Value): value is Span => isTagged(value, 'span');

/** text/template's truth: not the zero value, not empty. */
export function isTrue(value: Value): boolean {
  if (value === null || value === undefined) return false;
  if (typeof value === 'number') return value !== 0;
  if (isList(value)) return value.length > 0;
  if (isLabels(value)) return Object.keys(value.entries).length > 0;
  return Boolean(value);
}

/** As `%v` prints it. */
export function printValue(value: Value): string {
  if (value === undefined) return '<no value>';
  if (value === null) return '<nil>';
  if (typeof value === 'number') return formatGeneral(value);
  if (typeof value !== 'object') return String(value);
  if (isList(value)) return `[${value.map(printValue).join(' ')}]`;
  if (isLabels(value)) return `map[${printEntries(value)}]`;
  if (isFields(value)) return `{${Object.values(value.entries).map(printValue).join(' ')}}`;
  if (isSample(value)) return `{${printValue(value.labels)} ${formatGeneral(value.value)}}`;
  return isInstant(value) ? printInstant(value.ms) : printSpan(value.nanoseconds);
}

function printEntries(map: LabelMap): string {
  return Object.keys(map.entries)
    .sort()
    .map((name) => `${name}:${printValue(map.entries[name])}`)
    .join(' ');
}

/** Beyond it JavaScript has no date; Go's nanoseconds end a little later. */
const LATEST_MS = 8.64e15;

/** As Go prints a time.Time in UTC: `2026-01-01 00:00:00.5 +0000 UTC`. */
export function printInstant(ms: number): string {
  if (!(Math.abs(ms) <= LATEST_MS)) {
    throw new TemplateError(
      `${formatGeneral(ms / 1000)} cannot be represented as a nanoseconds timestamp since it overflows int64`,
    );
  }
  const text = new Date(ms).toISOString();
  const fraction = text.slice(19, 23).replace(/0+$/, '');
  return `${text.slice(0, 10)} ${text.slice(11, 19)}${fraction === '.' ? '' : fraction} +0000 UTC`;
}

/** As Go prints a time.Duration: `1h30m0s`, `1.5s`, `20ms`. */
export function printSpan(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s';
  const sign = nanoseconds < 0 ? '-' : '';
  const size = Math.abs(nanoseconds);
  for (const [unit, below, one] of [
    ['ns', 1e3, 1],
    ['µs', 1e6, 1e3],
    ['ms', 1e9, 1e6],
  ] as const) {
    if (size < below) return `${sign}${size / one}${unit}`;
  }
  const hours = Math.floor(size / 3600e9);
  const minutes = Math.floor(size / 60e9) % 60;
  const seconds = Number(((size % 60e9) / 1e9).toFixed(9));
  const head = hours > 0 ? `${hours}h${minutes}m` : minutes > 0 ? `${minutes}m` : '';
  return `${sign}${head}${seconds}s`;
}

/** The float a template function takes: numbers, durations (in seconds), and strings that are numbers. */
export function toFloat(value: Value): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (isSpan(value)) return value.nanoseconds / 1e9;
  if (typeof value === 'string') return parseFloatText(value);
  throw new TemplateError(`can't convert ${goType(value)} to float`);
}

const NAMED: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
};

function parseFloatText(text: string): number {
  const named = NAMED[text.replace(/^[+-]/, '').toLowerCase()];
  if (named !== undefined) return text.startsWith('-') ? -named : named;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) {
    throw new TemplateError(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  return Number(text);
}

export function goType(value: Value): string {
  if (value === null || value === undefined) return '<nil>';
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (isList(value)) return 'template.queryResult';
  if (isLabels(value)) return 'map[string]string';
  if (isFields(value)) return 'struct';
  if (isSample(value)) return '*template.sample';
  return isInstant(value) ? '*time.Time' : 'time.Duration';
}
