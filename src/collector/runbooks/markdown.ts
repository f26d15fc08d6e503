// What a terminal would act on, or what reorders what is read: shown as \x1b, \u202e.
const UNPRINTABLE =
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const ENTITIES: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;' };

/** One line of hostile text without what a terminal or a reader's eye would take for something else. */
export function visible(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.charCodeAt(0);
    return code < 256
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/**
 * Hostile text as Markdown that shows exactly that text, on one line: no emphasis, code, link, image, table, heading,
 * list or HTML comes of it. `_` between letters means nothing in Markdown and stays readable.
 */
export function markdown(text: string): string {
  return visible(text.replace(/\r?\n/g, ' '))
    .replace(/[\\`*{}[\]()#!|~@$"']/g, '\\$&')
    .replace(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\_')
    .replace(/:\/\//g, '\\://')
    .replace(/\bwww\./gi, 'www\\.')
    .replace(/[<>&]/g, (character) => ENTITIES[character]!)
    .replace(/^(\s*)([-+=]|\d+(?=[.)]))/, (_, blanks: string, mark: string) =>
      /\d/.test(mark) ? `${blanks}${mark}` : `${blanks}\\${mark}`,
    )
    .replace(/^(\s*\d+)([.)])/, '$1\\$2');
}

/** Hostile text as a code span. */
export function codeSpan(text: string): string {
  const line = visible(text.replace(/\r?\n/g, ' '));
  const fence = '`'.repeat(longestRun(line) + 1);
  const blank = /^[`\s]|[`\s]$/.test(line) || line === '' ? ' ' : '';
  return `${fence}${blank}${line}${blank}${fence}`;
}

/** Lines of hostile text as a fenced block that none of them can close. */
export function codeBlock(lines: readonly string[], language = ''): string {
  const shown = lines.flatMap((line) => line.split(/\r?\n/)).map(visible);
  const fence = '`'.repeat(Math.max(3, ...shown.map((line) => longestRun(line) + 1)));
  return [`${fence}${language}`, ...shown, fence].join('\n');
}

const longestRun = (text: string) => Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
