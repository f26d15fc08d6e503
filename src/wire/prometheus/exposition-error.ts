import { CodedError } from '../../util/coded-error.ts';

/** What a target exposed cannot be read: names the line, what stands there and what should. */
export function expositionError(text: string, at: number, expected: string): CodedError {
  let line = 1;
  for (let i = text.indexOf('\n'); i >= 0 && i < at; i = text.indexOf('\n', i + 1)) line += 1;
  const end = text.indexOf('\n', at);
  const found = text.slice(at, Math.min(end < 0 ? text.length : end, at + 40));
  return new CodedError(
    'EXPOSITION_INVALID',
    `line ${line}: expected ${expected}, found ${found === '' ? 'its end' : JSON.stringify(found)}`,
    { status: 400 },
  );
}
