const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A span as kubectl prints ages, at most two units: `45s`, `3m12s`, `2h5m`, `3d4h`. Shorter than 10 s: `0.2s`. */
export function span(ms: number): string {
  if (ms < 10 * SECOND) return `${Math.max(0, Math.round(ms / 100) / 10)}s`;
  if (ms < 2 * MINUTE) return `${Math.floor(ms / SECOND)}s`;
  if (ms < 10 * MINUTE) return two(ms, MINUTE, 'm', SECOND, 's');
  if (ms < 3 * HOUR) return `${Math.floor(ms / MINUTE)}m`;
  if (ms < 8 * HOUR) return two(ms, HOUR, 'h', MINUTE, 'm');
  if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)}h`;
  if (ms < 8 * DAY) return two(ms, DAY, 'd', HOUR, 'h');
  return `${Math.floor(ms / DAY)}d`;
}

function two(ms: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)}${largeUnit}${rest === 0 ? '' : `${rest}${smallUnit}`}`;
}

/** How long ago, in whole seconds and larger. */
export function ago(ms: number): string {
  return ms < 5 * SECOND ? 'just now' : `${ms < 10 * SECOND ? `${Math.floor(ms / SECOND)}s` : span(ms)} ago`;
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** The time of day, with the day when it is not today's. */
export function timeOf(at: number, now: number): string {
  const sameDay = new Date(at).toDateString() === new Date(now).toDateString();
  return sameDay ? clock.format(at) : `${day.format(at)} ${clock.format(at)}`;
}

/** Cores as kubectl top: `40m`, `1.25`; below ten thousandths with a decimal: `0.4m`. */
export function cores(value: number): string {
  if (value >= 1) return trim(value, 2);
  return `${trim(value * 1000, value < 0.01 ? 1 : 0)}m`;
}

const BINARY = ['B', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'] as const;

/** Bytes as kubectl top: `31Mi`, `1.5Gi`. */
export function bytes(value: number): string {
  let rest = Math.abs(value);
  let unit = 0;
  while (rest >= 1024 && unit < BINARY.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  return `${value < 0 ? '-' : ''}${rest < 10 && unit > 1 ? trim(rest, 1) : Math.round(rest)}${BINARY[unit]}`;
}

/** At most so many decimals, without zeros at the end. */
export function trim(value: number, decimals: number): string {
  return String(Number(value.toFixed(decimals)));
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
