import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCommentCache } from '../../../src/collector/scrape/comment-cache.ts';
import { createSeriesCache } from '../../../src/collector/scrape/series-cache.ts';
import { messageOf } from '../../../src/util/coded-error.ts';
import type { TextFormat } from '../../../src/wire/prometheus/content-type.ts';
import { type ExpositionSink, readExposition } from '../../../src/wire/prometheus/exposition-reader.ts';
import { parseSeries } from '../../../src/wire/prometheus/exposition-series.ts';

const LINES = [
  'up 1\n',
  'up{a="b"} 2\n',
  'up {a="b"} 2\n',
  'up\t3\n',
  'up_total{a="b",c="d"} 2 5\n',
  'up_total 1 # {a="b"} 1 2\n',
  'foo{a="\\"}"} 1e3\n',
  '{"x",a="b"} 4\n',
  '# TYPE up counter\n',
  '# TYPE up untyped\n',
  '# HELP up what it is \\\\ é\n',
  '# UNIT up_seconds seconds\n',
  '# HELP "my\nname" of two lines\n',
  '# a remark\n',
  'up{\n',
  '\n',
];
const body = fc.record({
  lines: fc.array(fc.constantFrom(...LINES), { maxLength: 8 }),
  format: fc.constantFrom<TextFormat>('prometheus-0.0.4', 'openmetrics-1.0.0'),
  failed: fc.boolean(),
});

/** All that is told, and the error at the end if there is one. */
function told(bytes: Uint8Array, format: TextFormat, more: (all: unknown[]) => ExpositionSink): unknown[] {
  const all: unknown[] = [];
  try {
    const reading = readExposition(bytes, format, more(all));
    while (!reading.next().done);
  } catch (error) {
    all.push(messageOf(error));
  }
  return all;
}

const comments = (all: unknown[]) => ({
  type: (name: string, type: string) => void all.push(['type', name, type]),
  help: (name: string, text: string) => void all.push(['help', name, text]),
  unit: (name: string, unit: string) => void all.push(['unit', name, unit]),
});

describe('what is known of the texts of a target', () => {
  it('changes nothing of what is read, whatever comes after what', () => {
    fc.assert(
      fc.property(fc.array(body, { maxLength: 12 }), (bodies) => {
        const series = createSeriesCache(7);
        const remarks = createCommentCache(7);
        let lastFormat: TextFormat | undefined;
        for (const { lines, format, failed } of bodies) {
          const end = format === 'openmetrics-1.0.0' ? '# EOF\n' : '';
          const bytes = Buffer.from(lines.join('') + end);
          const anew = told(bytes, format, (all) => ({
            ...comments(all),
            sample: (from, to, value, t) =>
              all.push([JSON.stringify(parseSeries(bytes.subarray(from, to), format)), value, t]),
          }));
          const known = told(bytes, format, (all) => {
            series.begin(bytes, format !== lastFormat);
            return {
              ...remarks.begin(bytes, format, comments(all)),
              knownSeries: series.expectedEnd,
              sample(from, to, value, t) {
                const labels = () =>
                  Buffer.from(JSON.stringify(parseSeries(bytes.subarray(from, to), format)));
                const one = series.get(from, to) ?? series.add(from, to, labels());
                all.push([Buffer.from(one!.labelBytes).toString(), value, t]);
              },
            };
          });
          lastFormat = format;
          // Of a series that is known to the other format the labels are not looked at again.
          if (!anew.some((line) => typeof line === 'string' && line.startsWith('line 1:')))
            expect(known).toEqual(anew);
          remarks.done();
          for (const _ of series.done(failed));
        }
      }),
      { numRuns: 800 },
    );
  });

  it('is forgotten after some scrapes without it, and not by one that failed', () => {
    const series = createSeriesCache(7);
    const scrape = (text: string, failed = false) => {
      const bytes = Buffer.from(text);
      series.begin(bytes, false);
      const isKnown = series.get(0, bytes.length) !== undefined;
      if (!isKnown) series.add(0, bytes.length, bytes);
      for (const _ of series.done(failed));
      return isKnown;
    };
    expect(scrape('up')).toBe(false);
    expect(scrape('up')).toBe(true);
    for (let i = 0; i < 5; i += 1) scrape('down', true);
    expect(scrape('up')).toBe(true);
    for (let i = 0; i < 5; i += 1) scrape('down');
    expect(scrape('up')).toBe(false);
  });
});
