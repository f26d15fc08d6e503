import type { LogLine } from '../../model/life.ts';

/** Lines as they were written. Control characters are shown as what they are, never obeyed. */
export function LogTail({ lines }: { lines: readonly LogLine[] }) {
  if (lines.length === 0) return <p class="faint">It wrote nothing.</p>;
  return (
    <pre class="log">
      {lines.map((line, index) => (
        <span key={`${index}-${line.at}`} class={line.stream}>
          {visible(line.text)}
          {'\n'}
        </span>
      ))}
    </pre>
  );
}

// Escape codes become their pictures (U+2400…), marks that reorder text become their names: what is read is what was written.
export function visible(text: string): string {
  return text
    .replace(/[\x00-\x08\x0b-\x1f]/g, (character) => String.fromCharCode(0x2400 + character.charCodeAt(0)))
    .replace(/\x7f/g, '\u2421')
    .replace(
      /[\u202a-\u202e\u2066-\u2069\u200e\u200f]/g,
      (character) => `<U+${character.charCodeAt(0).toString(16).toUpperCase()}>`,
    );
}
