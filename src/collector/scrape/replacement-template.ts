import type { RE2JS } from 're2js';

type Match = ReturnType<RE2JS['matcher']>;

const REFERENCE = /\$(?:\$|([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})/gu;

/**
 * `$1`, `${1}`, `$name`, `${name}` and `$$` of Go's regexp.Expand: the longest name counts, a group that does not
 * exist or did not match is empty, any other `$` stands for itself.
 */
export function compileTemplate(template: string, regex: RE2JS): (match: Match) => string {
  const parts: (string | number)[] = [];
  let at = 0;
  for (const reference of template.matchAll(REFERENCE)) {
    parts.push(template.slice(at, reference.index));
    const name = reference[1] ?? reference[2];
    parts.push(name === undefined ? '$' : groupOf(name, regex));
    at = reference.index + reference[0].length;
  }
  parts.push(template.slice(at));
  return (match) => {
    let text = '';
    for (const part of parts) text += typeof part === 'string' ? part : (match.group(part) ?? '');
    return text;
  };
}

/** The number of a group, or the empty text that a group that does not exist stands for. */
function groupOf(name: string, regex: RE2JS): number | string {
  const number = /^(?:0|[1-9]\d{0,7})$/.test(name) ? Number(name) : regex.namedGroups()[name];
  return number === undefined || number > regex.groupCount() ? '' : number;
}
