import { parseDuration } from '../../../src/collector/promql/parser/number-literal.ts';
import { unquote } from '../../../src/collector/promql/parser/string-literal.ts';
import {
  parseLabels,
  parseSeriesLine,
  type SeriesLine,
} from '../../../src/collector/promql/series-notation.ts';

/** What a `.test` file says, in order. `line` counts from 1. Grammar: prometheus/promql/promqltest/README.md */
export type Command = { readonly kind: 'clear'; readonly line: number } | LoadCommand | EvalCommand;

export interface LoadCommand {
  readonly kind: 'load';
  readonly line: number;
  readonly stepMs: number;
  /** Classic histograms are also loaded as native ones with custom buckets. */
  readonly withNativeHistograms: boolean;
  readonly series: readonly SeriesLine[];
  /** Says when counters began, which is experimental. */
  readonly hasStartTimes: boolean;
}

export type ExpectedText =
  | { readonly kind: 'any' }
  | { readonly kind: 'msg' | 'regex'; readonly text: string };
export type Directive = 'ordered' | 'fail' | 'warn' | 'no_warn' | 'info' | 'no_info';

export interface EvalCommand {
  readonly kind: 'eval';
  readonly line: number;
  readonly expr: string;
  readonly range: { readonly startMs: number; readonly endMs: number; readonly stepMs: number } | null;
  /** Of an evaluation at one time. */
  readonly atMs: number;
  readonly directives: ReadonlyMap<Directive, readonly ExpectedText[]>;
  readonly expected: Expected;
}

export type Expected =
  | { readonly kind: 'series'; readonly rows: readonly SeriesLine[] }
  | { readonly kind: 'scalar'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | {
      readonly kind: 'range-vector';
      readonly startMs: number;
      readonly stepMs: number;
      readonly rows: readonly SeriesLine[];
    };

const LOAD = /^load(?:_(with_nhcb))?\s+(\S+)$/;
const INSTANT = /^eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(.+?))?\s+(.+)$/;
const RANGE = /^eval(?:_(fail|warn|info))?\s+range\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+?)\s+(.+)$/;
const RANGE_VECTOR = /^expect range vector\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+)$/;
/** As older files say it. */
const OLD_FAILURE = /^expected_fail_(message|regexp)\s+(.+)$/;
const EXPECT = /^expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):\s*(.+))?$/;

/** Reads a file. @throws Error with the line where it cannot */
export function parseScript(text: string): Command[] {
  const lines = text.split('\n').map((line) => line.trim().replace(/^#.*/, ''));
  const commands: Command[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const head = lines[at]!;
    if (head === '') continue;
    const line = at + 1;
    try {
      if (/^clear(\s|$)/i.test(head)) {
        commands.push({ kind: 'clear', line });
        continue;
      }
      const body: string[] = [];
      while (at + 1 < lines.length && lines[at + 1] !== '') body.push(lines[++at]!);
      if (/^load/i.test(head)) commands.push(parseLoad(head, body, line));
      else if (/^eval/i.test(head)) {
        const { command, used } = parseEval(head, body, line);
        commands.push(command);
        // A bare number ends the block, whatever follows it.
        at -= body.length - used;
      } else throw new Error(`unknown command ${JSON.stringify(head)}`);
    } catch (error) {
      throw new Error(`line ${line}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return commands;
}

function duration(text: string): number {
  const milliseconds = parseDuration(text.trim());
  if (milliseconds === undefined) throw new Error(`bad duration ${JSON.stringify(text)}`);
  return milliseconds;
}

function parseLoad(head: string, body: readonly string[], line: number): LoadCommand {
  const match = LOAD.exec(head);
  if (match === null) throw new Error(`bad load command ${JSON.stringify(head)}`);
  const isStartLine = (text: string) => parseLabels(text).rest.startsWith('@st');
  return {
    kind: 'load',
    line,
    stepMs: duration(match[2]!),
    withNativeHistograms: match[1] !== undefined,
    series: body.filter((text) => !isStartLine(text)).map(parseSeriesLine),
    hasStartTimes: body.some(isStartLine),
  };
}

function parseEval(
  head: string,
  body: readonly string[],
  line: number,
): { command: EvalCommand; used: number } {
  const instant = INSTANT.exec(head);
  const range = instant === null ? RANGE.exec(head) : null;
  if (instant === null && range === null) throw new Error(`bad eval command ${JSON.stringify(head)}`);
  const old = (instant ?? range)![1] as Directive | undefined;
  const directives = new Map<Directive, ExpectedText[]>();
  if (old !== undefined) directives.set(old, [{ kind: 'any' }]);
  const results = parseResults(body, directives);
  const expected = results.expected;
  const command: EvalCommand = {
    kind: 'eval',
    line,
    expr: (instant?.[3] ?? range?.[5])!,
    range:
      range === null
        ? null
        : { startMs: duration(range[2]!), endMs: duration(range[3]!), stepMs: duration(range[4]!) },
    atMs: results.atMs ?? (instant === null ? 0 : duration(instant[2] ?? '')),
    directives,
    expected,
  };
  return { command, used: results.used };
}

function parseResults(
  body: readonly string[],
  directives: Map<Directive, ExpectedText[]>,
): { expected: Expected; used: number; atMs?: number } {
  const rows: SeriesLine[] = [];
  let matrix: { startMs: number; endMs: number; stepMs: number } | undefined;
  let string: string | undefined;
  for (const [i, text] of body.entries()) {
    const range = RANGE_VECTOR.exec(text);
    const old = OLD_FAILURE.exec(text);
    if (range !== null) {
      matrix = { startMs: duration(range[1]!), endMs: duration(range[2]!), stepMs: duration(range[3]!) };
    } else if (old !== null) {
      directives.set('fail', [{ kind: old[1] === 'message' ? 'msg' : 'regex', text: old[2]!.trim() }]);
    } else if (text.startsWith('expect string ')) {
      string = unquote(text.slice('expect string '.length), 0);
    } else if (/^expect(\s|$)/.test(text)) {
      const [, directive, kind, rest] = EXPECT.exec(text) ?? [];
      if (directive === undefined) throw new Error(`bad expectation ${JSON.stringify(text)}`);
      const texts = directives.get(directive as Directive) ?? [];
      texts.push(
        kind === undefined ? { kind: 'any' } : { kind: kind as 'msg' | 'regex', text: rest!.trim() },
      );
      directives.set(directive as Directive, texts);
    } else {
      const value = parseScalar(text);
      if (value !== undefined) return { expected: { kind: 'scalar', value }, used: i + 1 };
      rows.push(parseSeriesLine(text));
    }
  }
  const used = body.length;
  if (string !== undefined) return { expected: { kind: 'string', value: string }, used };
  if (matrix === undefined) return { expected: { kind: 'series', rows }, used };
  return { expected: { kind: 'range-vector', ...matrix, rows }, used, atMs: matrix.endMs };
}

const SCALAR =
  /^[+-]?(?:inf|infinity|nan|0x[0-9a-f_]+|[0-9][0-9_]*\.?[0-9]*(?:e[+-]?[0-9]+)?|\.[0-9]+(?:e[+-]?[0-9]+)?)$/i;

/** A number as Go reads it: base 0 as an integer first, so that `010` is 8. */
function parseScalar(text: string): number | undefined {
  if (!SCALAR.test(text)) return undefined;
  const sign = text[0] === '-' ? -1 : 1;
  const word = text.replace(/^[+-]/, '').replaceAll('_', '').toLowerCase();
  if (word.startsWith('inf')) return sign * Number.POSITIVE_INFINITY;
  if (/^0[0-7]+$/.test(word)) return sign * Number.parseInt(word, 8);
  return sign * Number(word === 'nan' ? Number.NaN : word);
}
