import { toPrecisionEven } from './rounding.ts';
import { printInstant } from './value.ts';

const LARGE = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
const LARGE_1024 = ['ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi'];
const SMALL = ['m', 'u', 'n', 'p', 'f', 'a', 'z', 'y'];

const four = (value: number) => toPrecisionEven(value, 4);
const isSpecial = (value: number) => value === 0 || !Number.isFinite(value);

/** Four significant digits and a metric prefix: 1234567 is `1.235M`. Source: prometheus/template/template.go */
export function humanize(value: number): string {
  if (isSpecial(value)) return four(value);
  return Math.abs(value) >= 1 ? divided(value, 1000, LARGE) : multiplied(value);
}

/** As `humanize` with 1024 and `ki`, `Mi`, …; small values keep their size. */
export function humanize1024(value: number): string {
  return Math.abs(value) <= 1 || !Number.isFinite(value) ? four(value) : divided(value, 1024, LARGE_1024);
}

/** 0.25 is `25%`. */
export const humanizePercentage = (value: number): string => `${four(value * 100)}%`;

/** Seconds as `1d 2h 3m 4s`; below a minute four significant digits, below a second with a metric prefix. */
export function humanizeDuration(value: number): string {
  if (!Number.isFinite(value)) return four(value);
  if (value === 0) return '0s';
  if (Math.abs(value) < 1) return `${multiplied(value)}s`;
  const sign = value < 0 ? '-' : '';
  const size = Math.abs(value);
  const whole = Math.floor(size);
  const seconds = whole % 60;
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600) % 24;
  const days = Math.floor(whole / 86_400);
  if (days > 0) return `${sign}${days}d ${hours}h ${minutes}m ${seconds}s`;
  if (hours > 0) return `${sign}${hours}h ${minutes}m ${seconds}s`;
  if (minutes > 0) return `${sign}${minutes}m ${seconds}s`;
  return `${sign}${four(size)}s`;
}

/** Seconds since the epoch as a time in UTC. */
export function humanizeTimestamp(value: number): string {
  return Number.isFinite(value) ? printInstant(value * 1000) : four(value);
}

function divided(value: number, by: number, prefixes: readonly string[]): string {
  let rest = value;
  let prefix = '';
  for (const next of prefixes) {
    if (Math.abs(rest) < by) break;
    prefix = next;
    rest /= by;
  }
  return four(rest) + prefix;
}

function multiplied(value: number): string {
  let rest = value;
  let prefix = '';
  for (const next of SMALL) {
    if (Math.abs(rest) >= 1) break;
    prefix = next;
    rest *= 1000;
  }
  return four(rest) + prefix;
}
