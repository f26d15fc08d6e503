import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { LogLine } from '../../../../model/life.ts';
import type { Clock } from '../../../../util/clock.ts';
import { criPrefix, LONGEST_TEXT_BYTES } from './cri-line.ts';
import { type LogFile, type LogPosition, openLogFile } from './log-file.ts';
import { SEGMENT_BYTES } from './shim-script.ts';

type Stream = LogLine['stream'];

const STREAMS: readonly Stream[] = ['stdout', 'stderr'];
const CHUNK_BYTES = 64 * 1024;
/** How much log one turn may write: a flood must not hold the agent's event loop. */
const TURN_BYTES = 1024 * 1024;
const GATHER_MS = 10;
const FLOOD_PAUSE_MS = 50;

interface Place {
  readonly segment: number;
  readonly offset: number;
}

/** The consumed places and the log's length belong together: they are noted in one write. */
interface Note {
  readonly log: LogPosition;
  readonly stdout: Place;
  readonly stderr: Place;
}

/** Turns a container's raw output into its log file. */
export interface Output {
  /** There may be something new: it is looked at soon. */
  nudge(): void;
  /** Everything written so far, at once. True when the container's streams have ended and all is in the log. */
  drain(): boolean;
  onLine(listener: (line: LogLine) => void): () => void;
  readonly droppedBytes: number;
  close(): void;
}

interface Reader {
  readonly stream: Stream;
  fd: number | undefined;
  place: Place;
  /** Read but not yet a whole line; starts at `start`. */
  carry: Buffer;
  start: Place;
  ended: boolean;
}

interface Records {
  readonly parts: Buffer[];
  bytes: number;
}

const NEWLINE = Buffer.from('\n');
const NOTE_BYTES = 512;

function readNote(path: string): Note | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Note;
  } catch {
    return undefined;
  }
}

/** Opens the output in `folder`, going on where an earlier agent stopped: no line is lost or doubled. */
export function openOutput(folder: string, logPath: string, clock: Clock): Output {
  const notePath = join(folder, 'note');
  const resume = readNote(notePath);
  const log: LogFile = openLogFile(logPath, resume?.log);
  const noteFd = openSync(notePath, existsSync(notePath) ? 'r+' : 'w+');
  const listeners = new Set<(line: LogLine) => void>();
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let dropped = 0;
  let closed = false;
  let cancelTimer: (() => void) | undefined;

  const readers: readonly Reader[] = STREAMS.map((stream) => {
    const place = resume?.[stream] ?? { segment: 0, offset: 0 };
    return { stream, fd: undefined, place, carry: Buffer.alloc(0), start: place, ended: false };
  });

  const segmentPath = (reader: Reader, segment: number) => join(folder, `${reader.stream}.${segment}`);

  const note = () => {
    const [stdout, stderr] = readers;
    const text = JSON.stringify({
      log: log.position(),
      stdout: stdout!.start,
      stderr: stderr!.start,
    } satisfies Note);
    writeSync(noteFd, text.padEnd(NOTE_BYTES), 0);
  };

  const segments = (reader: Reader): readonly number[] =>
    readdirSync(folder)
      .filter((name) => name.startsWith(`${reader.stream}.`) && !name.endsWith('.end'))
      .map((name) => Number(name.slice(reader.stream.length + 1)))
      .sort((a, b) => a - b);

  /** Moves to a later segment; what lay between was dropped by the pump, and with it the line it cut. */
  const moveTo = (reader: Reader, segment: number, skipped: boolean) => {
    if (reader.fd !== undefined) closeSync(reader.fd);
    reader.fd = undefined;
    if (skipped) {
      dropped += (segment - reader.place.segment) * SEGMENT_BYTES - reader.place.offset;
      reader.carry = Buffer.alloc(0);
    }
    reader.place = { segment, offset: 0 };
    if (reader.carry.length === 0) reader.start = reader.place;
  };

  const openSegment = (reader: Reader): number | undefined => {
    if (reader.fd !== undefined) return reader.fd;
    try {
      reader.fd = openSync(segmentPath(reader, reader.place.segment), 'r');
    } catch {
      const later = segments(reader).find((segment) => segment > reader.place.segment);
      if (later === undefined) return undefined;
      moveTo(reader, later, true);
      return openSegment(reader);
    }
    return reader.fd;
  };

  const emit = (reader: Reader, at: number, text: Buffer, tag: 'F' | 'P', records: Records) => {
    const prefix = Buffer.from(criPrefix(at, reader.stream, tag));
    records.parts.push(prefix, text, NEWLINE);
    records.bytes += prefix.length + text.length + 1;
    if (listeners.size === 0) return;
    const line: LogLine = Object.freeze({ at, stream: reader.stream, text: text.toString('utf8') });
    for (const listener of listeners) listener(line);
  };

  /** Cuts what was read into records; the start of an unfinished line stays as carry. */
  const cut = (reader: Reader, at: number, bytes: Buffer, records: Records) => {
    // A copy: records keep pointing into it while the chunk is read into again.
    const text = Buffer.concat([reader.carry, bytes]);
    let from = 0;
    for (;;) {
      const newline = text.indexOf(10, from);
      const end = newline < 0 ? text.length : newline;
      while (end - from > LONGEST_TEXT_BYTES) {
        emit(reader, at, text.subarray(from, from + LONGEST_TEXT_BYTES), 'P', records);
        from += LONGEST_TEXT_BYTES;
      }
      if (newline < 0) break;
      emit(reader, at, text.subarray(from, newline), 'F', records);
      from = newline + 1;
    }
    reader.carry = Buffer.from(text.subarray(from));
  };

  /** Where the carry starts; it may reach back into the segment before. */
  const startOf = (reader: Reader): Place => {
    const { segment, offset } = reader.place;
    const start = offset - reader.carry.length;
    return start >= 0 ? { segment, offset: start } : { segment: segment - 1, offset: SEGMENT_BYTES + start };
  };

  const readSome = (reader: Reader, records: Records): boolean => {
    const fd = openSegment(reader);
    if (fd === undefined) return false;
    const read = readSync(fd, chunk, 0, CHUNK_BYTES, reader.place.offset);
    if (read === 0) {
      if (reader.place.offset < SEGMENT_BYTES) return false;
      moveTo(reader, reader.place.segment + 1, false);
      return true;
    }
    const at = Math.floor(Math.min(clock.now(), fstatSync(fd).mtimeMs));
    reader.place = { segment: reader.place.segment, offset: reader.place.offset + read };
    cut(reader, at, chunk.subarray(0, read), records);
    reader.start = startOf(reader);
    return true;
  };

  const finish = (reader: Reader, records: Records) => {
    if (reader.carry.length > 0) emit(reader, clock.now(), reader.carry, 'P', records);
    reader.carry = Buffer.alloc(0);
    reader.start = reader.place;
    reader.ended = true;
  };

  const consume = (reader: Reader, records: Records): boolean => {
    const endPath = join(folder, `${reader.stream}.end`);
    while (!reader.ended) {
      // Looked for before reading: what is written before the mark is then surely read.
      const isLast = existsSync(endPath);
      while (readSome(reader, records)) if (records.bytes > TURN_BYTES) return true;
      if (!isLast) return false;
      finish(reader, records);
    }
    return false;
  };

  const freeConsumed = (reader: Reader, first: number) => {
    for (let segment = first; segment < reader.start.segment; segment += 1)
      rmSync(segmentPath(reader, segment), { force: true });
  };

  /** One bounded turn; true when there may be more at once. */
  const turn = (): boolean => {
    let more = false;
    for (const reader of readers) {
      const first = reader.start.segment;
      const records: Records = { parts: [], bytes: 0 };
      more = consume(reader, records) || more;
      if (records.bytes === 0) continue;
      log.append(Buffer.concat(records.parts));
      note();
      freeConsumed(reader, first);
    }
    return more;
  };

  const schedule = (delayMs: number) => {
    if (closed || cancelTimer !== undefined) return;
    cancelTimer = clock.setTimer(
      delayMs,
      () => {
        cancelTimer = undefined;
        if (!closed && turn()) schedule(FLOOD_PAUSE_MS);
      },
      { unref: true },
    );
  };

  note();
  return {
    nudge: () => schedule(GATHER_MS),
    drain() {
      if (closed) return true;
      while (turn());
      return readers.every((reader) => reader.ended);
    },
    onLine(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    get droppedBytes() {
      return dropped;
    },
    close() {
      if (closed) return;
      closed = true;
      cancelTimer?.();
      for (const reader of readers) if (reader.fd !== undefined) closeSync(reader.fd);
      closeSync(noteFd);
      log.close();
    },
  };
}
