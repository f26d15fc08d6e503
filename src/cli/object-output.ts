import { InvalidArgumentError } from 'commander';
import { stringify } from 'yaml';
import { findJsonPath, type JsonPathTemplate, printJsonPath, textOf } from './json-path.ts';
import { parseJsonPath, parseRelaxedPath } from './json-path-parser.ts';
import { printableJson, printableLines } from './terminal.ts';

/** How objects are printed: `-o` of `get` and `rollout history`. */
export type ObjectOutput =
  | { readonly kind: 'table'; readonly wide: boolean }
  | { readonly kind: 'json' | 'yaml' | 'name' }
  | { readonly kind: 'jsonpath' | 'jsonpath-as-json'; readonly template: JsonPathTemplate }
  | { readonly kind: 'custom-columns'; readonly columns: readonly CustomColumn[] };

export interface CustomColumn {
  readonly head: string;
  readonly path: JsonPathTemplate;
}

export const OUTPUT_CHOICES =
  'json, yaml, wide, name, jsonpath=TEMPLATE, jsonpath-as-json=TEMPLATE, custom-columns=HEAD:.PATH,…';

/** @throws InvalidArgumentError for what is none of them. Source: k8s.io/cli-runtime/pkg/genericclioptions */
export function parseOutput(text: string): ObjectOutput {
  // As kubectl, `-o=json` is `-o json`.
  const [word, ...rest] = text.replace(/^=/, '').split('=');
  const argument = rest.join('=');
  if (rest.length === 0) {
    if (word === 'wide') return { kind: 'table', wide: true };
    if (word === 'json' || word === 'yaml' || word === 'name') return { kind: word };
  } else if (argument !== '') {
    if (word === 'jsonpath' || word === 'jsonpath-as-json')
      return { kind: word, template: parseJsonPath(argument) };
    if (word === 'custom-columns') return { kind: word, columns: argument.split(',').map(parseColumn) };
  }
  throw new InvalidArgumentError(`Allowed choices are ${OUTPUT_CHOICES}.`);
}

function parseColumn(text: string): CustomColumn {
  const colon = text.indexOf(':');
  if (colon < 1 || colon === text.length - 1)
    throw new InvalidArgumentError(`"${text}" is no column; write HEAD:.PATH, such as NAME:.metadata.name`);
  return { head: text.slice(0, colon), path: parseRelaxedPath(text.slice(colon + 1)) };
}

/** An object as a whole, as asked for; undefined where it is asked for in rows or by name. */
export function wholeText(output: ObjectOutput, object: unknown, isTty: boolean): string | undefined {
  switch (output.kind) {
    case 'json':
      return `${printableJson(object, 4)}\n`;
    case 'yaml':
      return printableLines(stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }));
    case 'jsonpath': {
      const text = printJsonPath(output.template, object);
      return isTty ? printableLines(text) : text;
    }
    case 'jsonpath-as-json':
      return `${printableJson(findJsonPath(output.template, object), 4)}\n`;
    default:
      return undefined;
  }
}

/** What a custom column shows of an object. Source: kubectl/pkg/cmd/get/customcolumn.go */
export function cellOf({ path }: CustomColumn, object: unknown): string {
  const found = findJsonPath(path, object);
  if (found.length === 0) return '<none>';
  return found.map(textOf).join(',');
}

/** By what a path leads to in each: numbers as numbers, nothing first. Source: kubectl/pkg/cmd/get/sorter.go */
export function sortedBy<Item>(items: readonly Item[], path: JsonPathTemplate): readonly Item[] {
  const keyed = items.map((item) => ({ item, key: findJsonPath(path, item)[0] }));
  return keyed.sort((a, b) => compare(a.key, b.key)).map(({ item }) => item);
}

function compare(a: unknown, b: unknown): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [String(a), String(b)];
  return left < right ? -1 : Number(left > right);
}
