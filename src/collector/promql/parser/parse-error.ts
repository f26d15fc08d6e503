import { CodedError } from '../../../util/coded-error.ts';

/** `line:column` of offset `at` (code units) in `text`; both from 1, columns in UTF-8 bytes as Prometheus counts. */
export function lineAndColumn(text: string, at: number): string {
  const before = text.slice(0, at);
  const lines = before.split('\n');
  return `${lines.length}:${Buffer.byteLength(lines.at(-1)!) + 1}`;
}

/** A mistake in a PromQL text at offset `at`: `1:5: parse error: unexpected <op:+>`. Code `QUERY_PARSE`, status 400. */
export function parseError(text: string, at: number, message: string): CodedError {
  const place = text === '' ? 'unknown position' : lineAndColumn(text, at);
  return new CodedError('QUERY_PARSE', `${place}: parse error: ${message}`, { status: 400 });
}

/** Thrown inside the parser, which alone knows the whole text. */
export class Mistake extends Error {
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}
