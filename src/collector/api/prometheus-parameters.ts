import type { FastifyRequest } from 'fastify';
import type { Matcher } from '../../model/matcher.ts';
import { CodedError, messageOf } from '../../util/coded-error.ts';
import { quote } from '../promql/go-format.ts';
import { parseMetricSelector } from '../promql/parse-metric-selector.ts';
import { parseDuration } from '../promql/parser/number-literal.ts';
import { compileMatcher } from '../storage/label-matcher.ts';

/** The parameters of a request: those of the URL, before them those of a posted form. */
export type Form = Pick<URLSearchParams, 'get' | 'getAll'>;

export function readForm(request: FastifyRequest): Form {
  const fromUrl = new URLSearchParams(request.url.split('?').slice(1).join('?'));
  if (typeof request.body !== 'string') return fromUrl;
  const form = new URLSearchParams(request.body);
  for (const [name, value] of fromUrl) form.append(name, value);
  return form;
}

/** Status 400: `invalid parameter "step": …`. */
export function badData(parameter: string, message: string): CodedError {
  return new CodedError('PROMETHEUS_PARAMETER', `invalid parameter "${parameter}": ${message}`, {
    status: 400,
  });
}

/** The earliest and latest time a request without bounds covers, in milliseconds. */
export const MIN_TIME_MS = -8.64e15;
export const MAX_TIME_MS = 8.64e15;

const FLOAT = /^[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** A time in seconds since the epoch or in RFC 3339, as integer milliseconds; `fallback` when it is not given. */
export function timeParameter(form: Form, name: string, fallback: number): number {
  const text = form.get(name) ?? '';
  if (text === '') return fallback;
  try {
    return parseTime(text);
  } catch (error) {
    throw badData(name, `invalid time value for '${name}': ${messageOf(error)}`);
  }
}

export function requiredTime(form: Form, name: string): number {
  try {
    return parseTime(form.get(name) ?? '');
  } catch (error) {
    throw badData(name, messageOf(error));
  }
}

function parseTime(text: string): number {
  const milliseconds = FLOAT.test(text)
    ? Math.round(Number(text.replaceAll('_', '')) * 1000)
    : parseDate(text);
  if (Number.isFinite(milliseconds) && Math.abs(milliseconds) <= Number.MAX_SAFE_INTEGER) return milliseconds;
  throw new Error(`cannot parse ${quote(text)} to a valid timestamp`);
}

function parseDate(text: string): number {
  // Clients send back the bounds Prometheus tells them, whose years have six digits.
  if (text === '-292273086-05-16T16:47:06Z') return MIN_TIME_MS;
  if (text === '292277025-08-18T07:12:54.999999999Z') return MAX_TIME_MS;
  return RFC_3339.test(text) ? Math.floor(Date.parse(text)) : Number.NaN;
}

/** A duration in seconds or as `1h30m`, in milliseconds; not rounded. */
export function durationParameter(form: Form, name: string): number {
  const milliseconds = parseDurationParameter(form.get(name) ?? '');
  if (typeof milliseconds === 'number') return milliseconds;
  throw badData(name, milliseconds.mistake);
}

/** The same of a text; or what is wrong with it. */
export function parseDurationParameter(text: string): number | { readonly mistake: string } {
  const mistake = `cannot parse ${quote(text)} to a valid duration`;
  if (!FLOAT.test(text)) return parseDuration(text) ?? { mistake };
  const seconds = Number(text.replaceAll('_', ''));
  return Math.abs(seconds) <= 2 ** 63 / 1e9 ? seconds * 1000 : { mistake: `${mistake}. It overflows int64` };
}

/** How many results are wanted; 0 is all. */
export function limitParameter(form: Form): number {
  const text = form.get('limit') ?? '';
  if (text === '') return 0;
  const isNumber = /^[+-]?\d+$/.test(text);
  if (!isNumber || text.length > 19)
    throw badData(
      'limit',
      `strconv.Atoi: parsing ${quote(text)}: ${isNumber ? 'value out of range' : 'invalid syntax'}`,
    );
  if (text.startsWith('-')) throw badData('limit', 'limit must be non-negative');
  // No answer is as long as what is beyond it.
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}

/** The selectors of `match[]`, each of which excludes some series. @throws CodedError saying which cannot be read */
export function matchParameters(form: Form): readonly (readonly Matcher[])[] {
  const selectors = form.getAll('match[]').map(parseMetricSelector);
  if (selectors.every((matchers) => matchers.some((matcher) => !compileMatcher(matcher).matchesEmpty)))
    return selectors;
  throw new CodedError('PROMETHEUS_PARAMETER', 'match[] must contain at least one non-empty matcher', {
    status: 400,
  });
}
