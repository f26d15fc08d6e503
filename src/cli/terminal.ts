// Text from pods reaches terminals: without this a log line could move the cursor, rewrite the screen or type commands.
// C0 but tab, DEL, C1, and the bidirectional controls that reorder what is read.
const UNPRINTABLE = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

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
