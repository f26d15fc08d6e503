import type { Labels } from '../../model/labels.ts';
import type { QueryResult, QueryStats, QueryValue } from '../../model/query-result.ts';
import type { Samples } from '../../model/sample.ts';
import type { Clock } from '../../util/clock.ts';
import { othersFirst } from '../promql/evaluation/turn.ts';

const CHUNK_CHARACTERS = 64 * 1024;
const LONGEST_STRETCH_MS = 2;
const MOST_ANNOTATIONS = 10;

/** Text in pieces of about 64 KiB. Between them others get their turn, however long the whole is. */
export async function* inTurns(parts: Iterable<string>, clock: Clock): AsyncGenerator<string> {
  let text = '';
  let began = clock.monotonic();
  for (const part of parts) {
    text += part;
    if (text.length < CHUNK_CHARACTERS) continue;
    yield text;
    text = '';
    if (clock.monotonic() - began < LONGEST_STRETCH_MS) continue;
    await othersFirst();
    began = clock.monotonic();
  }
  yield text;
}

/** The answer to a query as Prometheus writes it. */
export function* resultJson({ value, warnings, infos, stats }: QueryResult): Generator<string> {
  yield `{"status":"success","data":{"resultType":"${value.type}","result":`;
  yield* valueParts(value);
  yield `${stats === undefined ? '' : `,"stats":${JSON.stringify(statsJson(stats))}`}}${annotations('warnings', 'warning', warnings)}${annotations('infos', 'info', infos)}}`;
}

/** What is not told apart here counts as the evaluation itself. */
function statsJson({ queuedMs, evaluationMs, samples, peakSamples }: QueryStats) {
  return {
    timings: {
      evalTotalTime: evaluationMs / 1000,
      resultSortTime: 0,
      queryPreparationTime: 0,
      innerEvalTime: evaluationMs / 1000,
      execQueueTime: queuedMs / 1000,
      execTotalTime: (queuedMs + evaluationMs) / 1000,
    },
    samples: { totalQueryableSamples: samples, peakSamples },
  };
}

/** Names or values of labels. */
export function* textsJson(texts: readonly string[], warnings: readonly string[]): Generator<string> {
  yield '{"status":"success","data":';
  yield* list(texts, function* (text) {
    yield JSON.stringify(text);
  });
  yield `${annotations('warnings', 'warning', warnings)}}`;
}

/** Label sets as the series API writes them. */
export function* seriesJson(series: readonly Labels[], warnings: readonly string[]): Generator<string> {
  yield '{"status":"success","data":';
  yield* list(series, function* (labels) {
    yield labelsJson(labels);
  });
  yield `${annotations('warnings', 'warning', warnings)}}`;
}

function annotations(field: string, what: string, messages: readonly string[]): string {
  if (messages.length === 0) return '';
  const told = messages.slice(0, MOST_ANNOTATIONS);
  const omitted = messages.length - told.length;
  if (omitted > 0) told.push(`${omitted} more ${what} annotations omitted`);
  return `,"${field}":${JSON.stringify(told)}`;
}

function* valueParts(value: QueryValue): Generator<string> {
  switch (value.type) {
    case 'scalar':
      yield point(value.t, value.v);
      return;
    case 'string':
      yield `[${seconds(value.t)},${JSON.stringify(value.v)}]`;
      return;
    case 'vector':
      yield* list(value.samples, function* ({ labels, t, v }) {
        yield `{"metric":${labelsJson(labels)},"value":${point(t, v)}}`;
      });
      return;
    case 'matrix': {
      const timeText = createTimeTexts();
      yield* list(value.series, function* ({ labels, samples }) {
        yield `{"metric":${labelsJson(labels)},"values":`;
        yield* points(samples, timeText);
        yield '}';
      });
    }
  }
}

const POINTS_AT_ONCE = 500;

function* points(samples: Samples, timeText: TimeTexts): Generator<string> {
  yield '[';
  for (let from = 0; from < samples.length; from += POINTS_AT_ONCE) {
    yield pointsBetween(samples, from, Math.min(samples.length, from + POINTS_AT_ONCE), timeText);
  }
  yield ']';
}

const COMMA = 44;
// More than the text of any point.
const POINT_BYTES = 64;
const written = Buffer.alloc(POINTS_AT_ONCE * POINT_BYTES);

/**
 * Points `from` to `to` - 1. Values are made text by JSON all at once, three times faster than one by one, and their
 * digits then put between the times.
 */
function pointsBetween(samples: Samples, from: number, to: number, timeText: TimeTexts): string {
  const { t, v } = samples;
  const values: number[] = [];
  for (let i = from; i < to; i += 1) {
    if (!isPlain(v[i]!)) return pointByPoint(samples, from, to, timeText);
    values.push(v[i]!);
  }
  const digits = JSON.stringify(values);
  let at = 0;
  let read = 1;
  for (let i = from; i < to; i += 1) {
    at = writeAscii(i === 0 ? '[' : ',[', at);
    at = writeAscii(timeText(t[i]!, i), at);
    at = writeAscii(',"', at);
    // The last number ends with the array.
    for (let code = digits.charCodeAt(read); code !== COMMA && read < digits.length - 1; ) {
      written[at] = code;
      at += 1;
      read += 1;
      code = digits.charCodeAt(read);
    }
    read += 1;
    at = writeAscii('"]', at);
  }
  return written.toString('latin1', 0, at);
}

function writeAscii(text: string, at: number): number {
  for (let i = 0; i < text.length; i += 1) written[at + i] = text.charCodeAt(i);
  return at + text.length;
}

function pointByPoint({ t, v }: Samples, from: number, to: number, timeText: TimeTexts): string {
  let text = '';
  for (let i = from; i < to; i += 1) {
    text += `${i === 0 ? '[' : ',['}${timeText(t[i]!, i)},"${floatText(v[i]!)}"]`;
  }
  return text;
}

/** Whether JavaScript, JSON and Go have the same text for a value; nearly all are so. */
function isPlain(v: number): boolean {
  const size = Math.abs(v);
  return size >= 1e-6 && size < 1e21;
}

type TimeTexts = (t: number, i: number) => string;

/** The series of an answer mostly have the same times at the same places: each is written as text once. */
function createTimeTexts(): TimeTexts {
  const times: number[] = [];
  const texts: string[] = [];
  return (t, i) => {
    if (times[i] !== t) {
      times[i] = t;
      texts[i] = seconds(t);
    }
    return texts[i]!;
  };
}

function* list<T>(items: readonly T[], parts: (item: T) => Iterable<string>): Generator<string> {
  yield '[';
  for (let i = 0; i < items.length; i += 1) {
    if (i > 0) yield ',';
    yield* parts(items[i]!);
  }
  yield ']';
}

function labelsJson(labels: Labels): string {
  return `{${labels.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
}

const point = (t: number, v: number): string => `[${seconds(t)},"${floatText(v)}"]`;

/** Milliseconds as seconds, with three decimals where there are any. */
function seconds(t: number): string {
  const whole = Math.trunc(t / 1000);
  const rest = Math.abs(t - whole * 1000);
  if (rest === 0) return String(whole);
  return `${whole === 0 && t < 0 ? '-' : ''}${whole}.${String(rest).padStart(3, '0')}`;
}

/** Shortest digits; an exponent of two digits at least below 1e-6 and from 1e21 on. */
function floatText(v: number): string {
  if (isPlain(v)) return String(v);
  if (v === 0) return Object.is(v, -0) ? '-0' : '0';
  if (v === Number.POSITIVE_INFINITY) return '+Inf';
  if (v === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(v).replace(/e([+-])(\d)$/, (_, sign: string, digit: string) => `e${sign}0${digit}`);
}
