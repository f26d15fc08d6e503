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

// Tags of prompb/types.proto: field number and wire type.
const LABEL = 0x0a;
const NAME = 0x0a;
const VALUE = 0x12;

// Written to first, so that only what is answered is made; grows to the longest labels.
let scratch = new Uint8Array(4_096);

/**
 * The canonical bytes of labels, by which a store finds a series: the `labels` of a `prometheus.TimeSeries` in protocol
 * buffers, in order and without anything that could be left out. So they are what most senders send.
 */
export function encodeLabels(labels: Labels): Uint8Array {
  let at = 0;
  for (let i = 0; i < labels.length; i += 1) {
    const label = labels[i]!;
    const body = at + 2;
    const end = writeText(writeText(body, NAME, label[0]), VALUE, label[1]);
    const length = end - body;
    const more = varintBytes(length) - 1;
    if (more > 0) {
      makeRoom(end + more);
      scratch.copyWithin(body + more, body, end);
    }
    scratch[at] = LABEL;
    writeVarint(at + 1, length);
    at = end + more;
  }
  return scratch.slice(0, at);
}

const MOST_BYTES_A_UNIT = 3;
const HEADER_BYTES = 8;

/** Writes a field to `scratch`; answers where it ends. */
function writeText(start: number, tag: number, text: string): number {
  const { length } = text;
  makeRoom(start + HEADER_BYTES + length * MOST_BYTES_A_UNIT);
  scratch[start] = tag;
  if (length < 0x80) {
    const to = start + 2;
    let seen = 0;
    for (let i = 0; i < length; i += 1) {
      const unit = text.charCodeAt(i);
      seen |= unit;
      scratch[to + i] = unit;
    }
    if (seen < 0x80) {
      scratch[start + 1] = length;
      return to + length;
    }
  }
  const bytes = Buffer.byteLength(text);
  const at = writeVarint(start + 1, bytes);
  bufferOf(scratch).write(text, at, bytes, 'utf8');
  return at + bytes;
}

function writeVarint(start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) {
    scratch[at] = (rest & 0x7f) | 0x80;
    at += 1;
  }
  scratch[at] = rest;
  return at + 1;
}

const varintBytes = (value: number) => (value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4);

function makeRoom(size: number): void {
  if (size <= scratch.length) return;
  const bigger = new Uint8Array(size * 2);
  bigger.set(scratch);
  scratch = bigger;
}

const bufferOf = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

/**
 * The inverse of `encodeLabels`.
 * @throws RangeError for bytes that are not those of labels: whoever kept them has lost some.
 */
export function decodeLabels(bytes: Uint8Array): Labels {
  const buffer = bufferOf(bytes);
  const labels: Label[] = [];
  walkLabels(bytes, 0, bytes.length, (nameAt, nameEnd, valueAt, valueEnd) => {
    labels.push([buffer.toString('utf8', nameAt, nameEnd), buffer.toString('utf8', valueAt, valueEnd)]);
    return true;
  });
  return labels;
}

/** Whether these are just the bytes that `encodeLabels` makes of some labels, so that they need not be made again. */
export function isCanonical(bytes: Uint8Array): boolean {
  let lastAt = 0;
  let lastEnd = -1;
  let size = 0;
  const inOrder = (nameAt: number, nameEnd: number, valueAt: number, valueEnd: number) => {
    const isNext = lastEnd < 0 || isBefore(bytes, lastAt, lastEnd, nameAt, nameEnd);
    lastAt = nameAt;
    lastEnd = nameEnd;
    const name = nameEnd - nameAt;
    const value = valueEnd - valueAt;
    const body = 2 + varintBytes(name) + name + varintBytes(value) + value;
    size += 1 + varintBytes(body) + body;
    return isNext && value > 0 && isText(bytes, nameAt, nameEnd) && isText(bytes, valueAt, valueEnd);
  };
  try {
    // A length written with a zero too many takes more room.
    return walkLabels(bytes, 0, bytes.length, inOrder) && size === bytes.length;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/**
 * Tells where the name and the value of each label are, until `visit` answers false; whether it never did.
 * @throws RangeError for bytes that are not those of labels.
 */
export function walkLabels(
  bytes: Uint8Array,
  from: number,
  to: number,
  visit: (nameAt: number, nameEnd: number, valueAt: number, valueEnd: number) => boolean,
): boolean {
  let at = from;
  const enter = (tag: number, end: number) => {
    if (bytes[at] !== tag) throw new RangeError(`label bytes hold ${bytes[at]} at ${at}, not ${tag}`);
    at += 1;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = at < end ? bytes[at]! : 0x80;
      at += 1;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
      if (shift >= LARGEST_SHIFT) throw new RangeError(`label bytes hold a length no label has, at ${at}`);
    }
    if (at + length > end) throw new RangeError(`label bytes are cut off at ${end}`);
    return at + length;
  };
  while (at < to) {
    const end = enter(LABEL, to);
    const nameEnd = enter(NAME, end);
    const nameAt = at;
    at = nameEnd;
    const valueEnd = enter(VALUE, end);
    if (valueEnd !== end) throw new RangeError(`label bytes hold more than a label at ${valueEnd}`);
    if (!visit(nameAt, nameEnd, at, valueEnd)) return false;
    at = end;
  }
  return true;
}

// Longer lengths no label has.
const LARGEST_SHIFT = 21;

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
