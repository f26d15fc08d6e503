import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';

/**
 * The text of a file; `-` is standard input, however slowly it comes: a pipe is read as a stream, because reading at once
 * what another program has yet to write fails with EAGAIN. Rejects as the file system says.
 */
export function inputText(path: string): Promise<string> {
  return path === '-' ? text(process.stdin) : readFile(path, 'utf8');
}
