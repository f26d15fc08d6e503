import type { Labels } from '../../../model/labels.ts';
import { CodedError, messageOf } from '../../../util/coded-error.ts';
import { type Entry, parseSeriesLine } from '../../promql/series-notation.ts';
import type { SampleMemory } from './sample-memory.ts';
import type { TestGroup } from './test-file.ts';

/** Series that become visible as a test's time goes on: a rule cannot read the future. */
export interface InputSeries {
  /** Appends what is at or before `untilMs`. */
  load(untilMs: number): void;
}

interface Line {
  readonly ref: number;
  readonly entries: readonly Entry[];
  next: number;
}

/** @throws RULE_TEST_SERIES naming the series that does not parse, or that holds native histograms. */
export function createInputSeries(
  group: TestGroup,
  startMs: number,
  intervalMs: number,
  memory: SampleMemory,
): InputSeries {
  const { appender } = memory;
  const lines = group.input_series.map(({ series, values }): Line => {
    const { labels, entries } = parse(series, values);
    return { ref: memory.reference(labels), entries, next: 0 };
  });
  return {
    load(untilMs) {
      for (const line of lines) {
        for (; line.next < line.entries.length; line.next += 1) {
          const t = startMs + line.next * intervalMs;
          if (t > untilMs) break;
          const entry = line.entries[line.next]!;
          if (entry === 'stale') appender.appendStale(line.ref, t);
          else if (typeof entry === 'number') appender.append(line.ref, t, entry);
        }
      }
    },
  };
}

function parse(series: string, values: string): { labels: Labels; entries: readonly Entry[] } {
  let line: ReturnType<typeof parseSeriesLine>;
  try {
    line = parseSeriesLine(`${series.trim()} ${values}`);
  } catch (error) {
    throw new CodedError('RULE_TEST_SERIES', `input series ${series}: parse error: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (!line.entries.includes('histogram')) return line;
  throw new CodedError(
    'RULE_TEST_SERIES',
    `input series ${series}: native histograms are not supported yet; test with floats, or with promtool`,
  );
}
