/**
 * Go's spellings of numbers, strings and durations: labels, messages and printed expressions carry them, so they
 * must agree to the letter. Source: https://pkg.go.dev/strconv
 */

/** `strconv.FormatFloat(value, 'f', -1, 64)`: the shortest digits that read back the same, never an exponent. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const { digits, exponent } = shortest(Math.abs(value));
  const point = exponent + 1;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`.replace(/^(-?0)\.0*$/, '$1');
  if (digits.length <= point) return sign + digits + '0'.repeat(point - digits.length);
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** `%g` and `%v` of a float: as `formatFloat`, with an exponent below 1e-4 and from 1e6 on, of two digits at least. */
export function formatGeneral(value: number): string {
  if (!Number.isFinite(value) || value === 0) return formatFloat(value);
  const { digits, exponent } = shortest(Math.abs(value));
  if (exponent >= -4 && exponent < 6) return formatFloat(value);
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
  return `${value < 0 ? '-' : ''}${digits[0]}${fraction}e${formatExponent(exponent)}`;
}

/** `%.{precision}g`: that many significant digits, trailing zeros dropped. */
export function formatPrecision(value: number, precision: number): string {
  if (!Number.isFinite(value) || value === 0) return formatFloat(value);
  const [mantissa, exponentText] = value.toExponential(precision - 1).split('e') as [string, string];
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= precision) {
    return `${mantissa.replace(/\.?0+$/, '')}e${formatExponent(exponent)}`;
  }
  const fixed = value.toFixed(Math.max(0, precision - 1 - exponent));
  return fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed;
}

function formatExponent(exponent: number): string {
  return `${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** Shortest decimal digits of a positive finite number, and the power of ten of the first. */
function shortest(value: number): { digits: string; exponent: number } {
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string];
  return { digits: mantissa.replace('.', ''), exponent: Number(exponent) };
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};
// Go's IsPrint: letters, marks, numbers, punctuation, symbols, and the ASCII space.
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** `strconv.Quote`. */
export function quote(text: string): string {
  let out = '"';
  for (const char of text) {
    const known = ESCAPES[char];
    if (known !== undefined) out += known;
    else if (PRINTABLE.test(char)) out += char;
    else out += escapeCode(char.codePointAt(0)!);
  }
  return `${out}"`;
}

function escapeCode(code: number): string {
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
  // A byte that is not UTF-8, as string literals keep it.
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\U${code.toString(16).padStart(8, '0')}`;
}

const UNITS: readonly (readonly [unit: string, ms: number, exactOnly: boolean])[] = [
  ['y', 365 * 24 * 3600 * 1000, true],
  ['w', 7 * 24 * 3600 * 1000, true],
  ['d', 24 * 3600 * 1000, false],
  ['h', 3600 * 1000, false],
  ['m', 60 * 1000, false],
  ['s', 1000, false],
  ['ms', 1, false],
];

/** A duration as Prometheus writes it: `1h30m`; years and weeks only where nothing remains. Whole milliseconds >= 0. */
export function formatDuration(milliseconds: number): string {
  let rest = Math.trunc(milliseconds);
  if (rest === 0) return '0s';
  let out = '';
  for (const [unit, ms, exactOnly] of UNITS) {
    if (exactOnly && rest % ms !== 0) continue;
    const count = Math.floor(rest / ms);
    if (count > 0) out += `${count}${unit}`;
    rest -= count * ms;
  }
  return out;
}
