import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { LogLine } from '../../../../model/life.ts';
import type { Clock } from '../../../../util/clock.ts';
import { criPrefix, LONGEST_TEXT_BYTES } from '../cri-line.ts';
import { LOG_FILE_BYTES, type LogPosition, openLogFile } from './log-file.ts';

type Stream = LogLine['stream'];

const STREAMS: readonly Stream[] = ['stdout', 'stderr'];
const CHUNK_BYTES = 64 * 1024;
/** For all lives: what is read into it is copied before the next is read. */
const chunk = Buffer.alloc(CHUNK_BYTES);
/** How much log one turn may write for a stream: a flood must not hold the agent's event loop. */
const TURN_BYTES = 1024 * 1024;
const GATHER_MS = 10;
const FLOOD_PAUSE_MS = 50;
/** What is still read of a dead container's backlog when time is up: the end is what people look for. */
const TAIL_BYTES = 512 * 1024;
const NOTE_BYTES = 512;
const NEWLINE = Buffer.from('\n');
/** Stands in the log where a flood outran it: silence would look like health. */
const LOST = Buffer.from('[podvitals: output was lost here, written faster than it could be kept]');

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

/** `more`: there may be more at once. `idle`: all there is was taken. `ended`: and no more will come. */
export type OutputState = 'more' | 'idle' | 'ended';

/** Turns a container's raw output into its log file. */
export interface Output {
  /** There may be something new: it is taken soon. */
  nudge(): void;
  /** Takes what is there, up to a bound. */
  turn(): OutputState;
  /** Takes the end of what is there and ends the log, whatever the container's streams do. */
  finish(): void;
  onLine(listener: (line: LogLine) => void): () => void;
  close(): void;
}

interface Reader {
  readonly stream: Stream;
  fd: number | undefined;
  /** Where to read next. */
  place: Place;
  /** Read, but not yet a whole line. */
  carry: Buffer;
  /** Where the carry starts: all before is in the log. */
  start: Place;
  /** Lengths of the segments from that of `start` to the one before `place`. */
  passed: number[];
  /** Bytes read in all. */
  taken: number;
  ended: boolean;
}

/** Records for the log, gathered for one write. */
interface Records {
  readonly parts: Buffer[];
  bytes: number;
}

function readNote(path: string): Note | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Note;
  } catch {
    return undefined;
  }
}

/** Moves the start on by bytes that are in the log now. */
function advance(reader: Reader, bytes: number): void {
  let { segment, offset } = reader.start;
  offset += bytes;
  while (reader.passed.length > 0 && offset >= reader.passed[0]!) {
    offset -= reader.passed.shift()!;
    segment += 1;
  }
  reader.start = { segment, offset };
}

/**
 * Opens the output of the life in `folder`, going on where an earlier agent stopped. The note of what was consumed is
 * written after the log; when both disagree, the log is cut back to the note: no line is lost or doubled.
 */
export function openOutput(folder: string, logPath: string, clock: Clock): Output {
  const segmentFolder = join(folder, 'output');
  const notePath = join(folder, 'note');
  const resume = readNote(notePath);
  const log = openLogFile(logPath, resume?.log);
  const noteFd = openSync(notePath, existsSync(notePath) ? 'r+' : 'w+', 0o600);
  const listeners = new Set<(line: LogLine) => void>();
  let closed = false;
  let cancelTimer: (() => void) | undefined;

  const readers: readonly Reader[] = STREAMS.map((stream) => {
    const place = resume?.[stream] ?? { segment: 0, offset: 0 };
    return {
      stream,
      fd: undefined,
      place,
      carry: Buffer.alloc(0),
      start: place,
      passed: [],
      taken: 0,
      ended: false,
    };
  });

  const segmentPath = (reader: Reader, segment: number) => join(segmentFolder, `${reader.stream}.${segment}`);
  const endPath = (reader: Reader) => join(segmentFolder, `${reader.stream}.end`);

  const note = () => {
    const [stdout, stderr] = readers;
    const now: Note = { log: log.position(), stdout: stdout!.start, stderr: stderr!.start };
    writeSync(noteFd, JSON.stringify(now).padEnd(NOTE_BYTES), 0);
  };

  const segmentNames = (): readonly string[] => {
    try {
      return readdirSync(segmentFolder);
    } catch {
      // Whoever removed the container's folder ended its output, too.
      return [];
    }
  };
  const segments = (reader: Reader): number[] =>
    segmentNames()
      .filter((name) => name.startsWith(`${reader.stream}.`) && !name.endsWith('.end'))
      .map((name) => Number(name.slice(reader.stream.length + 1)))
      .sort((a, b) => a - b);

  const closeSegment = (reader: Reader) => {
    if (reader.fd !== undefined) closeSync(reader.fd);
    reader.fd = undefined;
  };

  const tell = (line: LogLine) => {
    for (const listener of listeners) listener(line);
  };

  const put = (reader: Reader, at: number, text: Buffer, tag: 'F' | 'P', records: Records) => {
    const prefix = Buffer.from(criPrefix(at, reader.stream, tag));
    records.parts.push(prefix, text, NEWLINE);
    records.bytes += prefix.length + text.length + 1;
    if (listeners.size > 0) tell(Object.freeze({ at, stream: reader.stream, text: text.toString('utf8') }));
  };

  /** Goes on in the next segment, which may continue a line. */
  const moveOn = (reader: Reader) => {
    closeSegment(reader);
    reader.passed.push(reader.place.offset);
    reader.place = { segment: reader.place.segment + 1, offset: 0 };
    advance(reader, 0);
  };

  /** Goes on at a later place; what lies between is lost, and with it the line it cut. */
  const skipTo = (reader: Reader, place: Place, records: Records) => {
    closeSegment(reader);
    reader.carry = Buffer.alloc(0);
    reader.place = place;
    reader.start = place;
    reader.passed = [];
    put(reader, clock.now(), LOST, 'F', records);
  };

  const openSegment = (reader: Reader, records: Records): number | undefined => {
    if (reader.fd !== undefined) return reader.fd;
    try {
      reader.fd = openSync(segmentPath(reader, reader.place.segment), 'r');
    } catch {
      // Not begun yet, or dropped by the pump.
      const later = segments(reader).find((segment) => segment > reader.place.segment);
      if (later === undefined) return undefined;
      skipTo(reader, { segment: later, offset: 0 }, records);
      return openSegment(reader, records);
    }
    return reader.fd;
  };

  /** Cuts what was read into records; the start of an unfinished line stays as carry. */
  const cut = (reader: Reader, at: number, bytes: Buffer, records: Records) => {
    // A copy: records keep pointing into it while the chunk is read into again.
    const text = Buffer.concat([reader.carry, bytes]);
    let from = 0;
    for (;;) {
      const newline = text.indexOf(10, from);
      const end = newline < 0 ? text.length : newline;
      for (; end - from > LONGEST_TEXT_BYTES; from += LONGEST_TEXT_BYTES)
        put(reader, at, text.subarray(from, from + LONGEST_TEXT_BYTES), 'P', records);
      if (newline < 0) break;
      put(reader, at, text.subarray(from, newline), 'F', records);
      from = newline + 1;
    }
    reader.carry = Buffer.from(text.subarray(from));
    advance(reader, from);
  };

  /** Asked before reading: there is a next one, or this one was dropped already, later ones being there. */
  const isSegmentComplete = (reader: Reader): boolean => {
    const { segment } = reader.place;
    return existsSync(segmentPath(reader, segment + 1)) || !existsSync(segmentPath(reader, segment));
  };

  const readSome = (reader: Reader, records: Records): boolean => {
    const fd = openSegment(reader, records);
    if (fd === undefined) return false;
    const isComplete = isSegmentComplete(reader);
    const read = readSync(fd, chunk, 0, CHUNK_BYTES, reader.place.offset);
    if (read === 0) {
      if (isComplete) moveOn(reader);
      return isComplete;
    }
    // The time it was written, as near as the file knows: it may have waited for an agent.
    const at = Math.floor(Math.min(clock.now(), fstatSync(fd).mtimeMs));
    reader.place = { segment: reader.place.segment, offset: reader.place.offset + read };
    reader.taken += read;
    cut(reader, at, chunk.subarray(0, read), records);
    return true;
  };

  /** To `tailBytes` before the end, when there is more than that. */
  const skipToTail = (reader: Reader, tailBytes: number, records: Records) => {
    let left = tailBytes;
    for (const segment of segments(reader).reverse()) {
      if (segment < reader.place.segment) return;
      const size = statSync(segmentPath(reader, segment), { throwIfNoEntry: false })?.size ?? 0;
      const offset = Math.max(0, size - left);
      const isBehind = segment > reader.place.segment || offset > reader.place.offset;
      if (size >= left) return isBehind ? skipTo(reader, { segment, offset }, records) : undefined;
      left -= size;
    }
  };

  /**
   * In a flood, a backlog that as log would be longer than all the log kept is skipped: it would be rotated away before
   * anybody could read it. `growth` is log bytes per raw byte.
   */
  const keepUp = (reader: Reader, growth: number, records: Records) => {
    const backlog = segments(reader)
      .filter((segment) => segment >= reader.place.segment)
      .reduce(
        (sum, segment) =>
          sum + (statSync(segmentPath(reader, segment), { throwIfNoEntry: false })?.size ?? 0),
        0,
      );
    if ((backlog - reader.place.offset) * growth > 2 * LOG_FILE_BYTES)
      skipToTail(reader, Math.floor(LOG_FILE_BYTES / growth), records);
  };

  const end = (reader: Reader, records: Records) => {
    if (reader.carry.length > 0) put(reader, clock.now(), reader.carry, 'P', records);
    reader.carry = Buffer.alloc(0);
    reader.start = reader.place;
    reader.passed = [];
    reader.ended = true;
    closeSegment(reader);
  };

  const consume = (reader: Reader, records: Records): OutputState => {
    if (reader.ended) return 'ended';
    // Looked for before reading: what was written before the mark is then surely read.
    const isLast = existsSync(endPath(reader));
    const before = reader.taken;
    while (readSome(reader, records)) {
      if (records.bytes <= TURN_BYTES) continue;
      keepUp(reader, records.bytes / Math.max(1, reader.taken - before), records);
      return 'more';
    }
    if (!isLast) return 'idle';
    end(reader, records);
    return 'ended';
  };

  const commit = (reader: Reader, first: number, records: Records) => {
    if (records.bytes > 0) log.append(Buffer.concat(records.parts));
    if (records.bytes > 0 || reader.start.segment > first) note();
    for (let segment = first; segment < reader.start.segment; segment += 1)
      rmSync(segmentPath(reader, segment), { force: true });
  };

  const step = (reader: Reader, take: (records: Records) => OutputState): OutputState => {
    const first = reader.start.segment;
    const records: Records = { parts: [], bytes: 0 };
    const state = take(records);
    commit(reader, first, records);
    return state;
  };

  const turn = (): OutputState => {
    if (closed) return 'ended';
    const states = readers.map((reader) => step(reader, (records) => consume(reader, records)));
    return states.find((state) => state === 'more') ?? states.find((state) => state === 'idle') ?? 'ended';
  };

  const schedule = (delayMs: number) => {
    if (closed || cancelTimer !== undefined) return;
    const run = () => {
      cancelTimer = undefined;
      if (turn() === 'more') schedule(FLOOD_PAUSE_MS);
    };
    cancelTimer = clock.setTimer(delayMs, run, { unref: true });
  };

  note();
  return {
    nudge: () => schedule(GATHER_MS),
    turn,
    finish() {
      for (const reader of readers) {
        if (closed || reader.ended) continue;
        step(reader, (records) => {
          skipToTail(reader, TAIL_BYTES, records);
          while (readSome(reader, records));
          end(reader, records);
          return 'ended';
        });
      }
    },
    onLine(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      if (closed) return;
      closed = true;
      cancelTimer?.();
      for (const reader of readers) closeSegment(reader);
      closeSync(noteFd);
      log.close();
    },
  };
}
