import { closeSync, copyFileSync, existsSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

/**
 * Finds damage in SQLite's write-ahead log before SQLite does: it takes a log to end at the first frame whose checksum
 * is wrong and says nothing of committed frames behind it. Torn frames at the end, as a crash leaves them, are no damage.
 * Source: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
 */
export interface LogDamage {
  /** Frames whose checksum is wrong though committed frames follow. */
  readonly frames: number;
  /** The log as it was. */
  readonly keptAt: string;
}

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
// The low bit says in which byte order the checksums read the words.
const MAGIC = 0x377f0682;
const SUMMED_HEADER_BYTES = 24;
const SUMMED_FRAME_BYTES = 8;
const SALT_AT = 8;
const SUM_AT = 16;

type Sum = readonly [number, number];

/** Adds the 32-bit words of `bytes`, an even number of them. */
function sumOf(bytes: DataView, littleEndian: boolean, [a, b]: Sum): Sum {
  let first = a;
  let second = b;
  for (let at = 0; at < bytes.byteLength; at += 8) {
    first = (first + bytes.getUint32(at, littleEndian) + second) >>> 0;
    second = (second + bytes.getUint32(at + 4, littleEndian) + first) >>> 0;
  }
  return [first, second];
}

interface Frame {
  readonly at: number;
  readonly head: DataView;
  readonly page: DataView;
}

/** Whether the log at `path` is damaged; false where there is none. Changes nothing. */
export const isLogDamaged = (path: string): boolean => existsSync(path) && visit(path, 'r') !== undefined;

/**
 * Mends the log at `path` so that SQLite reads all of it: the checksums from the first wrong one on are made anew, the
 * bytes themselves are left as they are. Whoever reads those pages must expect damage in them. Nobody else may have the
 * file open. Undefined when the log is sound.
 */
export const mendLog = (path: string, keepAt: string): LogDamage | undefined => visit(path, 'r+', keepAt);

function visit(path: string, flags: 'r' | 'r+', keepAt = ''): LogDamage | undefined {
  const file = openSync(path, flags);
  try {
    const { size } = fstatSync(file);
    if (size < HEADER_BYTES) return undefined;
    const header = view(file, 0, HEADER_BYTES);
    const littleEndian = header.getUint32(0) === MAGIC;
    const pageSize = header.getUint32(8);
    // A header that is damaged itself says nothing of how to read the rest.
    if (header.getUint32(0) >>> 1 !== MAGIC >>> 1 || pageSize < 512 || pageSize > 65_536) return undefined;
    const headerSum = sumOf(new DataView(header.buffer, 0, SUMMED_HEADER_BYTES), littleEndian, [0, 0]);
    const start: Sum = [header.getUint32(24), header.getUint32(28)];
    if (!same(headerSum, start)) return undefined;

    const frames = () => readFrames(file, size, pageSize);
    const wrong = wrongFrames(frames(), header, littleEndian, start);
    if (wrong.count === 0) return undefined;
    if (flags === 'r+') {
      copyFileSync(path, keepAt);
      chainAgain(file, frames(), wrong.end, header, littleEndian, start);
    }
    return { frames: wrong.count, keptAt: keepAt };
  } finally {
    closeSync(file);
  }
}

/** How many frames before `end`, the end of the last that is committed and whose checksum follows from its neighbour's, are wrong. */
function wrongFrames(
  frames: Iterable<Frame>,
  header: DataView,
  littleEndian: boolean,
  start: Sum,
): { readonly count: number; readonly end: number } {
  let before = start;
  let wrong = 0;
  let count = 0;
  let end = 0;
  for (const frame of frames) {
    const sum = frameSum(frame, littleEndian, before);
    const own: Sum = [frame.head.getUint32(SUM_AT), frame.head.getUint32(SUM_AT + 4)];
    const fits = hasSalt(frame, header) && same(sum, own);
    if (!fits) wrong += 1;
    else if (frame.head.getUint32(4) !== 0) {
      count = wrong;
      end = frame.at + FRAME_HEADER_BYTES + frame.page.byteLength;
    }
    before = own;
  }
  return { count, end };
}

function chainAgain(
  file: number,
  frames: Iterable<Frame>,
  end: number,
  header: DataView,
  littleEndian: boolean,
  start: Sum,
): void {
  let before = start;
  for (const frame of frames) {
    if (frame.at >= end) return;
    before = frameSum(frame, littleEndian, before);
    const { head } = frame;
    head.setUint32(SALT_AT, header.getUint32(16));
    head.setUint32(SALT_AT + 4, header.getUint32(20));
    head.setUint32(SUM_AT, before[0]);
    head.setUint32(SUM_AT + 4, before[1]);
    writeSync(file, head, 0, FRAME_HEADER_BYTES, frame.at);
  }
}

const same = (a: Sum, b: Sum) => a[0] === b[0] && a[1] === b[1];

const hasSalt = ({ head }: Frame, header: DataView) =>
  head.getUint32(SALT_AT) === header.getUint32(16) && head.getUint32(SALT_AT + 4) === header.getUint32(20);

const frameSum = ({ head, page }: Frame, littleEndian: boolean, before: Sum) =>
  sumOf(page, littleEndian, sumOf(new DataView(head.buffer, 0, SUMMED_FRAME_BYTES), littleEndian, before));

function* readFrames(file: number, size: number, pageSize: number): Generator<Frame> {
  const length = FRAME_HEADER_BYTES + pageSize;
  for (let at = HEADER_BYTES; at + length <= size; at += length)
    yield {
      at,
      head: view(file, at, FRAME_HEADER_BYTES),
      page: view(file, at + FRAME_HEADER_BYTES, pageSize),
    };
}

function view(file: number, at: number, length: number): DataView {
  const bytes = new Uint8Array(length);
  readSync(file, bytes, 0, length, at);
  return new DataView(bytes.buffer);
}
