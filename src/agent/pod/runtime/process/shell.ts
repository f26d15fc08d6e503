import { CodedError } from '../../../../util/coded-error.ts';

/** One word for a POSIX shell, whatever it holds. A NUL cannot be part of any argument: it is refused. */
export function quote(word: string): string {
  if (word.includes('\0')) {
    throw new CodedError(
      'CreateContainerError',
      `a NUL byte in ${JSON.stringify(word.slice(0, 80))} cannot be part of a command`,
    );
  }
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

export const quoteAll = (words: readonly string[]) => words.map(quote).join(' ');
