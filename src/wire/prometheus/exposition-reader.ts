import type { TextFormat } from './content-type.ts';
import { expositionError } from './exposition-error.ts';
import { parseFloatText } from './exposition-number.ts';
import { endOf, endOfBraces, endOfQuoted, endOfSeries, readLabels, unescaped } from './exposition-series.ts';

/** The type of a metric as the targets API calls it: what the plain text calls untyped is unknown. */
export type ExposedType =
  | 'counter'
  | 'gauge'
  | 'histogram'
  | 'gaugehistogram'
  | 'summary'
  | 'info'
  | 'stateset'
  | 'unknown';

/** What a reader is told, in the order written. Nothing is made for a sample but the text of its series. */
export interface ExpositionSink {
  /** `series` is name and labels as written, for `parseSeries`; `t` integer milliseconds where there is one. */
  sample(series: string, value: number, t: number | undefined): void;
  type(name: string, type: ExposedType): void;
  help(name: string, text: string): void;
  unit(name: string, unit: string): void;
}

const TYPES: Readonly<Record<TextFormat, Readonly<Record<string, ExposedType>>>> = {
  'prometheus-0.0.4': {
    counter: 'counter',
    gauge: 'gauge',
    histogram: 'histogram',
    summary: 'summary',
    untyped: 'unknown',
  },
  'openmetrics-1.0.0': {
    counter: 'counter',
    gauge: 'gauge',
    histogram: 'histogram',
    gaugehistogram: 'gaugehistogram',
    summary: 'summary',
    info: 'info',
    stateset: 'stateset',
    unknown: 'unknown',
  },
};

const LINES_AT_ONCE = 512;

/**
 * Reads what a target exposes, a few hundred lines at a time: between two the caller may let others have the thread.
 * Exemplars are read and passed over; `_created` series are series like others.
 *
 * @throws EXPOSITION_INVALID naming the line; what was told before it stands.
 * Sources: https://prometheus.io/docs/instrumenting/exposition_formats/ and
 * https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
export function* readExposition(
  text: string,
  format: TextFormat,
  sink: ExpositionSink,
): Generator<undefined, void> {
  const readLine = format === 'prometheus-0.0.4' ? readTextLine : readOpenMetricsLine;
  let lines = 0;
  for (let at = 0; at < text.length; ) {
    at = readLine(text, at, sink);
    lines += 1;
    if (lines % LINES_AT_ONCE === 0) yield undefined;
  }
  if (format === 'openmetrics-1.0.0' && !/(?:^|\n)# EOF\n?$/.test(text.slice(-7)))
    throw expositionError(text, text.length, '# EOF at the end');
}

const BLANKS = /[ \t]*/y;
const TEXT_TOKEN = /[^{ \t\n]+/y;
const TEXT_TIME = /[+-]?\d+/y;
const OPEN_METRICS_TOKEN = /[^ \n]+/y;

function readTextLine(text: string, lineStart: number, sink: ExpositionSink): number {
  const start = endOf(BLANKS, text, lineStart);
  if (isLineEnd(text, start)) return start + 1;
  if (text[start] === '#') return readTextComment(text, start, sink);
  const seriesEnd = endOfSeries(text, start, 'prometheus-0.0.4');
  const valueStart = endOf(BLANKS, text, seriesEnd);
  const valueEnd = endOf(TEXT_TOKEN, text, valueStart);
  const value = numberOf(text, valueStart, valueEnd);
  let end = endOf(BLANKS, text, valueEnd);
  let t: number | undefined;
  if (!isLineEnd(text, end)) {
    const timeEnd = endOf(TEXT_TIME, text, end);
    t = timeEnd === end ? Number.NaN : Number(text.slice(end, timeEnd));
    if (!Number.isSafeInteger(t)) throw expositionError(text, end, 'a time in milliseconds');
    end = endOf(BLANKS, text, timeEnd);
    if (!isLineEnd(text, end)) throw expositionError(text, end, 'the end of the line');
  }
  sink.sample(text.slice(start, seriesEnd), value, t);
  return end + 1;
}

function readTextComment(text: string, start: number, sink: ExpositionSink): number {
  const end = lineEnd(text, start);
  const [, word, blanks] =
    /^#[ \t]+(HELP|TYPE)([ \t]+)/.exec(text.slice(start, Math.min(end, start + 1024))) ?? [];
  if (word === undefined) return end + 1;
  const nameStart = endOf(BLANKS, text, text.indexOf(word, start) + word.length + blanks!.length);
  const nameEnd = endOfName(text, nameStart);
  const name = nameOf(text, nameStart, nameEnd);
  const rest = text.slice(nameEnd, Math.max(nameEnd, lineEnd(text, nameEnd)));
  if (word === 'HELP') {
    sink.help(
      name,
      rest.slice(1).replace(/\\[\\n]/g, (sequence) => (sequence === '\\n' ? '\n' : '\\')),
    );
  } else {
    sink.type(name, typeOf(text, nameEnd + 1, rest.slice(1), 'prometheus-0.0.4'));
  }
  return lineEnd(text, nameEnd) + 1;
}

function readOpenMetricsLine(text: string, start: number, sink: ExpositionSink): number {
  if (text[start] === '#') return readOpenMetricsComment(text, start, sink);
  const seriesEnd = endOfSeries(text, start, 'openmetrics-1.0.0');
  const valueStart = afterBlank(text, seriesEnd);
  const valueEnd = endOf(OPEN_METRICS_TOKEN, text, valueStart);
  const value = numberOf(text, valueStart, valueEnd);
  let end = valueEnd;
  let t: number | undefined;
  if (text[end] === ' ' && text[end + 1] !== '#') {
    const timeEnd = endOf(OPEN_METRICS_TOKEN, text, end + 1);
    t = timeOf(text, end + 1, timeEnd);
    end = timeEnd;
  }
  if (text.startsWith(' # {', end)) end = endOfExemplar(text, end + 3);
  if (text[end] !== '\n') throw expositionError(text, end, 'the end of the line');
  sink.sample(text.slice(start, seriesEnd), value, t);
  return end + 1;
}

function endOfExemplar(text: string, open: number): number {
  readLabels(text.slice(open, endOfBraces(text, open)), 0, 'openmetrics-1.0.0', []);
  const valueStart = afterBlank(text, endOfBraces(text, open));
  const valueEnd = endOf(OPEN_METRICS_TOKEN, text, valueStart);
  numberOf(text, valueStart, valueEnd);
  if (text[valueEnd] !== ' ') return valueEnd;
  const timeEnd = endOf(OPEN_METRICS_TOKEN, text, valueEnd + 1);
  timeOf(text, valueEnd + 1, timeEnd);
  return timeEnd;
}

function readOpenMetricsComment(text: string, start: number, sink: ExpositionSink): number {
  if (text.startsWith('# EOF', start)) {
    const end = text[start + 5] === '\n' ? start + 6 : start + 5;
    if (end !== text.length) throw expositionError(text, end, 'nothing after # EOF');
    return end;
  }
  const word = /^# (HELP|TYPE|UNIT) /.exec(text.slice(start, start + 7))?.[1];
  if (word === undefined) throw expositionError(text, start, '# HELP, # TYPE, # UNIT or # EOF');
  const nameStart = start + 7;
  const nameEnd = endOfName(text, nameStart);
  const name = nameOf(text, nameStart, nameEnd);
  const restStart = afterBlank(text, nameEnd);
  const end = lineEnd(text, restStart);
  if (end === text.length) throw expositionError(text, end, 'the end of the line');
  const rest = text.slice(restStart, end);
  if (word === 'HELP') sink.help(name, unescaped(rest));
  else if (word === 'TYPE') sink.type(name, typeOf(text, restStart, rest, 'openmetrics-1.0.0'));
  else if (rest !== '' && !name.endsWith(`_${rest}`))
    throw expositionError(text, restStart, `a unit that ${JSON.stringify(name)} ends with`);
  else sink.unit(name, rest);
  return end + 1;
}

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;

const endOfName = (text: string, at: number) =>
  text[at] === '"' ? endOfQuoted(text, at) : endOf(NAME, text, at);

function nameOf(text: string, start: number, end: number): string {
  if (end === start) throw expositionError(text, start, 'the name of a metric');
  return text[start] === '"' ? unescaped(text.slice(start + 1, end - 1)) : text.slice(start, end);
}

function typeOf(text: string, at: number, word: string, format: TextFormat): ExposedType {
  const types = TYPES[format];
  if (Object.hasOwn(types, word)) return types[word]!;
  throw expositionError(text, Math.min(at, text.length), `a type, one of ${Object.keys(types).join(', ')}`);
}

function numberOf(text: string, start: number, end: number): number {
  const value = parseFloatText(text.slice(start, end));
  if (value === undefined) throw expositionError(text, start, 'a value');
  return value;
}

function timeOf(text: string, start: number, end: number): number {
  const t = Math.trunc((parseFloatText(text.slice(start, end)) ?? Number.NaN) * 1000);
  if (!Number.isSafeInteger(t)) throw expositionError(text, start, 'a time in seconds');
  return t;
}

function afterBlank(text: string, at: number): number {
  if (text[at] !== ' ') throw expositionError(text, at, 'one blank');
  return at + 1;
}

const isLineEnd = (text: string, at: number) => at >= text.length || text[at] === '\n';

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}
