/** When a CronJob is due. */
export interface CronSchedule {
  /** The first time after `after` that it is due; undefined when there is none within five years. */
  next(after: number): number | undefined;
  /** The last time it was due after `since`, up to `now`; undefined when it was not. */
  latest(since: number, now: number): number | undefined;
}

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly names?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS: readonly Field[] = [
  { name: 'minute', least: 0, most: 59 },
  { name: 'hour', least: 0, most: 23 },
  { name: 'day of month', least: 1, most: 31 },
  { name: 'month', least: 1, most: 12, names: ['', ...MONTHS] },
  { name: 'day of week', least: 0, most: 6, names: DAYS },
];
const MACROS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const MINUTE = 60_000;
const HORIZON = 5 * 366 * 24 * 60 * MINUTE;
const LONGEST = 100;

/** A schedule's text, checked; or what is wrong with it. */
export type ParsedSchedule =
  | { readonly error: string }
  | { readonly everyMs: number }
  | {
      readonly sets: readonly ReadonlySet<number>[];
      /** Neither day field is a star: then either of them is enough. */
      readonly eitherDay: boolean;
    };

/**
 * Reads the five-field format, the macros, and `@every 90m`, as the CronJob controller's parser does: ranges, lists,
 * steps, English names, `?` for `*`; day of week 0 to 6; days are or-ed where both are restricted.
 * Source: github.com/robfig/cron v3, parser.go
 */
export function parseSchedule(text: string): ParsedSchedule {
  const plain = text.trim();
  if (plain.length > LONGEST) return { error: `must be at most ${LONGEST} characters` };
  if (/^(CRON_)?TZ=/.test(plain)) return { error: 'may not name a time zone; use timeZone' };
  if (plain.startsWith('@every ')) {
    const everyMs = durationMs(plain.slice('@every '.length).trim());
    return everyMs === undefined
      ? { error: '@every needs a duration such as 90s, 5m or 1h30m' }
      : { everyMs };
  }
  const expanded = plain.startsWith('@') ? MACROS[plain.toLowerCase()] : plain;
  if (expanded === undefined) return { error: `must be one of ${Object.keys(MACROS).join(', ')}, @every` };
  const words = expanded.split(/\s+/);
  if (words.length !== FIELDS.length)
    return {
      error: `must have 5 fields (minute hour day month weekday), has ${expanded === '' ? 0 : words.length}`,
    };
  const sets: ReadonlySet<number>[] = [];
  for (const [index, word] of words.entries()) {
    const found = parseField(word, FIELDS[index]!);
    if (typeof found === 'string') return { error: `${FIELDS[index]!.name} "${word}": ${found}` };
    sets.push(found);
  }
  const star = (word: string) => word.split(',').some((part) => /^[*?](\/1)?$/.test(part));
  return { sets, eitherDay: !star(words[2]!) && !star(words[4]!) };
}

function parseField(word: string, { least, most, names }: Field): ReadonlySet<number> | string {
  const values = new Set<number>();
  const number = (text: string): number => {
    const named = names?.indexOf(text.toLowerCase()) ?? -1;
    if (named >= 0 && text !== '') return named;
    return /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  };
  for (const part of word.split(',')) {
    const [range, stepText, more] = part.split('/') as [string, string?, string?];
    const step = stepText === undefined ? 1 : number(stepText);
    if (more !== undefined || !(step > 0)) return 'a step is a whole number above 0';
    const [from, to, rest] = range.split('-') as [string, string?, string?];
    const any = range === '*' || range === '?';
    const start = any ? least : number(from);
    const end = any || (to === undefined && stepText !== undefined) ? most : number(to ?? from);
    if (rest !== undefined || Number.isNaN(start) || Number.isNaN(end)) return 'is no number, range or name';
    if (start < least || end > most) return `must be from ${least} to ${most}`;
    if (start > end) return 'a range begins with the smaller number';
    for (let value = start; value <= end; value += step) values.add(value);
  }
  return values;
}

const UNITS: Readonly<Record<string, number>> = { h: 60 * MINUTE, m: MINUTE, s: 1000 };

/** Go's durations in whole seconds, at least one. */
function durationMs(text: string): number | undefined {
  if (!/^(\d{1,6}[hms])+$/.test(text)) return undefined;
  const ms = [...text.matchAll(/(\d+)([hms])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * UNITS[unit!]!,
    0,
  );
  return ms >= 1000 ? ms : undefined;
}

export function isTimeZone(zone: string): boolean {
  // `Local` is what the machine happens to have. Source: pkg/apis/batch/validation, validateTimeZone
  if (zone.toLowerCase() === 'local' || /^[+-]/.test(zone)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** The schedule of a sound text; `timeZone` left out: UTC. */
export function createCronSchedule(text: string, timeZone = 'UTC'): CronSchedule {
  const parsed = parseSchedule(text);
  if ('error' in parsed) throw new Error(`unchecked schedule "${text}": ${parsed.error}`);
  if ('everyMs' in parsed) {
    const { everyMs } = parsed;
    return {
      next: (after) => Math.floor((after + everyMs) / 1000) * 1000,
      latest(since, now) {
        const times = Math.floor((now - since) / everyMs);
        return times < 1 ? undefined : Math.floor((since + times * everyMs) / 1000) * 1000;
      },
    };
  }
  const [minutes, hours, daysOfMonth, months, daysOfWeek] = parsed.sets as [
    ReadonlySet<number>,
    ReadonlySet<number>,
    ReadonlySet<number>,
    ReadonlySet<number>,
    ReadonlySet<number>,
  ];
  const localOf = localTime(timeZone);
  const isDay = ({ day, weekday }: Local) => {
    const [ofMonth, ofWeek] = [daysOfMonth.has(day), daysOfWeek.has(weekday)];
    return parsed.eitherDay ? ofMonth || ofWeek : ofMonth && ofWeek;
  };
  return {
    next,
    latest(since, now) {
      // Ever further back, so that years in which the agent was away need not be walked through.
      for (let spanMs = 60 * MINUTE; ; spanMs *= 8) {
        const from = Math.max(since, now - spanMs);
        let found: number | undefined;
        for (let at = next(from); at !== undefined && at <= now; at = next(at)) found = at;
        if (found !== undefined || from === since) return found;
      }
    },
  };

  function next(after: number): number | undefined {
    let at = Math.floor(after / MINUTE) * MINUTE + MINUTE;
    const end = at + HORIZON;
    while (at < end) {
      const local = localOf(at);
      if (!months.has(local.month) || !isDay(local)) at = nextDay(at, local, localOf);
      else if (!hours.has(local.hour)) at += (60 - local.minute) * MINUTE;
      else if (!minutes.has(local.minute)) at += MINUTE;
      else return at;
    }
    return undefined;
  }
}

interface Local {
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
}

/** The first minute of the next day; where the clock is set at midnight, a little before or right after it. */
function nextDay(at: number, { day, hour, minute }: Local, localOf: (at: number) => Local): number {
  const guess = at + ((24 - hour) * 60 - minute) * MINUTE;
  const local = localOf(guess);
  const past = (local.hour * 60 + local.minute) * MINUTE;
  // A day of 23 hours: the guess lies in the next day. Where that has no midnight, its first minute is past it.
  if (local.day === day || past === 0) return guess;
  return localOf(guess - past).day === local.day ? guess - past : guess;
}

function localTime(timeZone: string): (at: number) => Local {
  if (timeZone === 'UTC' || timeZone === 'Etc/UTC') {
    return (at) => {
      const date = new Date(at);
      return {
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
        weekday: date.getUTCDay(),
        hour: date.getUTCHours(),
        minute: date.getUTCMinutes(),
      };
    };
  }
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    month: 'numeric',
    day: 'numeric',
    weekday: 'short',
    hour: 'numeric',
    minute: 'numeric',
    hourCycle: 'h23',
  });
  return (at) => {
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
    return {
      month: Number(part.month),
      day: Number(part.day),
      weekday: DAYS.indexOf(part.weekday!.toLowerCase()),
      hour: Number(part.hour),
      minute: Number(part.minute),
    };
  };
}
