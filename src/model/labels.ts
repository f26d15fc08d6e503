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

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * The canonical bytes of labels, by which a store finds a series: for each label in order, the name and the
 * value, each as a LEB128 length in bytes and UTF-8.
 */
export function encodeLabels(labels: Labels): Uint8Array {
  const parts: Uint8Array[] = [];
  let size = 0;
  for (const label of labels) {
    for (const text of label) {
      const bytes = encoder.encode(text);
      const length = leb128(bytes.length);
      parts.push(length, bytes);
      size += length.length + bytes.length;
    }
  }
  const out = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/**
 * The inverse of `encodeLabels`.
 * @throws RangeError for bytes that are not whole: whoever kept them has lost some.
 */
export function decodeLabels(bytes: Uint8Array): Labels {
  const texts: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    let length = 0;
    let shift = 0;
    for (;;) {
      const byte = bytes[at++] ?? 0;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
      shift += 7;
      if (shift > 21) throw new RangeError(`label bytes hold a length no label has, at ${at}`);
    }
    if (at + length > bytes.length) throw new RangeError(`label bytes are cut off at ${bytes.length}`);
    texts.push(decoder.decode(bytes.subarray(at, at + length)));
    at += length;
  }
  const labels: Label[] = [];
  for (let i = 0; i + 1 < texts.length; i += 2) labels.push([texts[i]!, texts[i + 1]!]);
  return labels;
}

function leb128(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
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
