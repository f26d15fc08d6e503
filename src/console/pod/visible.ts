/**
 * A line as something to read: control characters become their pictures (U+2400 and on), marks that reorder text
 * become their names. What is seen is what was written.
 */
export function visible(text: string): string {
  return text
    .replace(/[\x00-\x08\x0b-\x1f]/g, (character) => String.fromCharCode(0x2400 + character.charCodeAt(0)))
    .replace(/\x7f/g, '\u2421')
    .replace(
      /[\u202a-\u202e\u2066-\u2069\u200e\u200f]/g,
      (character) => `<U+${character.charCodeAt(0).toString(16).toUpperCase()}>`,
    );
}
