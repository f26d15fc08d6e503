// Go rounds a tie to the even digit, JavaScript away from zero. Both look at the exact value of the double.

/** `%.{digits}f`. */
export function toFixedEven(value: number, digits: number): string {
  const size = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  // JavaScript's toFixed turns to an exponent there, and there is no fraction any more.
  if (size >= 1e21) return sign + BigInt(size).toString() + (digits > 0 ? `.${'0'.repeat(digits)}` : '');
  const rounded = size.toFixed(digits);
  return sign + (isTie(size.toFixed(100), digits) && isOddTail(rounded) ? truncated(size, digits) : rounded);
}

/** `%.{digits}e` as JavaScript spells it: the exponent without leading zeros. */
export function toExponentialEven(value: number, digits: number): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  const rounded = size.toExponential(digits);
  const [long, exponent] = size.toExponential(100).split('e') as [string, string];
  const [mantissa] = rounded.split('e') as [string];
  if (!isTie(long, digits) || !isOddTail(mantissa)) return sign + rounded;
  return `${sign}${cut(long, digits)}e${exponent}`;
}

/** `%.{digits}g`: that many significant digits, an exponent of two digits for small and large, no trailing zeros. */
export function toPrecisionEven(value: number, digits: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa, exponentText] = toExponentialEven(value, digits - 1).split('e') as [string, string];
  const exponent = Number(exponentText);
  const trim = (text: string) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
  if (exponent >= -4 && exponent < digits)
    return trim(toFixedEven(value, Math.max(0, digits - 1 - exponent)));
  return `${trim(mantissa)}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** Whether what comes after `digits` decimals of an exact expansion is 5 and nothing else. */
function isTie(exact: string, digits: number): boolean {
  return /^50*$/.test(exact.slice(exact.indexOf('.') + 1 + digits));
}

function isOddTail(rounded: string): boolean {
  return Number(rounded.at(-1)) % 2 === 1;
}

function truncated(size: number, digits: number): string {
  return cut(size.toFixed(100), digits);
}

function cut(exact: string, digits: number): string {
  const point = exact.indexOf('.');
  return digits === 0 ? exact.slice(0, point) : exact.slice(0, point + 1 + digits);
}
