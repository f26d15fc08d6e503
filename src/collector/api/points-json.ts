import type { Samples } from '../../model/sample.ts';
import { makeRoom, type TextBytes, writeText } from './text-bytes.ts';

/** One point: `[1790000000.5,"0.25"]`. */
export function writePoint(out: TextBytes, t: number, v: number): void {
  writeText(out, `[${seconds(t)},"${floatText(v)}"]`);
}

const POINTS_AT_ONCE = 500;
// More than the text of any point.
const POINT_BYTES = 64;
const [COMMA, QUOTE, CLOSE, ZERO] = [0x2c, 0x22, 0x5d, 0x30];

/** Points as a list; yields after some hundred of them. */
export function* writePoints(out: TextBytes, samples: Samples, times: TimeTexts): Generator<undefined> {
  writeText(out, '[');
  for (let from = 0; from < samples.length; from += POINTS_AT_ONCE) {
    makeRoom(out, POINTS_AT_ONCE * POINT_BYTES);
    writeBetween(out, samples, from, Math.min(samples.length, from + POINTS_AT_ONCE), times);
    yield;
  }
  writeText(out, ']');
}

/** How a value becomes text: as the one before, as a whole number, by JSON, or on its own. */
const [SAME, WHOLE, DIGITS, ALONE] = [0, 1, 2, 3];
const ways = new Uint8Array(POINTS_AT_ONCE);
const LONGEST_NUMBER = 26;
const digits = Buffer.alloc(POINTS_AT_ONCE * LONGEST_NUMBER + 2);

/**
 * Points `from` to `to` - 1. Numbers with a fraction are made text by JSON all at once, which is faster than one by one, and
 * their digits then put between the times.
 */
function writeBetween(out: TextBytes, { t, v }: Samples, from: number, to: number, times: TimeTexts): void {
  const byJson: number[] = [];
  let before: number | undefined;
  for (let i = from; i < to; i += 1) {
    const value = v[i]!;
    const way = Object.is(value, before) ? SAME : wayOf(value);
    if (way === DIGITS) byJson.push(value);
    ways[i - from] = way;
    before = value;
  }
  if (byJson.length > 0) digits.write(JSON.stringify(byJson), 'latin1');
  const { bytes } = out;
  let read = 1;
  let at = out.at;
  let textAt = at;
  let textEnd = at;
  for (let i = from; i < to; i += 1) {
    at = times.write(t[i]!, i, bytes, at);
    const start = at;
    switch (ways[i - from]) {
      case SAME:
        for (let j = textAt; j < textEnd; j += 1) bytes[at++] = bytes[j]!;
        break;
      case WHOLE:
        at = writeWhole(v[i]!, bytes, at);
        break;
      case DIGITS:
        for (let byte = digits[read++]!; byte !== COMMA && byte !== CLOSE; byte = digits[read++]!)
          bytes[at++] = byte;
        break;
      default:
        at = writeAscii(floatText(v[i]!), bytes, at);
    }
    textAt = start;
    textEnd = at;
    bytes[at] = QUOTE;
    bytes[at + 1] = CLOSE;
    at += 2;
  }
  out.at = at;
}

function wayOf(v: number): number {
  if (v >= 1 && v <= Number.MAX_SAFE_INTEGER && Math.floor(v) === v) return WHOLE;
  return isPlain(v) ? DIGITS : ALONE;
}

function writeAscii(text: string, bytes: Uint8Array, at: number): number {
  for (let i = 0; i < text.length; i += 1) bytes[at + i] = text.charCodeAt(i);
  return at + text.length;
}

const BILLION = 1e9;

/** A whole number from 1 to 2^53. */
function writeWhole(v: number, bytes: Uint8Array, at: number): number {
  if (v < BILLION) return writeDigits(v, 1, bytes, at);
  const high = Math.floor(v / BILLION);
  return writeDigits(v - high * BILLION, 9, bytes, writeDigits(high, 1, bytes, at));
}

/** A whole number below 2^31 with `least` digits or more. */
function writeDigits(v: number, least: number, bytes: Uint8Array, at: number): number {
  let length = least;
  for (let limit = 10 ** least; limit <= v; limit *= 10) length += 1;
  let rest = v | 0;
  for (let i = at + length - 1; i >= at; i -= 1) {
    const next = (rest / 10) | 0;
    bytes[i] = ZERO + rest - next * 10;
    rest = next;
  }
  return at + length;
}

/** What stands before the values of an answer: `,[1790000000,"`, without the comma before the first. */
export interface TimeTexts {
  /** Writes it for the time of the point at place `i` to `bytes` at `at`, where there is room; answers where it ends. */
  write(t: number, i: number, bytes: Uint8Array, at: number): number;
}

// As many steps as a range may have; longer series are raw samples, each at its own times.
const MOST_TIMES = 11_001;
const TIME_BYTES = 32;

/** The points of an answer over a range all stand at its steps: the time of each is written as text once. */
export function createTimeTexts(series: readonly { readonly samples: Samples }[]): TimeTexts {
  let firstT = Number.POSITIVE_INFINITY;
  let stepMs = Number.POSITIVE_INFINITY;
  let lastT = Number.NEGATIVE_INFINITY;
  for (const { samples } of series) {
    const { t, length } = samples;
    if (length === 0) continue;
    firstT = Math.min(firstT, t[0]!);
    lastT = Math.max(lastT, t[length - 1]!);
    if (length > 1) stepMs = Math.min(stepMs, t[1]! - t[0]!);
  }
  const room = lastT < firstT ? 0 : Math.min(Math.floor((lastT - firstT) / stepMs) + 1, MOST_TIMES);
  const known = new Float64Array(room).fill(Number.NaN);
  const lengths = new Uint8Array(room);
  const texts = new Uint8Array(room * TIME_BYTES);
  const textOf = (t: number) => `,[${seconds(t)},"`;
  return {
    write(t, i, bytes, at) {
      const place = (t - firstT) / stepMs;
      const slot = place < room ? place | 0 : 0;
      if (slot !== place) return writeAscii(textOf(t).slice(i === 0 ? 1 : 0), bytes, at);
      const start = slot * TIME_BYTES;
      if (known[slot] !== t) {
        known[slot] = t;
        lengths[slot] = writeAscii(textOf(t), texts, start) - start;
      }
      const end = start + lengths[slot]!;
      let to = at;
      for (let j = i === 0 ? start + 1 : start; j < end; j += 1) bytes[to++] = texts[j]!;
      return to;
    },
  };
}

/** Milliseconds as seconds, with three decimals where there are any. */
export function seconds(t: number): string {
  const whole = Math.trunc(t / 1000);
  const rest = Math.abs(t - whole * 1000);
  if (rest === 0) return String(whole);
  return `${whole === 0 && t < 0 ? '-' : ''}${whole}.${String(rest).padStart(3, '0')}`;
}

/** Whether JavaScript, JSON and Go have the same text for a value; nearly all are so. */
function isPlain(v: number): boolean {
  const size = Math.abs(v);
  return size >= 1e-6 && size < 1e21;
}

/** Shortest digits; an exponent of two digits at least below 1e-6 and from 1e21 on. */
function floatText(v: number): string {
  if (isPlain(v)) return String(v);
  if (v === 0) return Object.is(v, -0) ? '-0' : '0';
  if (v === Number.POSITIVE_INFINITY) return '+Inf';
  if (v === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(v).replace(/e([+-])(\d)$/, (_, sign: string, digit: string) => `e${sign}0${digit}`);
}
