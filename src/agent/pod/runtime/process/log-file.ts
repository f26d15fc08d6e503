import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { LogLine } from '../../../../model/life.ts';
import type { LogOptions } from '../runtime.ts';
import { parseCriLine } from './cri-line.ts';

/** A log is rotated at this size, and one older file is kept: the kubelet's containerLogMaxSize. */
export const LOG_FILE_BYTES = 10 * 1024 * 1024;

/** Which file, by inode, and how much of it counts. */
export interface LogPosition {
  readonly inode: number;
  readonly length: number;
}

/** A container's log file, open for appending. */
export interface LogFile {
  append(records: Buffer): void;
  position(): LogPosition;
  close(): void;
}

const rotatedName = (path: string) => `${path}.1`;

const inodeOf = (path: string) => (existsSync(path) ? statSync(path).ino : undefined);

/**
 * Puts the log back to where `position` says it was: what an agent wrote and did not account for before it was killed
 * is cut, because it will be written again.
 */
function restore(path: string, position: LogPosition): void {
  const rotated = rotatedName(path);
  if (inodeOf(path) !== position.inode) {
    // Killed between a rotation and its note: the file meant is the rotated one.
    if (inodeOf(rotated) !== position.inode) return;
    renameSync(rotated, path);
  }
  truncateSync(path, position.length);
}

/** Opens (or makes) the log at `path`; `resume` is where an earlier agent stopped. */
export function openLogFile(path: string, resume?: LogPosition): LogFile {
  mkdirSync(dirname(path), { recursive: true });
  if (resume !== undefined) restore(path, resume);
  let fd = openSync(path, 'a', 0o640);
  let { ino, size } = fstatSync(fd);
  if (resume === undefined && size > 0) {
    ftruncateSync(fd);
    size = 0;
  }
  const rotate = () => {
    closeSync(fd);
    renameSync(path, rotatedName(path));
    fd = openSync(path, 'a', 0o640);
    ino = fstatSync(fd).ino;
    size = 0;
  };
  return {
    append(records) {
      if (size > 0 && size + records.length > LOG_FILE_BYTES) rotate();
      for (let done = 0; done < records.length; ) done += writeSync(fd, records, done);
      size += records.length;
    },
    position: () => ({ inode: ino, length: size }),
    close: () => closeSync(fd),
  };
}

const CHUNK_BYTES = 256 * 1024;

/** The complete lines of a file from its end backwards. */
function* linesBackwards(path: string): Generator<string> {
  if (!existsSync(path)) return;
  const fd = openSync(path, 'r');
  try {
    let end = fstatSync(fd).size;
    let rest: Buffer = Buffer.alloc(0);
    while (end > 0) {
      const length = Math.min(CHUNK_BYTES, end);
      const chunk = Buffer.alloc(length);
      readSync(fd, chunk, 0, length, end - length);
      end -= length;
      const text = Buffer.concat([chunk, rest]);
      const first = end === 0 ? -1 : text.indexOf(10);
      rest = end === 0 ? Buffer.alloc(0) : text.subarray(0, first + 1);
      const lines = text
        .subarray(first + 1)
        .toString('utf8')
        .split('\n');
      for (let index = lines.length - 1; index >= 0; index -= 1) if (lines[index] !== '') yield lines[index]!;
    }
  } finally {
    closeSync(fd);
  }
}

/** Lines returned when nobody says how many: what one rotated file holds at most is far more than anybody reads. */
const MOST_LINES = 100_000;

/** Lines of one life from its log files, oldest first. */
export function readLogFile(path: string, options: LogOptions): readonly LogLine[] {
  const most = Math.min(options.tail ?? MOST_LINES, MOST_LINES);
  const lines: LogLine[] = [];
  for (const file of [path, rotatedName(path)]) {
    for (const text of linesBackwards(file)) {
      if (lines.length >= most) return lines.reverse();
      const line = parseCriLine(text);
      if (line === undefined) continue;
      if (options.sinceMs !== undefined && line.at < options.sinceMs) return lines.reverse();
      lines.push(line);
    }
  }
  return lines.reverse();
}
