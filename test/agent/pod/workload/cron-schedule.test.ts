// Source: github.com/robfig/cron v3: spec_test.go, parser_test.go; the CronJob controller uses ParseStandard
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createCronSchedule,
  isTimeZone,
  parseSchedule,
} from '../../../../src/agent/pod/workload/cron-schedule.ts';

const next = (schedule: string, after: string, zone?: string) => {
  const at = createCronSchedule(schedule, zone).next(Date.parse(after));
  return at === undefined ? undefined : new Date(at).toISOString().replace('.000', '');
};

describe('a schedule is due', () => {
  for (const [schedule, after, due] of [
    ['0/15 * * * *', '2012-07-09T14:45:00Z', '2012-07-09T15:00:00Z'],
    ['20-35/15 * * * *', '2012-07-09T15:45:00Z', '2012-07-09T16:20:00Z'],
    ['*/15 * * * *', '2012-07-09T23:46:00Z', '2012-07-10T00:00:00Z'],
    ['0 0 29 Feb ?', '2012-07-09T23:35:00Z', '2016-02-29T00:00:00Z'],
    ['0 0 * Feb Mon', '2012-07-09T23:35:00Z', '2013-02-04T00:00:00Z'],
    ['0 0 1,15 * Sun', '2012-07-09T23:35:00Z', '2012-07-15T00:00:00Z'],
    ['0 0 13 * Fri', '2024-09-01T00:00:00Z', '2024-09-06T00:00:00Z'],
    ['0 0 */2 * Fri', '2024-09-01T00:00:00Z', '2024-09-03T00:00:00Z'],
    ['30 08 ? Jul Sun', '2012-07-09T08:30:00Z', '2012-07-15T08:30:00Z'],
    ['@hourly', '2024-01-01T10:01:00Z', '2024-01-01T11:00:00Z'],
    ['@weekly', '2024-01-01T10:01:00Z', '2024-01-07T00:00:00Z'],
    ['@every 1h30m', '2024-01-01T10:01:30Z', '2024-01-01T11:31:30Z'],
    ['0 0 30 Feb ?', '2012-07-09T23:35:00Z', undefined],
  ] as const) {
    it(`${schedule} after ${after}: ${due ?? 'never'}`, () => expect(next(schedule, after)).toBe(due));
  }

  it('by the clock of its time zone, skipping an hour that does not exist', () => {
    expect(next('30 2 * * *', '2024-03-30T12:00:00Z', 'Europe/Berlin')).toBe('2024-04-01T00:30:00Z');
    expect(next('0 9 * * *', '2024-03-30T12:00:00Z', 'Europe/Berlin')).toBe('2024-03-31T07:00:00Z');
    expect(next('0 0 * * *', '2024-10-27T01:30:00Z', 'Europe/Berlin')).toBe('2024-10-27T23:00:00Z');
    expect(next('15 0 * * *', '2024-01-01T00:00:00Z', 'Asia/Kolkata')).toBe('2024-01-01T18:45:00Z');
  });

  it('most recently, however long nobody looked', () => {
    const schedule = createCronSchedule('0 0 1 1 *');
    const latest = schedule.latest(Date.parse('2019-06-01T00:00:00Z'), Date.parse('2024-06-01T00:00:00Z'));
    expect(new Date(latest!).toISOString()).toBe('2024-01-01T00:00:00.000Z');
    expect(
      schedule.latest(Date.parse('2024-01-01T00:00:00Z'), Date.parse('2024-06-01T00:00:00Z')),
    ).toBeUndefined();
  });

  it('at a minute each of whose parts is in its field, whatever the schedule', () => {
    const field = (least: number, most: number) =>
      fc.array(fc.integer({ min: least, max: most }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        field(0, 59),
        field(0, 23),
        field(1, 12),
        fc.integer({ min: 0, max: 2e12 }),
        (m, h, mo, after) => {
          const at = createCronSchedule(`${m.join()} ${h.join()} * ${mo.join()} *`).next(after)!;
          const date = new Date(at);
          expect(at).toBeGreaterThan(after);
          expect(m).toContain(date.getUTCMinutes());
          expect(h).toContain(date.getUTCHours());
          expect(mo).toContain(date.getUTCMonth() + 1);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('a schedule is refused', () => {
  for (const [schedule, why] of [
    ['', 'has 0'],
    ['* * * *', 'has 4'],
    ['* * * * * *', 'has 6'],
    ['60 * * * *', 'minute "60": must be from 0 to 59'],
    ['* * * * 7', 'day of week "7": must be from 0 to 6'],
    ['5-1 * * * *', 'begins with the smaller'],
    ['*/0 * * * *', 'a step is'],
    ['1-2-3 * * * *', 'is no number'],
    ['* * L * *', 'is no number'],
    ['TZ=Europe/Berlin * * * * *', 'use timeZone'],
    ['@fortnightly', 'must be one of'],
    ['@every soon', 'needs a duration'],
  ] as const) {
    it(`"${schedule}"`, () =>
      expect(parseSchedule(schedule)).toMatchObject({ error: expect.stringContaining(why) }));
  }

  it('and time zones that are none, or whatever the machine has', () => {
    expect(isTimeZone('Europe/Berlin')).toBe(true);
    for (const zone of ['Local', 'Mars/Olympus', '+02:00', '']) expect(isTimeZone(zone)).toBe(false);
  });
});
