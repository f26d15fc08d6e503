import { isUtf8 } from 'node:buffer';

/** A name and a value. */
export type Label = readonly [name: string, value: string];

/**
 * What identifies a series: sorted by name (by UTF-8 bytes, which for UTF-16 strings without surrogates is
 * also code unit order), names unique, no empty values. The metric's name is the label `__name__`.
 * Source: https://prometheus.io/docs/concepts/data_model/
 */
export type Labels = readonly Label[];

export const METRIC_NAME = '__name__';

/** Labels from name/value pairs: sorts, drops empty values; of a name given twice the last counts. */
export function toLabels(pairs: Iterable<Label> | Readonly<Record<string, string>>): Labels {
  const entries = Symbol.iterator in pairs ? pairs : Object.entries(pairs);
  const byName = new Map<string, string>();
  for (const [name, value] of entries as Iterable<Label>) byName.set(name, value);
  const labels: Label[] = [];
  for (const [name, value] of byName) if (value !== '') labels.push([name, value]);
  return labels.sort((a, b) => compareNames(a[0], b[0]));
}

/** The value of label `name`, or the empty string: Prometheus does not tell empty from absent. */
export function labelValue(labels: Labels, name: string): string {
  for (const label of labels) if (label[0] === name) return label[1];
  return '';
}

/** As a plain object without a prototype, so that no label name can reach `Object.prototype`. */
export function toRecord(labels: Labels): Record<string, string> {
  const record: Record<string, string> = Object.create(null);
  for (const [name, value] of labels) record[name] = value;
  return record;
}

/** A string equal for equal labels and different for different ones. */
export function labelsKey(labels: Labels): string {
  let key = '';
  for (const [name, value] of labels) key += `${name.length}:${name}${value.length}:${value}`;
  return key;
}

// Written to first, so that only what is answered is made; grows to the longest labels.
let scratch = new Uint8Array(4_096);

/**
 * The canonical bytes of labels, by which a store finds a series: for each label in order, the name and the
 * value, each as a LEB128 length in bytes and UTF-8.
 */
export function encodeLabels(labels: Labels): Uint8Array {
  let at = 0;
  for (let i = 0; i < labels.length; i += 1) {
    const label = labels[i]!;
    at = writeText(writeText(at, label[0]), label[1]);
  }
  return scratch.slice(0, at);
}

const MOST_BYTES_A_UNIT = 3;
const LENGTH_BYTES = 5;

/** Writes a length and a text to `scratch`; answers where they end. */
function writeText(start: number, text: string): number {
  const { length } = text;
  const room = start + LENGTH_BYTES + length * MOST_BYTES_A_UNIT;
  if (room > scratch.length) {
    const bigger = new Uint8Array(room * 2);
    bigger.set(scratch);
    scratch = bigger;
  }
  if (length < 0x80) {
    const to = start + 1;
    let seen = 0;
    for (let i = 0; i < length; i += 1) {
      const unit = text.charCodeAt(i);
      seen |= unit;
      scratch[to + i] = unit;
    }
    if (seen < 0x80) {
      scratch[start] = length;
      return to + length;
    }
  }
  let at = start;
  let rest = Buffer.byteLength(text);
  const end = rest;
  while (rest >= 0x80) {
    scratch[at] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
    at += 1;
  }
  scratch[at] = rest;
  bufferOf(scratch).write(text, at + 1, end, 'utf8');
  return at + 1 + end;
}

const bufferOf = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

// Longer lengths no label has.
const LARGEST_SHIFT = 21;

/**
 * The inverse of `encodeLabels`.
 * @throws RangeError for bytes that are not whole: whoever kept them has lost some.
 */
export function decodeLabels(bytes: Uint8Array): Labels {
  const buffer = bufferOf(bytes);
  const labels: Label[] = [];
  let name: string | undefined;
  let at = 0;
  while (at < bytes.length) {
    let length = 0;
    let shift = 0;
    for (;;) {
      const byte = bytes[at++] ?? 0;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
      shift += 7;
      if (shift > LARGEST_SHIFT) throw new RangeError(`label bytes hold a length no label has, at ${at}`);
    }
    if (at + length > bytes.length) throw new RangeError(`label bytes are cut off at ${bytes.length}`);
    const text = buffer.toString('utf8', at, at + length);
    at += length;
    if (name === undefined) name = text;
    else {
      labels.push([name, text]);
      name = undefined;
    }
  }
  return labels;
}

/** Whether these are just the bytes that `encodeLabels` makes of some labels, so that they need not be made again. */
export function isCanonical(bytes: Uint8Array): boolean {
  let nameAt = 0;
  let nameEnd = -1;
  let isName = true;
  let at = 0;
  while (at < bytes.length) {
    let length = 0;
    let shift = 0;
    for (;;) {
      const byte = bytes[at++] ?? 0;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        // A length with a zero too many.
        if (byte === 0 && shift > 0) return false;
        break;
      }
      shift += 7;
      if (shift > LARGEST_SHIFT) return false;
    }
    const end = at + length;
    if ((length === 0 && !isName) || end > bytes.length || !isText(bytes, at, end)) return false;
    if (isName) {
      if (nameEnd >= 0 && !isBefore(bytes, nameAt, nameEnd, at, end)) return false;
      nameAt = at;
      nameEnd = end;
    }
    isName = !isName;
    at = end;
  }
  return isName;
}

function isText(bytes: Uint8Array, at: number, end: number): boolean {
  let seen = 0;
  for (let i = at; i < end; i += 1) seen |= bytes[i]!;
  return seen < 0x80 || isUtf8(bytes.subarray(at, end));
}

function isBefore(bytes: Uint8Array, at: number, end: number, otherAt: number, otherEnd: number): boolean {
  const length = Math.min(end - at, otherEnd - otherAt);
  for (let i = 0; i < length; i += 1) {
    const difference = bytes[at + i]! - bytes[otherAt + i]!;
    if (difference !== 0) return difference < 0;
  }
  return end - at < otherEnd - otherAt;
}

/** The order of two texts by their UTF-8 bytes. Code units differ from it only between surrogates and U+E000..U+FFFF. */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    let x = a.charCodeAt(i);
    let y = b.charCodeAt(i);
    if (x === y) continue;
    if (x >= 0xd800 && x <= 0xdfff) x += 0x10000;
    if (y >= 0xd800 && y <= 0xdfff) y += 0x10000;
    return x - y;
  }
  return a.length - b.length;
}

/** Bytewise order of labels: by name, then value, then length. */
export function compareLabels(a: Labels, b: Labels): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const order = compareNames(a[i]![0], b[i]![0]) || compareNames(a[i]![1], b[i]![1]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
