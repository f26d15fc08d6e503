import type { TextFormat } from './content-type.ts';
import { expositionError, textOf } from './exposition-error.ts';
import { parseFloatBytes, parseIntegerBytes } from './exposition-number.ts';
import {
  arePlainLabels,
  endOfBlanks,
  endOfBraces,
  endOfMetricName,
  endOfQuoted,
  endOfSeries,
  isSeriesEnd,
  readLabels,
  unescaped,
} from './exposition-series.ts';

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

/** What a reader is told, in the order written. Nothing is made for a sample, and nothing for a comment that is known. */
export interface ExpositionSink {
  /**
   * Bytes `from` to before `to` are name and labels as written, for `parseSeries`; `t` integer milliseconds where there
   * is one.
   */
  sample(from: number, to: number, value: number, t: number | undefined): void;
  type(name: string, type: ExposedType): void;
  help(name: string, text: string): void;
  unit(name: string, unit: string): void;
  /** Where a series that is known, and may well stand at `at`, ends; -1 to have its end looked for. */
  knownSeries?(at: number): number;
  /** Where a comment line that is known, and was told again just now, ends; -1 to have it read. */
  knownComment?(at: number): number;
  /** Bytes `from` to before `to` are the comment line that was told just now, if it said anything. */
  comment?(from: number, to: number): void;
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

const LINES_AT_ONCE = 256;
const TAB = 9;
const NEWLINE = 10;
const BLANK = 32;
const QUOTE = 34;
const HASH = 35;
const BRACE_OPEN = 123;

/**
 * Reads what a target exposes, a few hundred lines at a time: between two the caller may let others have the thread.
 * Exemplars are read and passed over; `_created` series are series like others. The bytes are UTF-8.
 *
 * @throws EXPOSITION_INVALID naming the line; what was told before it stands.
 * Sources: https://prometheus.io/docs/instrumenting/exposition_formats/ and
 * https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
export function* readExposition(
  bytes: Uint8Array,
  format: TextFormat,
  sink: ExpositionSink,
): Generator<undefined, void> {
  const readLine = format === 'prometheus-0.0.4' ? readTextLine : readOpenMetricsLine;
  let lines = 0;
  for (let at = 0; at < bytes.length; ) {
    at = readLine(bytes, at, sink);
    lines += 1;
    if (lines % LINES_AT_ONCE === 0) yield undefined;
  }
  const tail = textOf(bytes, Math.max(0, bytes.length - 7), bytes.length);
  if (format === 'openmetrics-1.0.0' && !/(?:^|\n)# EOF\n?$/.test(tail))
    throw expositionError(bytes, bytes.length, '# EOF at the end');
}

function seriesEndOf(bytes: Uint8Array, start: number, format: TextFormat, sink: ExpositionSink): number {
  const end = sink.knownSeries?.(start) ?? -1;
  return end >= 0 && isSeriesEnd(bytes, end, format) ? end : endOfSeries(bytes, start, format);
}

function readTextLine(bytes: Uint8Array, lineStart: number, sink: ExpositionSink): number {
  const start = endOfBlanks(bytes, lineStart);
  if (isLineEnd(bytes, start)) return start + 1;
  if (bytes[start] === HASH) return readComment(bytes, start, sink, readTextComment);
  const seriesEnd = seriesEndOf(bytes, start, 'prometheus-0.0.4', sink);
  const valueStart = endOfBlanks(bytes, seriesEnd);
  const valueEnd = endOfTextToken(bytes, valueStart);
  const value = numberOf(bytes, valueStart, valueEnd);
  let end = endOfBlanks(bytes, valueEnd);
  let t: number | undefined;
  if (!isLineEnd(bytes, end)) {
    const timeEnd = endOfInteger(bytes, end);
    t = parseIntegerBytes(bytes, end, timeEnd);
    if (!Number.isSafeInteger(t)) throw expositionError(bytes, end, 'a time in milliseconds');
    end = endOfBlanks(bytes, timeEnd);
    if (!isLineEnd(bytes, end)) throw expositionError(bytes, end, 'the end of the line');
  }
  sink.sample(start, seriesEnd, value, t);
  return end + 1;
}

/** Reads the comment that starts at `start` unless it is known; answers where the next line starts. */
function readComment(
  bytes: Uint8Array,
  start: number,
  sink: ExpositionSink,
  read: (bytes: Uint8Array, start: number, sink: ExpositionSink) => number,
): number {
  const known = sink.knownComment?.(start) ?? -1;
  if (known >= 0) return known;
  const end = read(bytes, start, sink);
  if (end <= bytes.length) sink.comment?.(start, end);
  return end;
}

// A comment that says something does so at its start.
const LONGEST_START = 1024;

function readTextComment(bytes: Uint8Array, start: number, sink: ExpositionSink): number {
  const end = lineEnd(bytes, start);
  const startText = textOf(bytes, start, Math.min(end, start + LONGEST_START));
  const [matched, word] = /^#[ \t]+(HELP|TYPE)[ \t]+/.exec(startText) ?? [];
  if (matched === undefined) return end + 1;
  const nameStart = endOfBlanks(bytes, start + matched.length);
  const nameEnd = endOfName(bytes, nameStart);
  const name = nameOf(bytes, nameStart, nameEnd);
  const rest = textOf(bytes, nameEnd, Math.max(nameEnd, lineEnd(bytes, nameEnd)));
  if (word === 'HELP') {
    sink.help(
      name,
      rest.slice(1).replace(/\\[\\n]/g, (sequence) => (sequence === '\\n' ? '\n' : '\\')),
    );
  } else {
    sink.type(name, typeOf(bytes, nameEnd + 1, rest.slice(1), 'prometheus-0.0.4'));
  }
  return lineEnd(bytes, nameEnd) + 1;
}

function readOpenMetricsLine(bytes: Uint8Array, start: number, sink: ExpositionSink): number {
  if (bytes[start] === HASH) return readComment(bytes, start, sink, readOpenMetricsComment);
  const seriesEnd = seriesEndOf(bytes, start, 'openmetrics-1.0.0', sink);
  const valueStart = afterBlank(bytes, seriesEnd);
  const valueEnd = endOfToken(bytes, valueStart);
  const value = numberOf(bytes, valueStart, valueEnd);
  let end = valueEnd;
  let t: number | undefined;
  if (bytes[end] === BLANK && bytes[end + 1] !== HASH) {
    const timeEnd = endOfToken(bytes, end + 1);
    t = timeOf(bytes, end + 1, timeEnd);
    end = timeEnd;
  }
  if (isExemplar(bytes, end)) end = endOfExemplar(bytes, end + 3);
  if (bytes[end] !== NEWLINE) throw expositionError(bytes, end, 'the end of the line');
  sink.sample(start, seriesEnd, value, t);
  return end + 1;
}

const isExemplar = (bytes: Uint8Array, at: number) =>
  bytes[at] === BLANK && bytes[at + 1] === HASH && bytes[at + 2] === BLANK && bytes[at + 3] === BRACE_OPEN;

function endOfExemplar(bytes: Uint8Array, open: number): number {
  const end = endOfBraces(bytes, open);
  if (!arePlainLabels(bytes, open)) readLabels(bytes.subarray(open, end), 0, 'openmetrics-1.0.0', []);
  const valueStart = afterBlank(bytes, end);
  const valueEnd = endOfToken(bytes, valueStart);
  numberOf(bytes, valueStart, valueEnd);
  if (bytes[valueEnd] !== BLANK) return valueEnd;
  const timeEnd = endOfToken(bytes, valueEnd + 1);
  timeOf(bytes, valueEnd + 1, timeEnd);
  return timeEnd;
}

function readOpenMetricsComment(bytes: Uint8Array, start: number, sink: ExpositionSink): number {
  const startText = textOf(bytes, start, Math.min(bytes.length, start + 7));
  if (startText.startsWith('# EOF')) {
    const end = bytes[start + 5] === NEWLINE ? start + 6 : start + 5;
    if (end !== bytes.length) throw expositionError(bytes, end, 'nothing after # EOF');
    return end;
  }
  const word = /^# (HELP|TYPE|UNIT) /.exec(startText)?.[1];
  if (word === undefined) throw expositionError(bytes, start, '# HELP, # TYPE, # UNIT or # EOF');
  const nameStart = start + 7;
  const nameEnd = endOfName(bytes, nameStart);
  const name = nameOf(bytes, nameStart, nameEnd);
  const restStart = afterBlank(bytes, nameEnd);
  const end = lineEnd(bytes, restStart);
  if (end === bytes.length) throw expositionError(bytes, end, 'the end of the line');
  const rest = textOf(bytes, restStart, end);
  if (word === 'HELP') sink.help(name, unescaped(rest));
  else if (word === 'TYPE') sink.type(name, typeOf(bytes, restStart, rest, 'openmetrics-1.0.0'));
  else if (rest !== '' && !name.endsWith(`_${rest}`))
    throw expositionError(bytes, restStart, `a unit that ${JSON.stringify(name)} ends with`);
  else sink.unit(name, rest);
  return end + 1;
}

const endOfName = (bytes: Uint8Array, at: number) =>
  bytes[at] === QUOTE ? endOfQuoted(bytes, at) : endOfMetricName(bytes, at);

function nameOf(bytes: Uint8Array, start: number, end: number): string {
  if (end === start) throw expositionError(bytes, start, 'the name of a metric');
  return bytes[start] === QUOTE ? unescaped(textOf(bytes, start + 1, end - 1)) : textOf(bytes, start, end);
}

function typeOf(bytes: Uint8Array, at: number, word: string, format: TextFormat): ExposedType {
  const types = TYPES[format];
  if (Object.hasOwn(types, word)) return types[word]!;
  const known = Object.keys(types).join(', ');
  throw expositionError(bytes, Math.min(at, bytes.length), `a type, one of ${known}`);
}

function numberOf(bytes: Uint8Array, start: number, end: number): number {
  const value = parseFloatBytes(bytes, start, end);
  if (value === undefined) throw expositionError(bytes, start, 'a value');
  return value;
}

function timeOf(bytes: Uint8Array, start: number, end: number): number {
  const t = Math.trunc((parseFloatBytes(bytes, start, end) ?? Number.NaN) * 1000);
  if (!Number.isSafeInteger(t)) throw expositionError(bytes, start, 'a time in seconds');
  return t;
}

function afterBlank(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== BLANK) throw expositionError(bytes, at, 'one blank');
  return at + 1;
}

/** The index after the value at `start` in the plain text, which ends with a blank, a tab, a brace or the line. */
function endOfTextToken(bytes: Uint8Array, start: number): number {
  let at = start;
  for (; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === BLANK || byte === NEWLINE || byte === TAB || byte === BRACE_OPEN) break;
  }
  return at;
}

/** The same in OpenMetrics, where it ends with a blank or the line. */
function endOfToken(bytes: Uint8Array, start: number): number {
  let at = start;
  for (; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === BLANK || byte === NEWLINE) break;
  }
  return at;
}

const PLUS = 43;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;

function endOfInteger(bytes: Uint8Array, start: number): number {
  const signed = bytes[start] === PLUS || bytes[start] === MINUS ? start + 1 : start;
  let at = signed;
  while (at < bytes.length && bytes[at]! >= ZERO && bytes[at]! <= NINE) at += 1;
  return at > signed ? at : start;
}

const isLineEnd = (bytes: Uint8Array, at: number) => at >= bytes.length || bytes[at] === NEWLINE;

function lineEnd(bytes: Uint8Array, at: number): number {
  const end = bytes.indexOf(NEWLINE, at);
  return end < 0 ? bytes.length : end;
}
