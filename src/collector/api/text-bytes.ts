import type { Clock } from '../../util/clock.ts';
import { othersFirst } from '../promql/evaluation/turn.ts';
import type { CopyPiece } from './piece-buffers.ts';

/** Text that is being written, as UTF-8: the first `at` of `bytes`. Whoever writes makes room before. */
export interface TextBytes {
  bytes: Buffer;
  at: number;
}

/** Writes text a piece at a time and yields between them, so that others may get their turn. */
export type WriteText = (out: TextBytes) => Iterable<undefined>;

const CHUNK_BYTES = 64 * 1024;
const LONGEST_STRETCH_MS = 2;

// One for all: nobody gives up the thread before what is in it is taken out.
const shared: TextBytes = { bytes: Buffer.allocUnsafeSlow(2 * CHUNK_BYTES), at: 0 };

/** The bytes in pieces of about 64 KiB. Between them others get their turn, however long the whole is. */
export async function* inTurns(write: WriteText, clock: Clock, copy?: CopyPiece): AsyncGenerator<Buffer> {
  const { first, rest } = beginText(write, clock, copy);
  yield first;
  if (rest !== undefined) yield* rest;
}

/** The first piece at once, most often all there is, and the others if there are any. */
export function beginText(
  write: WriteText,
  clock: Clock,
  copy: CopyPiece = Buffer.from,
): { readonly first: Buffer; readonly rest: AsyncGenerator<Buffer> | undefined } {
  const steps = write(shared)[Symbol.iterator]();
  const isWhole = writePiece(steps);
  return { first: takeBytes(copy), rest: isWhole ? undefined : goOn(steps, clock, copy) };
}

async function* goOn(steps: Iterator<undefined>, clock: Clock, copy: CopyPiece): AsyncGenerator<Buffer> {
  let began = clock.monotonic();
  for (let isWhole = false; !isWhole; ) {
    if (clock.monotonic() - began >= LONGEST_STRETCH_MS) {
      await othersFirst();
      began = clock.monotonic();
    }
    isWhole = writePiece(steps);
    yield takeBytes(copy);
  }
}

/** Whether that was the last one. */
function writePiece(steps: Iterator<undefined>): boolean {
  try {
    while (shared.at < CHUNK_BYTES) if (steps.next().done === true) return true;
    return false;
  } catch (error) {
    shared.at = 0;
    throw error;
  }
}

function takeBytes(copy: CopyPiece): Buffer {
  const taken = copy(shared.bytes.subarray(0, shared.at));
  shared.at = 0;
  return taken;
}

const views = new WeakMap<Uint8Array, DataView>();

/** The same bytes, to be read and written some at a time. */
export function viewOf(bytes: Uint8Array): DataView {
  let view = views.get(bytes);
  if (view === undefined) {
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    views.set(bytes, view);
  }
  return view;
}

export function makeRoom(out: TextBytes, bytes: number): void {
  const wanted = out.at + bytes;
  if (wanted <= out.bytes.length) return;
  const bigger = Buffer.allocUnsafeSlow(2 * wanted);
  out.bytes.copy(bigger, 0, 0, out.at);
  out.bytes = bigger;
}

const MOST_BYTES_A_UNIT = 3;

/** Any text as it is. */
export function writeText(out: TextBytes, text: string): void {
  makeRoom(out, text.length * MOST_BYTES_A_UNIT);
  const { bytes, at } = out;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) {
      out.at = at + bytes.write(text, at, 'utf8');
      return;
    }
    bytes[at + i] = unit;
  }
  out.at = at + text.length;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** A text as a JSON string. */
export function writeString(out: TextBytes, text: string): void {
  makeRoom(out, text.length + 2);
  const { bytes, at } = out;
  bytes[at] = QUOTE;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7e || unit < 0x20 || unit === QUOTE || unit === BACKSLASH) {
      writeText(out, JSON.stringify(text));
      return;
    }
    bytes[at + 1 + i] = unit;
  }
  bytes[at + 1 + text.length] = QUOTE;
  out.at = at + text.length + 2;
}
