import { closeSync, fstatSync, openSync, readSync, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { LogLine } from '../../../../model/life.ts';
import type { Clock } from '../../../../util/clock.ts';
import { parseCriLine } from '../cri-line.ts';

const CHUNK_BYTES = 64 * 1024;
/** For file systems without watches, and what a watch may miss. */
const LOOK_MS = 250;
/** A line longer than this is not one of conmon's. */
const MOST_LINE_BYTES = 1024 * 1024;

/**
 * Tells the lines that come to a CRI log from now on, also when the writer begins it anew. Resolves when `until` does;
 * what was written up to then has been told.
 */
export async function followLogFile(
  path: string,
  clock: Clock,
  onLine: (line: LogLine) => void,
  until: Promise<unknown>,
): Promise<void> {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let inode = statSync(path, { throwIfNoEntry: false })?.ino;
  let position = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  let rest: Buffer = Buffer.alloc(0);

  const take = (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes]);
    let from = 0;
    for (let feed = rest.indexOf(10); feed >= 0; feed = rest.indexOf(10, from)) {
      const line = parseCriLine(rest.toString('utf8', from, feed));
      if (line !== undefined) onLine(line);
      from = feed + 1;
    }
    rest = rest.length - from > MOST_LINE_BYTES ? Buffer.alloc(0) : Buffer.from(rest.subarray(from));
  };

  const read = () => {
    let fd: number;
    try {
      fd = openSync(path, 'r');
    } catch {
      return;
    }
    try {
      const { ino, size } = fstatSync(fd);
      if (ino !== inode || size < position) {
        position = 0;
        rest = Buffer.alloc(0);
      }
      inode = ino;
      for (;;) {
        const length = readSync(fd, chunk, 0, CHUNK_BYTES, position);
        if (length === 0) return;
        position += length;
        take(chunk.subarray(0, length));
      }
    } finally {
      closeSync(fd);
    }
  };

  let cancel: () => void = () => undefined;
  const look = () => {
    read();
    cancel = clock.setTimer(LOOK_MS, look, { unref: true });
  };
  const watcher = (() => {
    try {
      return watch(dirname(path), read).on('error', () => undefined);
    } catch {
      return undefined;
    }
  })();
  look();
  try {
    await until;
  } finally {
    cancel();
    watcher?.close();
    read();
  }
}
