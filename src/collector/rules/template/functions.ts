import { RE2JS } from 're2js';
import { durationMs } from '../../../util/duration.ts';
import {
  humanize,
  humanize1024,
  humanizeDuration,
  humanizePercentage,
  humanizeTimestamp,
} from './humanize.ts';
import { print_, printf } from './printf.ts';
import {
  goType,
  isLabels,
  isList,
  isSample,
  isTrue,
  type QuerySample,
  TemplateError,
  toFloat,
  type Value,
} from './value.ts';

/** What functions reach beyond their arguments. */
export interface TemplateWorld {
  readonly externalUrl: string;
  readonly nowMs: number;
  /** Asks at the template's time; as samples. */
  query(expr: string): Promise<readonly QuerySample[]>;
}

type TemplateFunction = (args: readonly Value[], world: TemplateWorld) => Value | Promise<Value>;

interface Entry {
  readonly run: TemplateFunction;
  readonly least: number;
  readonly most: number;
}

const entry = (least: number, most: number, run: TemplateFunction): Entry => ({ run, least, most });
const ofFloat = (run: (value: number) => Value) => entry(1, 1, ([value]) => run(toFloat(value)));
const ofText = (run: (value: string) => Value) => entry(1, 1, ([value]) => run(text(value)));
const joined = (run: (value: string) => string) =>
  entry(0, Number.POSITIVE_INFINITY, (args) => run(print_(args)));

/** Every function a rule's template may call: Prometheus' own and text/template's. */
const FUNCTIONS: ReadonlyMap<string, Entry> = new Map<string, Entry>([
  ['query', entry(1, 1, ([expr], world) => world.query(text(expr)))],
  ['first', entry(1, 1, ([list]) => firstOf(list))],
  ['label', entry(2, 2, ([name, of]) => sample(of).labels.entries[text(name)] ?? '')],
  ['value', entry(1, 1, ([of]) => sample(of).value)],
  ['strvalue', entry(1, 1, ([of]) => sample(of).labels.entries.__value__ ?? '')],
  ['sortByLabel', entry(2, 2, ([name, list]) => sortByLabel(text(name), list))],
  ['args', entry(0, 100, (args) => argumentMap(args))],
  ['match', entry(2, 2, ([pattern, of]) => regex(text(pattern)).matcher(text(of)).find())],
  ['reReplaceAll', entry(3, 3, ([pattern, by, of]) => replaceAll(text(pattern), text(by), text(of)))],
  [
    'title',
    // Go's strings.Title: a word begins after any ASCII character that is no letter, digit or underscore.
    ofText((of) =>
      of.replace(
        /(^|\s|[\x00-\x2f:-@[-^`{-\x7f])(\p{Ll})/gu,
        (_, before, letter) => before + letter.toUpperCase(),
      ),
    ),
  ],
  ['toUpper', ofText((of) => of.toUpperCase())],
  ['toLower', ofText((of) => of.toLowerCase())],
  ['stripPort', ofText(stripPort)],
  ['stripDomain', ofText(stripDomain)],
  ['graphLink', ofText((expr) => `/graph?g0.expr=${queryEscape(expr)}&g0.tab=0`)],
  ['tableLink', ofText((expr) => `/graph?g0.expr=${queryEscape(expr)}&g0.tab=1`)],
  ['safeHtml', ofText((of) => of)],
  ['humanize', ofFloat(humanize)],
  ['humanize1024', ofFloat(humanize1024)],
  ['humanizeDuration', ofFloat(humanizeDuration)],
  ['humanizePercentage', ofFloat(humanizePercentage)],
  ['humanizeTimestamp', ofFloat(humanizeTimestamp)],
  ['toTime', ofFloat((seconds) => ({ kind: 'instant', ms: seconds * 1000 }))],
  ['toDuration', ofFloat((seconds) => ({ kind: 'span', nanoseconds: seconds * 1e9 }))],
  ['now', entry(0, 0, (_, world) => world.nowMs / 1000)],
  ['parseDuration', ofText(parseDuration)],
  ['externalURL', entry(0, 0, (_, world) => world.externalUrl)],
  ['pathPrefix', entry(0, 0, (_, world) => pathOf(world.externalUrl))],
  ['and', entry(1, Number.POSITIVE_INFINITY, (args) => args.find((value) => !isTrue(value)) ?? args.at(-1))],
  ['or', entry(1, Number.POSITIVE_INFINITY, (args) => args.find(isTrue) ?? args.at(-1))],
  ['not', entry(1, 1, ([value]) => !isTrue(value))],
  ['len', entry(1, 1, ([of]) => BigInt(lengthOf(of)))],
  ['index', entry(1, 10, ([of, ...keys]) => keys.reduce(indexed, of))],
  ['slice', entry(1, 3, ([of, from, to]) => sliced(of, from, to))],
  ['print', joined((of) => of)],
  ['println', entry(0, Number.POSITIVE_INFINITY, (args) => `${args.map((of) => print_([of])).join(' ')}\n`)],
  ['printf', entry(1, Number.POSITIVE_INFINITY, ([format, ...args]) => printf(text(format), args))],
  ['urlquery', joined(queryEscape)],
  ['html', joined(escapeHtml)],
  ['js', joined(escapeJs)],
  ['eq', entry(2, Number.POSITIVE_INFINITY, ([a, ...rest]) => rest.some((b) => compare(a, b) === 0))],
  ['ne', entry(2, 2, ([a, b]) => compare(a, b) !== 0)],
  ['lt', entry(2, 2, ([a, b]) => compare(a, b) < 0)],
  ['le', entry(2, 2, ([a, b]) => compare(a, b) <= 0)],
  ['gt', entry(2, 2, ([a, b]) => compare(a, b) > 0)],
  ['ge', entry(2, 2, ([a, b]) => compare(a, b) >= 0)],
]);

export const isTemplateFunction = (name: string): boolean => FUNCTIONS.has(name);

/** @throws TemplateError for a wrong number or kind of arguments. */
export async function callFunction(
  name: string,
  args: readonly Value[],
  world: TemplateWorld,
): Promise<Value> {
  const found = FUNCTIONS.get(name);
  if (found === undefined) throw new TemplateError(`function "${name}" not defined`);
  if (args.length < found.least || args.length > found.most) {
    throw new TemplateError(
      `wrong number of args for ${name}: want ${found.least === found.most ? found.least : `at least ${found.least}`} got ${args.length}`,
    );
  }
  return found.run(args, world);
}

function pathOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname.replace(/\/$/, '') : '';
}

function text(value: Value): string {
  if (typeof value === 'string') return value;
  throw new TemplateError(`wrong type for value; expected string; got ${goType(value)}`);
}

function sample(value: Value): QuerySample {
  if (isSample(value)) return value;
  throw new TemplateError(`wrong type for value; expected *template.sample; got ${goType(value)}`);
}

function firstOf(list: Value): Value {
  if (!isList(list))
    throw new TemplateError(`wrong type for value; expected a query's result; got ${goType(list)}`);
  if (list.length === 0) throw new TemplateError('first() called on vector with no elements');
  return list[0];
}

function sortByLabel(name: string, list: Value): Value {
  if (!isList(list))
    throw new TemplateError(`wrong type for value; expected a query's result; got ${goType(list)}`);
  const key = (value: Value) => String(sample(value).labels.entries[name] ?? '');
  return [...list].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

function argumentMap(args: readonly Value[]): Value {
  const entries: Record<string, Value> = Object.create(null);
  args.forEach((value, index) => {
    entries[`arg${index}`] = value;
  });
  return { kind: 'labels', entries };
}

function regex(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    throw new TemplateError(
      `error parsing regexp: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

// Go expands $1, $name and ${name}; an unknown name is empty.
function replaceAll(pattern: string, by: string, of: string): string {
  const compiled = regex(pattern);
  const matcher = compiled.matcher(of);
  const names = compiled.namedGroups();
  let out = '';
  let at = 0;
  while (matcher.find()) {
    out += of.slice(at, matcher.start());
    out += by.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (whole, braced?: string, bare?: string) => {
      const name = braced ?? bare;
      if (name === undefined) return whole === '$$' ? '$' : whole;
      const group = /^\d+$/.test(name) ? Number(name) : names[name];
      return group === undefined || group > matcher.groupCount() ? '' : (matcher.group(group) ?? '');
    });
    at = matcher.end();
  }
  return out + of.slice(at);
}

function stripPort(host: string): string {
  return /^\[([^\]]*)\]:\d*$/.exec(host)?.[1] ?? /^([^:[\]]*):\d*$/.exec(host)?.[1] ?? host;
}

function stripDomain(hostPort: string): string {
  const host = stripPort(hostPort);
  if (host.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(host)) return hostPort;
  const port = hostPort.slice(host.length);
  return host.split('.')[0]! + port;
}

function parseDuration(of: string): number {
  const ms = durationMs(of);
  if (ms === undefined) throw new TemplateError(`not a valid duration string: ${JSON.stringify(of)}`);
  return ms / 1000;
}

/** Go's url.QueryEscape: a blank becomes `+`. */
function queryEscape(of: string): string {
  const escaped = encodeURIComponent(of.toWellFormed());
  return escaped
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}

const HTML: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
};

function escapeHtml(of: string): string {
  return of.replace(/["'&<>]/g, (char) => HTML[char]!);
}

/** Go's JSEscape: what could end a string or a script is escaped. */
function escapeJs(of: string): string {
  return of.replace(/[\\'"<>&=]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, (char) =>
    /[\\'"]/.test(char)
      ? `\\${char}`
      : `\\u${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`,
  );
}

function lengthOf(of: Value): number {
  if (typeof of === 'string') return Buffer.byteLength(of);
  if (isList(of)) return of.length;
  if (isLabels(of)) return Object.keys(of.entries).length;
  throw new TemplateError(`len of type ${goType(of)}`);
}

function indexed(of: Value, key: Value): Value {
  if (isLabels(of)) return of.entries[text(key)] ?? '';
  if (typeof key !== 'bigint') throw new TemplateError(`cannot index ${goType(of)} with type ${goType(key)}`);
  if (!isList(of)) throw new TemplateError(`can't index item of type ${goType(of)}`);
  if (key < 0n || key >= BigInt(of.length)) throw new TemplateError(`index out of range: ${key}`);
  return of[Number(key)];
}

function sliced(of: Value, from: Value, to: Value): Value {
  if (typeof of !== 'string' && !isList(of))
    throw new TemplateError(`can't slice item of type ${goType(of)}`);
  const end = to === undefined ? of.length : Number(toFloat(to));
  const start = from === undefined ? 0 : Number(toFloat(from));
  if (start < 0 || end > of.length || start > end) throw new TemplateError(`index out of range: ${end}`);
  return of.slice(start, end);
}

// Go compares like with like only; the numbers 1 and 1.0 are of two kinds.
function compare(a: Value, b: Value): number {
  if (typeof a !== typeof b || (typeof a === 'object' && a !== null)) {
    throw new TemplateError('incompatible types for comparison');
  }
  if (a === b) return 0;
  return (a as string) < (b as string) ? -1 : 1;
}
