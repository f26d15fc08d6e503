import { CodedError } from '../../util/coded-error.ts';

const MOST_SHOWN = 40;
const MOST_BYTES_A_UNIT = 4;
const NEWLINE = 10;

/** What a target exposed cannot be read: names the line, what stands there and what should. */
export function expositionError(bytes: Uint8Array, at: number, expected: string): CodedError {
  let line = 1;
  for (let i = bytes.indexOf(NEWLINE); i >= 0 && i < at; i = bytes.indexOf(NEWLINE, i + 1)) line += 1;
  const end = bytes.indexOf(NEWLINE, at);
  const to = Math.min(end < 0 ? bytes.length : end, at + MOST_SHOWN * MOST_BYTES_A_UNIT);
  const found = textOf(bytes, at, Math.max(at, to)).slice(0, MOST_SHOWN);
  return new CodedError(
    'EXPOSITION_INVALID',
    `line ${line}: expected ${expected}, found ${found === '' ? 'its end' : JSON.stringify(found)}`,
    { status: 400 },
  );
}

export const textOf = (bytes: Uint8Array, from: number, to: number) =>
  Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8');
