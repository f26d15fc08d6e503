import { type Label, METRIC_NAME } from '../../model/labels.ts';
import type { TextFormat } from './content-type.ts';
import { expositionError } from './exposition-error.ts';

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL_NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const BLANKS = /[ \t]*/y;
const QUOTE = 34;
const BACKSLASH = 92;
const BRACE_OPEN = 123;
const BRACE_CLOSE = 125;
const NEWLINE = 10;

/**
 * Where the name and labels that begin at `start` end, without looking at what is inside the braces. Equal texts are
 * equal series, so a reader that knows a text needs not take it apart again.
 */
export function endOfSeries(text: string, start: number, format: TextFormat): number {
  const afterName = endOf(NAME, text, start);
  const braces =
    format === 'prometheus-0.0.4' && afterName > start ? endOf(BLANKS, text, afterName) : afterName;
  if (text.charCodeAt(braces) === BRACE_OPEN) {
    const end = endOfBraces(text, braces);
    if (afterName === start) checkNamed(text, start, end, format);
    return end;
  }
  if (afterName === start) throw expositionError(text, start, 'the name of a metric');
  return afterName;
}

/** A series that begins with a brace has its name in quotes within, usually first. */
function checkNamed(text: string, open: number, end: number, format: TextFormat): void {
  const first = endOf(BLANKS, text, open + 1);
  if (text.charCodeAt(first) === QUOTE) {
    const next = text[endOf(BLANKS, text, endOfQuoted(text, first))];
    if (next === ',' || next === '}') return;
  }
  const labels: Label[] = [];
  readLabels(text.slice(open, end), 0, format, labels);
  if (labels[0]?.[0] !== METRIC_NAME) throw expositionError(text, open, 'the name of a metric');
}

/** The index after the brace that closes the one at `open`. */
export function endOfBraces(text: string, open: number): number {
  for (let at = open + 1; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === BRACE_CLOSE) return at + 1;
    if (code === NEWLINE) break;
    at = code === QUOTE ? endOfQuoted(text, at) : at + 1;
  }
  throw expositionError(text, open, 'labels that end with }');
}

/** The index after the quote that closes the one at `open`. */
export function endOfQuoted(text: string, open: number): number {
  for (let close = text.indexOf('"', open + 1); close >= 0; close = text.indexOf('"', close + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(close - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return close + 1;
  }
  throw expositionError(text, open, 'a text that ends with a quote');
}

/**
 * The labels of a series as it is written: `name{a="b"}`, `{"name.in.quotes", "label.in.quotes"="b"}`. In the order
 * written, the metric's name first where it has one; values may be empty, names given twice are given twice.
 *
 * @throws EXPOSITION_INVALID
 */
export function parseSeries(text: string, format: TextFormat): Label[] {
  const labels: Label[] = [];
  const afterName = endOf(NAME, text, 0);
  if (afterName > 0) labels.push([METRIC_NAME, text.slice(0, afterName)]);
  const braces = endOf(BLANKS, text, afterName);
  if (braces < text.length) readLabels(text, braces, format, labels);
  return labels;
}

/** The labels in braces from `open` on, added to `labels`; returns the index after the closing brace. */
export function readLabels(text: string, open: number, format: TextFormat, labels: Label[]): number {
  // OpenMetrics has no blanks between the parts.
  const skip = (at: number) => (format === 'prometheus-0.0.4' ? endOf(BLANKS, text, at) : at);
  let hasName = labels[0]?.[0] === METRIC_NAME;
  let at = skip(open + 1);
  while (text.charCodeAt(at) !== BRACE_CLOSE) {
    const quoted = text.charCodeAt(at) === QUOTE;
    const end = quoted ? endOfQuoted(text, at) : endOf(LABEL_NAME, text, at);
    if (end === at) throw expositionError(text, at, 'the name of a label');
    const name = quoted ? unescaped(text.slice(at + 1, end - 1)) : text.slice(at, end);
    const afterName = skip(end);
    if (text[afterName] === '=') {
      const value = skip(afterName + 1);
      if (text.charCodeAt(value) !== QUOTE) throw expositionError(text, value, 'a value in quotes');
      const valueEnd = endOfQuoted(text, value);
      labels.push([name, unescaped(text.slice(value + 1, valueEnd - 1))]);
      at = skip(valueEnd);
    } else {
      if (!quoted || hasName) throw expositionError(text, afterName, '=');
      hasName = true;
      labels.unshift([METRIC_NAME, name]);
      at = afterName;
    }
    if (text[at] === ',') at = skip(at + 1);
    else if (text.charCodeAt(at) !== BRACE_CLOSE) throw expositionError(text, at, ', or }');
  }
  return at + 1;
}

/** The index after what `pattern`, a sticky one, matches at `at`; `at` itself when it does not. */
export function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

const ESCAPED: Readonly<Record<string, string>> = { '\\\\': '\\', '\\"': '"', '\\n': '\n' };

/** Other escapes stay as they are, as with Prometheus. */
export function unescaped(text: string): string {
  return text.includes('\\') ? text.replace(/\\[\\"n]/g, (sequence) => ESCAPED[sequence]!) : text;
}
