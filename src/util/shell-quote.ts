// Plain words need no quotes. A leading dash is not the shell's business, but a leading ~ is.
const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;
// What a terminal would act on or reorder: C0, DEL, C1, line separators, bidirectional controls, zero width.
const UNPRINTABLE =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]/u;

/**
 * One word of a POSIX shell that means exactly `word`, always on one line and without control characters: plain, in
 * single quotes, or by `printf %b` where the word holds what a terminal would act on. NUL, which no word can hold,
 * and newlines at the end, which `$(…)` drops, are lost. Example: shellQuote("it's") is `'it'\''s'`.
 * Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02
 */
export function shellQuote(word: string): string {
  if (PLAIN.test(word)) return word;
  if (!UNPRINTABLE.test(word)) return `'${word.replaceAll("'", "'\\''")}'`;
  const bytes = Buffer.from(word.replaceAll('\u0000', ''), 'utf8');
  return `"$(printf '%b' '${[...bytes].map(toPrintfByte).join('')}')"`;
}

function toPrintfByte(byte: number): string {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9_@%+=:,./ -]/.test(character) ? character : `\\0${byte.toString(8).padStart(3, '0')}`;
}
