const SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  5: 'SIGTRAP',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  10: 'SIGUSR1',
  11: 'SIGSEGV',
  12: 'SIGUSR2',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
  24: 'SIGXCPU',
  25: 'SIGXFSZ',
  31: 'SIGSYS',
};

/** Linux's name of a signal: 9 is `SIGKILL`; one without a name is `signal 40`. */
export const signalName = (signal: number): string => SIGNALS[signal] ?? `signal ${signal}`;

/** What an exit code says by the custom of shells and tools. Source: POSIX sh; GNU coreutils manual; git(1); ssh(1) */
const EXIT_CODES: Readonly<Record<number, string>> = {
  125: 'as env, timeout, chroot or a container runtime says that it failed itself, before the command',
  126: 'as a shell says that a file cannot be executed',
  127: 'as a shell says that a command was not found',
  128: 'as git ends after a fatal error, and a shell that was told to exit with no number',
  255: 'as a program ends with -1, perl after die, ssh when it cannot connect',
};

/** ` (as a shell says …)` for a code that has a meaning of its own, else nothing. */
export const exitWords = (exitCode: number): string =>
  EXIT_CODES[exitCode] === undefined ? '' : ` (${EXIT_CODES[exitCode]})`;

/** Bytes as people set limits: `128 MiB`, `1.5 GiB`, `512 KiB`; at most one digit after the point. */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let value = count;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number(value.toFixed(1))} ${units[unit]}`;
}

/** A length of time as people say it: `0.4 s`, `12 s`, `5 min 3 s`, `2 h 5 min`. */
export function duration(ms: number): string {
  if (ms < 10_000) return `${Number((ms / 1000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** 1st, 2nd, 3rd, 4th, 11th, … */
export function ordinal(number: number): string {
  const teen = Math.floor(number / 10) % 10 === 1;
  return `${number}${(!teen && ['th', 'st', 'nd', 'rd'][number % 10]) || 'th'}`;
}

// What a terminal acts on or what reorders text: C0, DEL, C1 and the marks of writing direction.
const UNPRINTABLE = /[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** At most `characters` of one line, blanks squeezed; what cannot be seen is named: `<U+001B>`. */
export function brief(text: string, characters = 200): string {
  const line = text
    .replace(UNPRINTABLE, (mark) => `<U+${mark.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}>`)
    .replace(/\s+/g, ' ')
    .trim();
  return line.length <= characters ? line : `${line.slice(0, characters - 1)}…`;
}

export const rfc3339 = (ms: number): string => new Date(ms).toISOString();
