/**
 * A line as something to read: control characters become their pictures (U+2400 and on), C1 controls and marks that
 * reorder text become their names. What is seen is what was written.
 */
export function visible(text: string): string {
  return text
    .replace(/[\x00-\x08\x0b-\x1f]/g, (character) => String.fromCharCode(0x2400 + character.charCodeAt(0)))
    .replace(/\x7f/g, '\u2421')
    .replace(
      /[\u0080-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
      (character) => `<U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}>`,
    );
}
