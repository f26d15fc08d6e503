import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import type { LogLine } from '../../../model/life.ts';
import { parseCriLine } from './cri-line.ts';
import type { LogOptions } from './runtime.ts';

/** Where a log goes that has grown too long; whoever has only one file has none such. */
export const rotatedName = (path: string) => `${path}.1`;

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
