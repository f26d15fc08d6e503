import type { LogLine } from '../../model/life.ts';

/** The newest of these lines that have at most `characters` together: reading them all for secrets takes time. */
export function newestWithin(lines: readonly LogLine[], characters: number): readonly LogLine[] {
  let left = characters;
  let from = lines.length;
  while (from > 0 && left >= lines[from - 1]!.text.length) {
    from -= 1;
    left -= lines[from]!.text.length;
  }
  return lines.slice(from);
}
