const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const SPECIAL: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  '+inf': Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
  '+infinity': Number.POSITIVE_INFINITY,
  '-infinity': Number.NEGATIVE_INFINITY,
};

/** A number as Go's ParseFloat takes it, without hexadecimals and underscores; undefined for anything else. */
export function parseFloatText(text: string): number | undefined {
  if (!DECIMAL.test(text)) return text.length > 9 ? undefined : SPECIAL[text.toLowerCase()];
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

const PLUS = 43;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const UPPER_E = 69;
const LOWER_E = 101;
const MOST_DIGITS = 16;
const MOST_EXPONENT_DIGITS = 3;
const LARGEST_EXACT = 2 ** 53;
// Powers of ten that are numbers without rounding.
const POWERS = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/**
 * `parseFloatText` of bytes `from` to before `to`. Most numbers have few digits: then they are whole numbers times or by a
 * power of ten, both exact, and what comes of one operation is what reading the text would give. Others are read as text.
 * Source: W. D. Clinger, How to read floating point numbers accurately, 1990
 */
export function parseFloatBytes(bytes: Uint8Array, from: number, to: number): number | undefined {
  let at = from;
  const isNegative = bytes[at] === MINUS;
  if (isNegative || bytes[at] === PLUS) at += 1;
  let mantissa = 0;
  let digits = 0;
  let exponent = 0;
  for (; at < to; at += 1) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) break;
    mantissa = mantissa * 10 + digit;
    digits += 1;
  }
  if (at < to && bytes[at] === DOT) {
    at += 1;
    for (; at < to; at += 1) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      mantissa = mantissa * 10 + digit;
      digits += 1;
      exponent -= 1;
    }
  }
  if (digits === 0 || digits > MOST_DIGITS || mantissa >= LARGEST_EXACT) return readText(bytes, from, to);
  if (at < to) {
    if (bytes[at] !== LOWER_E && bytes[at] !== UPPER_E) return readText(bytes, from, to);
    at += 1;
    const isBelow = bytes[at] === MINUS;
    if (isBelow || bytes[at] === PLUS) at += 1;
    const exponentAt = at;
    let power = 0;
    for (; at < to; at += 1) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      power = power * 10 + digit;
    }
    const length = at - exponentAt;
    if (at < to || length === 0 || length > MOST_EXPONENT_DIGITS) return readText(bytes, from, to);
    exponent += isBelow ? -power : power;
  }
  if (exponent > 22 || exponent < -22) return readText(bytes, from, to);
  const value = exponent < 0 ? mantissa / POWERS[-exponent]! : mantissa * POWERS[exponent]!;
  return isNegative ? -value : value;
}

const readText = (bytes: Uint8Array, from: number, to: number) =>
  parseFloatText(Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1'));

/** Whole milliseconds as written, NaN where it is not digits alone with a sign before. */
export function parseIntegerBytes(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  const isNegative = bytes[at] === MINUS;
  if (isNegative || bytes[at] === PLUS) at += 1;
  if (at >= to) return Number.NaN;
  let value = 0;
  for (; at < to; at += 1) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return isNegative ? -value : value;
}
