import { Mistake } from './parse-error.ts';

const SECONDS: Readonly<Record<string, number>> = {
  y: 365 * 24 * 3600,
  w: 7 * 24 * 3600,
  d: 24 * 3600,
  h: 3600,
  m: 60,
  s: 1,
  ms: 0.001,
};
const DURATION = /^(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m(?!s))?(?:\d+s)?(?:\d+ms)?$/;
const RADIX = /^0([xXoObB])/;

/** A number or a duration in seconds, as written in a query: `1e3`, `0x1f`, `1_000`, `010` (octal), `Inf`, `5m`. */
export function parseNumber(
  text: string,
  at: number,
): { readonly value: number; readonly isDuration: boolean } {
  const word = text.toLowerCase();
  if (word === 'inf') return { value: Number.POSITIVE_INFINITY, isDuration: false };
  if (word === 'nan') return { value: Number.NaN, isDuration: false };
  if (/[ywdhms]$/.test(text) && !RADIX.test(text))
    return { value: durationSeconds(text, at), isDuration: true };
  const digits = text.replaceAll('_', '');
  // Go reads an integer with base 0 first: a leading zero is octal where the digits allow it.
  const value = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  if (Number.isNaN(value)) throw new Mistake(at, `error parsing number: ${JSON.stringify(text)} is none`);
  return { value, isDuration: false };
}

// Largest int64 of nanoseconds, in which Prometheus keeps durations.
const LONGEST_SECONDS = 2 ** 63 / 1e9;

function durationSeconds(text: string, at: number): number {
  if (!DURATION.test(text)) throw new Mistake(at, `not a valid duration string: ${JSON.stringify(text)}`);
  let milliseconds = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[ywdhms])/g)) {
    milliseconds += Number(count) * Math.round(SECONDS[unit!]! * 1000);
  }
  if (milliseconds / 1000 > LONGEST_SECONDS) throw new Mistake(at, 'duration out of range');
  return milliseconds / 1000;
}

/** A duration string (`1h30m`, `500ms`, `0`) in milliseconds, or undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (text === '' || !DURATION.test(text)) return undefined;
  try {
    return Math.round(durationSeconds(text, 0) * 1000);
  } catch (error) {
    // Longer than Prometheus can hold.
    if (error instanceof Mistake) return undefined;
    throw error;
  }
}

/** Seconds as whole milliseconds, by way of nanoseconds as Prometheus does it. */
export function toMilliseconds(seconds: number): number {
  return Math.trunc(Math.round(seconds * 1e9) / 1e6);
}
