import { shellQuote } from '../../util/shell-quote.ts';
import { codeBlock } from './markdown.ts';

/** What the commands of a page are about; NAMESPACE, POD, CONTAINER, WORKLOAD, NODE, SLO. */
export type Names = Readonly<Record<string, string | undefined>>;

const NAME = /\$([A-Z]+)/g;

/**
 * A command of a template for a page: `$POD` and the like become the alert's own names, quoted for a POSIX shell, or
 * stay as shell variables where they are not known. Words that begin with a name come last; one that would look like a
 * flag then comes after `--`. A word with an unknown name beside known ones keeps the variable.
 */
export function command(template: string, names: Names): string {
  const words = template.split(' ').map((word) => toWord(word, names));
  return codeBlock([words.join(' ')], 'sh');
}

function toWord(word: string, names: Names): string {
  if (!word.includes('$')) return word;
  const unknown = [...word.matchAll(NAME)].some(([, name]) => names[name!] === undefined);
  if (unknown) return `"${word}"`;
  const value = word.replace(NAME, (_, name: string) => names[name]!);
  const quoted = shellQuote(value);
  return word.startsWith('$') && value.startsWith('-') ? `-- ${quoted}` : quoted;
}

/**
 * A PromQL query as a command, and below it what it answered, where that is known. Names become quoted strings of PromQL,
 * unknown ones stay words in capitals.
 */
export function query(template: string, names: Names, answer?: readonly string[]): string {
  const expression = template.replace(NAME, (_, name: string) => JSON.stringify(names[name] ?? name));
  const asked = codeBlock([`podvitals query ${shellQuote(expression)}`], 'sh');
  return answer === undefined ? asked : `${asked}\n\n${codeBlock(answer, 'text')}`;
}

/** The expression itself; undefined while a name in it is unknown. */
export function expressionOf(template: string, names: Names): string | undefined {
  const unknown = [...template.matchAll(NAME)].some(([, name]) => names[name!] === undefined);
  return unknown ? undefined : template.replace(NAME, (_, name: string) => JSON.stringify(names[name]));
}
