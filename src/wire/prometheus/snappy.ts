import { CodedError } from '../../util/coded-error.ts';

// The block format: a varint with the length of the whole, then literals and copies of what came before.
// Source: https://github.com/google/snappy/blob/main/format_description.txt

// The best a copy can do: three bytes that stand for 64.
const MOST_EXPANSION = 22;

function malformed(what: string): CodedError {
  return new CodedError('SNAPPY_MALFORMED', `the snappy block is malformed: ${what}`, { status: 400 });
}

/**
 * Unpacks a block, to what `allocate` makes of just its length. Nothing is allocated before the length it declares is known
 * to be within `maxBytes` and possible.
 *
 * @throws SNAPPY_TOO_LARGE (413), SNAPPY_MALFORMED (400)
 */
export function snappyDecode(
  block: Uint8Array,
  maxBytes: number,
  allocate?: (bytes: number) => Uint8Array,
): Uint8Array {
  const steps = snappyDecoding(block, maxBytes, allocate);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The same a piece at a time: in between the caller may let others have the thread. */
export function* snappyDecoding(
  block: Uint8Array,
  maxBytes: number,
  // Not cleared first, as every byte is written or all is refused.
  allocate: (bytes: number) => Uint8Array = Buffer.allocUnsafeSlow,
): Generator<undefined, Uint8Array> {
  const { length, at } = declaredLength(block);
  if (length > maxBytes)
    throw new CodedError(
      'SNAPPY_TOO_LARGE',
      `the body says it unpacks to ${length} bytes; at most ${maxBytes} are taken: send smaller batches`,
      { status: 413 },
    );
  if (length > (block.length - at) * MOST_EXPANSION)
    throw malformed(`${block.length - at} bytes cannot unpack to ${length}`);
  const out = allocate(length);
  const progress: Progress = { at, size: 0 };
  for (;;) {
    unpack(block, out, progress, progress.size + BYTES_A_STEP);
    if (progress.at >= block.length) break;
    yield undefined;
  }
  if (progress.size !== length) throw malformed('it ends before its declared length');
  return out;
}

function declaredLength(block: Uint8Array): { readonly length: number; readonly at: number } {
  let length = 0;
  for (let at = 0; at < 5; at += 1) {
    const byte = block[at];
    if (byte === undefined) throw malformed('it has no length');
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return { length, at: at + 1 };
  }
  throw malformed('its length has more than 32 bits');
}

// About a millisecond.
const BYTES_A_STEP = 2 ** 20;

/** How far the block is read, and `out` written. */
interface Progress {
  at: number;
  size: number;
}

/** Goes on until `enough` bytes are written or nothing is left; never writes or reads outside. */
function unpack(block: Uint8Array, out: Uint8Array, progress: Progress, enough: number): void {
  const end = block.length;
  const room = out.length;
  const source = viewOf(block);
  const target = viewOf(out);
  let { at, size } = progress;
  while (at < end && size < enough) {
    const tag = block[at]!;
    at += 1;
    let length: number;
    let offset: number;
    switch (tag & 3) {
      case 0: {
        length = (tag >>> 2) + 1;
        if (length > 60) {
          const extra = length - 60;
          if (at + extra > end) throw malformed('a literal has no length');
          length = littleEndian(block, at, extra) + 1;
          at += extra;
        }
        if (at + length > end) throw malformed('a literal ends after the block');
        if (size + length > room) throw malformed('it unpacks to more than it declares');
        if (length > LONG) out.set(block.subarray(at, at + length), size);
        else if (size + length + MORE <= room && at + length + MORE <= end)
          copyEights(source, at, target, size, length);
        else for (let i = 0; i < length; i += 1) out[size + i] = block[at + i]!;
        at += length;
        size += length;
        continue;
      }
      case 1:
        length = ((tag >>> 2) & 7) + 4;
        offset = ((tag >>> 5) << 8) | block[at]!;
        at += 1;
        break;
      case 2:
        length = (tag >>> 2) + 1;
        offset = block[at]! | (block[at + 1]! << 8);
        at += 2;
        break;
      default:
        length = (tag >>> 2) + 1;
        offset = littleEndian(block, at, 4);
        at += 4;
    }
    if (at > end) throw malformed('a copy is cut off');
    if (offset === 0 || offset > size) throw malformed(`a copy from ${offset} bytes before byte ${size}`);
    if (size + length > room) throw malformed('it unpacks to more than it declares');
    const from = size - offset;
    // What is written beyond the end is written again by what comes next.
    if (offset >= 8 && size + length + MORE <= room) copyEights(target, from, target, size, length);
    // Byte by byte: a copy may overlap what it writes.
    else for (let i = 0; i < length; i += 1) out[size + i] = out[from + i]!;
    size += length;
  }
  progress.at = at;
  progress.size = size;
}

// Eight bytes at a time go up to seven beyond the end. From so many on the call into the engine is quicker.
const MORE = 7;
const LONG = 256;

// By itself, as V8 makes the best code of what is called often.
function copyEights(source: DataView, from: number, target: DataView, to: number, length: number): void {
  for (let i = 0; i < length; i += 8) {
    target.setInt32(to + i, source.getInt32(from + i, true), true);
    target.setInt32(to + i + 4, source.getInt32(from + i + 4, true), true);
  }
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = count - 1; i >= 0; i -= 1) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}

// Short runs are quicker without the call into the engine.
function copyForward(from: Uint8Array, at: number, to: Uint8Array, toAt: number, length: number): void {
  if (length > 64) to.set(from.subarray(at, at + length), toAt);
  else for (let i = 0; i < length; i += 1) to[toAt + i] = from[at + i]!;
}

const TABLE_BITS = 14;
const FARTHEST_COPY = 0xffff;

/** Packs into one block that any snappy decoder reads. */
export function snappyEncode(input: Uint8Array): Uint8Array {
  const { length } = input;
  const view = new DataView(input.buffer, input.byteOffset, length);
  const table = new Int32Array(1 << TABLE_BITS).fill(-1);
  // The format's own bound for input that does not pack.
  const out = new Uint8Array(32 + length + Math.ceil(length / 6));
  let size = writeLength(out, length);
  let literal = 0;
  let at = 0;
  while (at + 4 <= length) {
    const word = view.getUint32(at, true);
    const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - TABLE_BITS);
    const candidate = table[slot]!;
    table[slot] = at;
    if (candidate < 0 || at - candidate > FARTHEST_COPY || view.getUint32(candidate, true) !== word) {
      // The longer nothing matched, the bigger the steps.
      at += 1 + ((at - literal) >>> 5);
      continue;
    }
    size = writeLiteral(out, size, input, literal, at);
    let match = 4;
    while (at + match < length && input[candidate + match] === input[at + match]) match += 1;
    size = writeCopy(out, size, at - candidate, match);
    at += match;
    literal = at;
  }
  size = writeLiteral(out, size, input, literal, length);
  return out.subarray(0, size);
}

function writeLength(out: Uint8Array, length: number): number {
  let rest = length;
  let at = 0;
  while (rest >= 0x80) {
    out[at] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
    at += 1;
  }
  out[at] = rest;
  return at + 1;
}

function writeLiteral(out: Uint8Array, at: number, input: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length === 0) return at;
  const rest = length - 1;
  let next = at + 1;
  if (rest < 60) out[at] = rest << 2;
  else {
    const extra = rest < 0x100 ? 1 : rest < 0x10000 ? 2 : rest < 0x1000000 ? 3 : 4;
    out[at] = (59 + extra) << 2;
    for (let i = 0; i < extra; i += 1) out[next + i] = (rest >>> (8 * i)) & 0xff;
    next += extra;
  }
  copyForward(input, start, out, next, length);
  return next + length;
}

function writeCopy(out: Uint8Array, start: number, offset: number, length: number): number {
  let at = start;
  let rest = length;
  while (rest > 0) {
    const run = Math.min(rest, 64);
    if (run >= 4 && run < 12 && offset < 2048) {
      out[at] = ((offset >>> 8) << 5) | ((run - 4) << 2) | 1;
      out[at + 1] = offset & 0xff;
      at += 2;
    } else {
      out[at] = ((run - 1) << 2) | 2;
      out[at + 1] = offset & 0xff;
      out[at + 2] = offset >>> 8;
      at += 3;
    }
    rest -= run;
  }
  return at;
}
