import { type Label, type Labels, toLabels } from '../../model/labels.ts';
import { parseNumber } from './parser/number-literal.ts';
import { unquote } from './parser/string-literal.ts';

/**
 * The notation of series in promqltest and in unit tests of rules: `up{job="a"} 1 2+3x4 _ stale`.
 * Source: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series
 */

/** One entry of a series' values: a float, a gap, the end of the series, or a native histogram (not read). */
export type Entry = number | 'gap' | 'stale' | 'histogram';

export interface SeriesLine {
  readonly labels: Labels;
  readonly entries: readonly Entry[];
}

const NAME = /^[A-Za-z_:][A-Za-z0-9_:]*/;
const MATCH =
  /^\s*(?:([A-Za-z_][A-Za-z0-9_]*)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`))\s*(?:=\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`))?\s*(,?)/;

/** `metric{label="value"} 1 2+3x4 _ stale`. @throws Error saying what is wrong */
export function parseSeriesLine(line: string): SeriesLine {
  const { labels, rest } = parseLabels(line);
  return { labels, entries: parseEntries(rest) };
}

/** The labels a line starts with, and what follows them. */
export function parseLabels(line: string): { readonly labels: Labels; readonly rest: string } {
  const pairs: Label[] = [];
  const name = NAME.exec(line)?.[0] ?? '';
  if (name !== '') pairs.push(['__name__', name]);
  let rest = line.slice(name.length);
  if (!rest.startsWith('{') || rest.startsWith('{{')) {
    if (name === '') throw new Error(`no series in ${JSON.stringify(line)}`);
    return { labels: toLabels(pairs), rest };
  }
  rest = rest.slice(1);
  while (!/^\s*\}/.test(rest)) {
    const match = MATCH.exec(rest);
    if (match === null || (match[1] !== undefined && match[3] === undefined)) {
      throw new Error(`bad labels in ${JSON.stringify(line)}`);
    }
    const [all, bare, quoted, value, comma] = match;
    if (comma === '' && !/^\s*\}/.test(rest.slice(all.length)))
      throw new Error(`bad labels in ${JSON.stringify(line)}`);
    const key = bare ?? unquote(quoted!, 0);
    pairs.push(value === undefined ? ['__name__', key] : [key, unquote(value, 0)]);
    rest = rest.slice(all.length);
  }
  return { labels: toLabels(pairs), rest: rest.replace(/^\s*\}/, '') };
}

const ITEMS = /\{\{.*?\}\}(?:[+-]\{\{.*?\}\})?(?:x\d+)?|\S+/g;
const VALUE =
  '(?:[+-]?(?:inf|nan|[0-9][0-9_]*\\.?[0-9]*(?:e[+-]?[0-9]+)?|\\.[0-9]+(?:e[+-]?[0-9]+)?)|[0-9]+(?:ms|[ywdhms])(?:[0-9]+(?:ms|[ywdhms]))*)';
const NUMBERS = new RegExp(`^(${VALUE})([+-]${VALUE})?(?:x([0-9]+))?$`, 'i');

/** A year of minutes and to spare; a slip of the finger must not cost the memory of the machine. */
const MOST_ENTRIES = 1_000_000;

function parseEntries(text: string): Entry[] {
  const entries: Entry[] = [];
  for (const [item] of text.matchAll(ITEMS)) {
    for (const entry of parseItem(item)) entries.push(entry);
    if (entries.length > MOST_ENTRIES) throw tooMany(item);
  }
  return entries;
}

const tooMany = (item: string): Error =>
  new Error(`${JSON.stringify(item)} makes more than ${MOST_ENTRIES} values of one series`);

function parseItem(item: string): Entry[] {
  const times = Number(/x(\d+)$/.exec(item)?.[1] ?? 0);
  if (times > MOST_ENTRIES) throw tooMany(item);
  if (/^_(x\d+)?$/.test(item)) return new Array<Entry>(item === '_' ? 1 : times).fill('gap');
  if (/^stale(x\d+)?$/.test(item)) return new Array<Entry>(times + 1).fill('stale');
  if (item.startsWith('{{')) return new Array<Entry>(times + 1).fill('histogram');
  const match = NUMBERS.exec(item);
  if (match === null) throw new Error(`bad values ${JSON.stringify(item)}`);
  const delta = match[2] === undefined ? 0 : parseSigned(match[2]);
  const entries: number[] = [];
  // By repeated addition, as the notation is defined.
  for (let value = parseSigned(match[1]!), i = 0; i <= times; i += 1, value += delta) entries.push(value);
  return entries;
}

function parseSigned(text: string): number {
  const sign = text[0] === '-' ? -1 : 1;
  return sign * parseNumber(/^[+-]/.test(text) ? text.slice(1) : text, 0).value;
}
