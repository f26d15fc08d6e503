import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { rotatedName } from '../log-reader.ts';

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
