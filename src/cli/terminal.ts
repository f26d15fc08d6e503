// Text from pods reaches terminals: without this a log line could move the cursor, rewrite the screen or type commands.
// C0 but tab, DEL, C1, line separators, and the bidirectional controls that reorder what is read.
const UNPRINTABLE = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** One line of hostile text, harmless to a terminal: control characters are shown as `\x1b` and the like. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.charCodeAt(0);
    return code < 256
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** Several lines, each made printable. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** JSON that means the same and is harmless to a terminal: what JSON itself leaves unescaped is escaped as well. */
export function printableJson(value: unknown, indent: number): string {
  return JSON.stringify(value, null, indent).replace(UNPRINTABLE, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
