import type { Samples } from '../../model/sample.ts';
import { makeRoom, type TextBytes, viewOf, writeText } from './text-bytes.ts';

/** One point: `[1790000000.5,"0.25"]`. */
export function writePoint(out: TextBytes, t: number, v: number): void {
  writeText(out, `[${seconds(t)},"${floatText(v)}"]`);
}

const POINTS_AT_ONCE = 500;
// More than the text of any point.
const POINT_BYTES = 64;
const COMMA = 0x2c;
const ZERO = 0x30;
// The end of a point, as it stands in memory.
const QUOTE_AND_CLOSE = 0x5d22;
const COMMAS = 0x2c2c2c2c;

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
const numbers: number[] = new Array<number>(POINTS_AT_ONCE).fill(0.5);
const LONGEST_NUMBER = 26;
// Text is copied so many bytes at a time; what is copied too much is written over.
const WORD_BYTES = 4;
const digits = Buffer.alloc(POINTS_AT_ONCE * LONGEST_NUMBER + WORD_BYTES);
const digitsView = viewOf(digits);

/**
 * Points `from` to `to` - 1. Numbers with a fraction are made text by JSON all at once, which is faster than one by one, and
 * their digits then put between the times.
 */
function writeBetween(out: TextBytes, { t, v }: Samples, from: number, to: number, times: TimeTexts): void {
  let fractions = 0;
  let before: number | undefined;
  for (let i = from; i < to; i += 1) {
    const value = v[i]!;
    const way = Object.is(value, before) ? SAME : wayOf(value);
    if (way === DIGITS) numbers[fractions++] = value;
    ways[i - from] = way;
    before = value;
  }
  // Each number ends with a comma, the last one too.
  if (fractions > 0) {
    const byJson = fractions === numbers.length ? numbers : numbers.slice(0, fractions);
    digits[digits.write(JSON.stringify(byJson), 'latin1') - 1] = COMMA;
  }
  const { bytes } = out;
  const view = viewOf(bytes);
  let read = 1;
  let at = out.at;
  let textAt = at;
  let textEnd = at;
  for (let i = from; i < to; i += 1) {
    at = times.write(t[i]!, i, view, at);
    const start = at;
    switch (ways[i - from]) {
      case SAME:
        at = copyText(view, textAt, textEnd, view, at);
        break;
      case WHOLE:
        at = writeWhole(v[i]!, bytes, at);
        break;
      case DIGITS:
        for (;;) {
          const word = digitsView.getInt32(read, true);
          view.setInt32(at, word, true);
          // The highest bit of each byte that is a comma, and maybe of some behind the first.
          const differs = word ^ COMMAS;
          const commas = (differs - 0x01010101) & ~differs & 0x80808080;
          if (commas !== 0) {
            const length = (31 - Math.clz32(commas & -commas)) >>> 3;
            read += length + 1;
            at += length;
            break;
          }
          read += WORD_BYTES;
          at += WORD_BYTES;
        }
        break;
      default:
        at = writeAscii(floatText(v[i]!), bytes, at);
    }
    textAt = start;
    textEnd = at;
    view.setUint16(at, QUOTE_AND_CLOSE, true);
    at += 2;
  }
  out.at = at;
}

function wayOf(v: number): number {
  if (v >= 1 && v <= Number.MAX_SAFE_INTEGER && Math.floor(v) === v) return WHOLE;
  return isPlain(v) ? DIGITS : ALONE;
}

/** Entries `from` to `to` - 1, and up to three more, to `target` at `at`; answers where the text ends. */
function copyText(source: DataView, from: number, to: number, target: DataView, at: number): number {
  const length = to - from;
  for (let j = 0; j < length; j += WORD_BYTES) target.setInt32(at + j, source.getInt32(from + j, true), true);
  return at + length;
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
  /** Writes it for the time of the point at place `i` at `at`, where there is room for more; answers where it ends. */
  write(t: number, i: number, target: DataView, at: number): number;
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
  const texts = new Uint8Array(room * TIME_BYTES + WORD_BYTES);
  const view = viewOf(texts);
  const alone = new Uint8Array(TIME_BYTES + WORD_BYTES);
  const aloneView = viewOf(alone);
  const textOf = (t: number) => `,[${seconds(t)},"`;
  return {
    write(t, i, target, at) {
      const place = (t - firstT) / stepMs;
      const slot = place < room ? place | 0 : 0;
      if (slot !== place)
        return copyText(aloneView, i === 0 ? 1 : 0, writeAscii(textOf(t), alone, 0), target, at);
      const start = slot * TIME_BYTES;
      if (known[slot] !== t) {
        known[slot] = t;
        lengths[slot] = writeAscii(textOf(t), texts, start) - start;
      }
      return copyText(view, i === 0 ? start + 1 : start, start + lengths[slot]!, target, at);
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
