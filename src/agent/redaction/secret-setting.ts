import { secretNameStrength } from './secret-name.ts';
import { REDACTED } from './secret-shape.ts';

// A name in quotes or not, then = : => or, for a flag, blanks: PASSWORD=x, "password": "x", password => x, --token x.
const SETTING =
  /(?<![\w.-])(-{0,2})(\\?["']?)([A-Za-z_][\w.-]{0,100})\2( {0,4}(?:=>|:=|[=:]) {0,4}| {1,4})(?=\S)/g;
// What stands after a name in sentences about secrets rather than in secrets.
const PROSE = new Set(
  `missing required invalid expired empty undefined null none nil not is are was has unexpected true false failed denied
  incorrect wrong must cannot could unauthorized set unset unknown error verification authentication authorization
  rejected revoked mismatch malformed unable bad no too the a an for of string got expected [redacted] *** ****
  bearer basic negotiate digest`.split(/\s+/),
);

/** Values of settings whose names sound secret, wherever a line sets them. */
export function redactSettings(line: string): string {
  let out = '';
  let position = 0;
  for (const match of line.matchAll(SETTING)) {
    const [whole, dashes, , name, separator] = match as unknown as [string, string, string, string, string];
    const start = match.index + whole.length;
    if (match.index < position || !isSetting(dashes, name, separator)) continue;
    const value = valueAt(line, start, /^(?:set-)?cookie$/i.test(name));
    if (
      value === undefined ||
      PROSE.has(
        line
          .slice(value.from, value.to)
          .toLowerCase()
          .replace(/[.:;!]+$/, ''),
      )
    ) {
      continue;
    }
    out += `${line.slice(position, value.from)}${REDACTED}`;
    position = value.to;
  }
  return out + line.slice(position);
}

function isSetting(dashes: string, name: string, separator: string): boolean {
  const isApart = separator.trim() === '';
  // Two words of a text: most of what is looked at.
  if (isApart && dashes === '') return false;
  const strength = secretNameStrength(name);
  if (strength === undefined) return false;
  if (isApart) return strength === 'strong';
  return strength === 'strong' || separator === '=';
}

/** Where the value begins and ends, without its quotes. `toEnd`: all the rest of the line. */
function valueAt(line: string, start: number, toEnd: boolean): { from: number; to: number } | undefined {
  if (toEnd) return { from: start, to: line.length };
  const quote = /^\\?["'`]/.exec(line.slice(start, start + 2))?.[0];
  if (quote !== undefined) {
    const from = start + quote.length;
    const to = closing(line, from, quote);
    return to === from ? undefined : { from, to };
  }
  const end = line.slice(start).search(/[\s,;&"'`<>(){}[\]]/);
  if (end === 0) return line[start] === '[' || line[start] === '{' ? undefined : undefined;
  return { from: start, to: end < 0 ? line.length : start + end };
}

/** The closing quote, or the end of the line; a backslash escapes in plain quotes. */
function closing(line: string, from: number, quote: string): number {
  if (quote.length === 2) {
    const at = line.indexOf(quote, from);
    return at < 0 ? line.length : at;
  }
  for (let at = from; at < line.length; at += 1) {
    if (line[at] === '\\') at += 1;
    else if (line[at] === quote) return at;
  }
  return line.length;
}
