import { walkLabels } from '../../model/labels.ts';

/**
 * Labels on disk: for each, the name and the value, each as a varint with its length in bytes, and UTF-8. Shorter than
 * `encodeLabels` has them, and what files hold since there are any.
 */
export function toStored(labelBytes: Uint8Array): Uint8Array {
  const stored = new Uint8Array(labelBytes.length);
  let size = 0;
  walkLabels(labelBytes, 0, labelBytes.length, (nameAt, nameEnd, valueAt, valueEnd) => {
    size = writeText(stored, size, labelBytes.subarray(nameAt, nameEnd));
    size = writeText(stored, size, labelBytes.subarray(valueAt, valueEnd));
    return true;
  });
  return stored.subarray(0, size);
}

const LABEL = 0x0a;
const NAME = 0x0a;
const VALUE = 0x12;

// What a label takes more in the other spelling: three tags and a length.
const MORE_BYTES = 7;
let scratch = new Uint8Array(4_096);

/** @throws RangeError for bytes that are not whole. */
export function fromStored(stored: Uint8Array): Uint8Array {
  // A label has two lengths at least.
  const most = stored.length + (stored.length >> 1) * MORE_BYTES;
  if (most > scratch.length) scratch = new Uint8Array(most * 2);
  const out = scratch;
  let size = 0;
  let at = 0;
  const textEnd = () => {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = stored[at] ?? 0;
      at += 1;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
      if (shift > 14) throw new RangeError(`labels hold a length no label has, at ${at}`);
    }
    if (at + length > stored.length) throw new RangeError(`labels are cut off at ${stored.length}`);
    return at + length;
  };
  while (at < stored.length) {
    // Of each text its length and bytes together are as they must be.
    const nameAt = at;
    const nameEnd = textEnd();
    at = nameEnd;
    const valueEnd = textEnd();
    at = valueEnd;
    out[size] = LABEL;
    size = writeVarint(out, size + 1, valueEnd - nameAt + 2);
    out[size] = NAME;
    size += 1;
    for (let i = nameAt; i < nameEnd; i += 1) out[size++] = stored[i]!;
    out[size] = VALUE;
    size += 1;
    for (let i = nameEnd; i < valueEnd; i += 1) out[size++] = stored[i]!;
  }
  return out.slice(0, size);
}

function writeVarint(out: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) out[at++] = (rest & 0x7f) | 0x80;
  out[at] = rest;
  return at + 1;
}

function writeText(out: Uint8Array, start: number, text: Uint8Array): number {
  const at = writeVarint(out, start, text.length);
  out.set(text, at);
  return at + text.length;
}
