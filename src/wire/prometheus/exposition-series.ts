import { type Label, METRIC_NAME } from '../../model/labels.ts';
import type { TextFormat } from './content-type.ts';
import { expositionError, textOf } from './exposition-error.ts';

const TAB = 9;
const NEWLINE = 10;
const BLANK = 32;
const QUOTE = 34;
const COMMA = 44;
const EQUALS = 61;
const BACKSLASH = 92;
const BRACE_OPEN = 123;
const BRACE_CLOSE = 125;

// What may stand in a name: 1 in that of a label but at its start, 2 at its start too, 4 in that of a metric.
const IN_NAME = new Uint8Array(256);
for (const [characters, where] of [
  ['0123456789', 1],
  ['abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_', 3],
  [':', 4],
] as const)
  for (const character of characters) IN_NAME[character.charCodeAt(0)] = where;

/**
 * Where the name and labels that begin at `start` end, without looking at what is inside the braces. Equal bytes are equal
 * series, so a reader that knows them needs not take them apart again.
 */
export function endOfSeries(bytes: Uint8Array, start: number, format: TextFormat): number {
  const afterName = endOfMetricName(bytes, start);
  const braces =
    format === 'prometheus-0.0.4' && afterName > start ? endOfBlanks(bytes, afterName) : afterName;
  if (bytes[braces] === BRACE_OPEN) {
    const end = endOfBraces(bytes, braces);
    if (afterName === start) checkNamed(bytes, start, end, format);
    return end;
  }
  if (afterName === start) throw expositionError(bytes, start, 'the name of a metric');
  return afterName;
}

/** Whether a series that is known by bytes up to `end`, and stands here, ends there: no more of its name follows, and no braces. */
export function isSeriesEnd(bytes: Uint8Array, end: number, format: TextFormat): boolean {
  if (bytes[end - 1] === BRACE_CLOSE) return true;
  const next = bytes[end + 1];
  return bytes[end] === BLANK && (format !== 'prometheus-0.0.4' || (next !== BRACE_OPEN && !isBlank(next)));
}

/** A series that begins with a brace has its name in quotes within, usually first. */
function checkNamed(bytes: Uint8Array, open: number, end: number, format: TextFormat): void {
  const first = endOfBlanks(bytes, open + 1);
  if (bytes[first] === QUOTE) {
    const next = bytes[endOfBlanks(bytes, endOfQuoted(bytes, first))];
    if (next === COMMA || next === BRACE_CLOSE) return;
  }
  const labels: Label[] = [];
  readLabels(bytes.subarray(open, end), 0, format, labels);
  if (labels[0]?.[0] !== METRIC_NAME) throw expositionError(bytes, open, 'the name of a metric');
}

/** The index after the brace that closes the one at `open`. */
export function endOfBraces(bytes: Uint8Array, open: number): number {
  for (let at = open + 1; at < bytes.length; ) {
    const byte = bytes[at];
    if (byte === BRACE_CLOSE) return at + 1;
    if (byte === NEWLINE) break;
    at = byte === QUOTE ? endOfQuoted(bytes, at) : at + 1;
  }
  throw expositionError(bytes, open, 'labels that end with }');
}

/** The index after the quote that closes the one at `open`. */
export function endOfQuoted(bytes: Uint8Array, open: number): number {
  for (let at = open + 1; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at += 1;
  }
  throw expositionError(bytes, open, 'a text that ends with a quote');
}

/**
 * The labels of a series as it is written: `name{a="b"}`, `{"name.in.quotes", "label.in.quotes"="b"}`. In the order
 * written, the metric's name first where it has one; values may be empty, names given twice are given twice.
 *
 * @throws EXPOSITION_INVALID
 */
export function parseSeries(bytes: Uint8Array, format: TextFormat): Label[] {
  const labels: Label[] = [];
  const afterName = endOfMetricName(bytes, 0);
  if (afterName > 0) labels.push([METRIC_NAME, textOf(bytes, 0, afterName)]);
  const braces = endOfBlanks(bytes, afterName);
  if (braces < bytes.length) readLabels(bytes, braces, format, labels);
  return labels;
}

/** The labels in braces from `open` on, added to `labels`; returns the index after the closing brace. */
export function readLabels(bytes: Uint8Array, open: number, format: TextFormat, labels: Label[]): number {
  // OpenMetrics has no blanks between the parts.
  const skip = (at: number) => (format === 'prometheus-0.0.4' ? endOfBlanks(bytes, at) : at);
  let hasName = labels[0]?.[0] === METRIC_NAME;
  let at = skip(open + 1);
  while (bytes[at] !== BRACE_CLOSE) {
    const quoted = bytes[at] === QUOTE;
    const end = quoted ? endOfQuoted(bytes, at) : endOfLabelName(bytes, at);
    if (end === at) throw expositionError(bytes, at, 'the name of a label');
    const name = quoted ? unescaped(textOf(bytes, at + 1, end - 1)) : textOf(bytes, at, end);
    const afterName = skip(end);
    if (bytes[afterName] === EQUALS) {
      const value = skip(afterName + 1);
      if (bytes[value] !== QUOTE) throw expositionError(bytes, value, 'a value in quotes');
      const valueEnd = endOfQuoted(bytes, value);
      labels.push([name, unescaped(textOf(bytes, value + 1, valueEnd - 1))]);
      at = skip(valueEnd);
    } else {
      if (!quoted || hasName) throw expositionError(bytes, afterName, '=');
      hasName = true;
      labels.unshift([METRIC_NAME, name]);
      at = afterName;
    }
    if (bytes[at] === COMMA) at = skip(at + 1);
    else if (bytes[at] !== BRACE_CLOSE) throw expositionError(bytes, at, ', or }');
  }
  return at + 1;
}

/** Whether these are labels in braces of the plainest kind, as nearly all are: then nothing needs to be made of them. */
export function arePlainLabels(bytes: Uint8Array, open: number): boolean {
  let at = open + 1;
  while (bytes[at] !== BRACE_CLOSE) {
    const end = endOfLabelName(bytes, at);
    if (end === at || bytes[end] !== EQUALS || bytes[end + 1] !== QUOTE) return false;
    at = endOfQuoted(bytes, end + 1);
    if (bytes[at] === COMMA) at += 1;
    else if (bytes[at] !== BRACE_CLOSE) return false;
  }
  return true;
}

/** The index after the metric's name at `at`; `at` itself where there is none. */
export function endOfMetricName(bytes: Uint8Array, start: number): number {
  let at = start;
  if (at >= bytes.length || IN_NAME[bytes[at]!]! < 2) return at;
  do at += 1;
  while (at < bytes.length && IN_NAME[bytes[at]!] !== 0);
  return at;
}

function endOfLabelName(bytes: Uint8Array, start: number): number {
  let at = start;
  if (at >= bytes.length || IN_NAME[bytes[at]!] !== 3) return at;
  do at += 1;
  while (at < bytes.length && (IN_NAME[bytes[at]!]! & 1) === 1);
  return at;
}

/** The index after blanks and tabs at `start`. */
export function endOfBlanks(bytes: Uint8Array, start: number): number {
  let at = start;
  while (isBlank(bytes[at])) at += 1;
  return at;
}

const isBlank = (byte: number | undefined) => byte === BLANK || byte === TAB;

const ESCAPED: Readonly<Record<string, string>> = { '\\\\': '\\', '\\"': '"', '\\n': '\n' };

/** Other escapes stay as they are, as with Prometheus. */
export function unescaped(text: string): string {
  return text.includes('\\') ? text.replace(/\\[\\"n]/g, (sequence) => ESCAPED[sequence]!) : text;
}
