import type { Engine } from '../../../src/collector/promql/engine.ts';
import type { Labels } from '../../../src/model/labels.ts';
import type { QueryResult, QueryValue } from '../../../src/model/query-result.ts';
import { listOf } from '../../../src/model/sample.ts';
import { messageOf } from '../../../src/util/coded-error.ts';
import type { SampleStore, TestSample } from '../sample-store.ts';
import { atVariations, type Variation } from './at-modifier.ts';
import { type Complaint, compareValue } from './compare.ts';
import { nativeSeries, needsNativeHistograms } from './native-histograms.ts';
import {
  type Command,
  type EvalCommand,
  type ExpectedText,
  type LoadCommand,
  parseScript,
} from './script.ts';

/** One `eval` of a file with all the executions derived from it. */
export interface Case {
  readonly line: number;
  readonly expr: string;
  /** Reads or expects native histograms. */
  readonly native: boolean;
  /** What went wrong; undefined is a pass, null is not run. */
  readonly complaint: Complaint | null;
}

export interface RunOptions {
  /** Which cases to run; all when left out. */
  readonly wants?: (command: EvalCommand, native: boolean) => boolean;
}

/**
 * Runs a file in the notation of promqltest. A file that cannot be read fails its cases: then there is one for each
 * line that looks like one.
 */
export async function runPromqlTest(
  text: string,
  engine: Engine,
  store: SampleStore,
  options: RunOptions = {},
): Promise<Case[]> {
  let commands: Command[];
  try {
    commands = parseScript(text);
  } catch (error) {
    return unreadable(text, messageOf(error));
  }
  const cases: Case[] = [];
  let native: Labels[] = [];
  store.clear();
  for (const command of commands) {
    if (command.kind === 'clear') {
      store.clear();
      native = [];
    } else if (command.kind === 'load') {
      load(command, store);
      native.push(...nativeSeries(command));
    } else {
      const reads = needsNativeHistograms(command, native);
      const wanted = options.wants?.(command, reads) ?? true;
      const complaint = wanted ? await check(command, engine) : null;
      cases.push({ line: command.line, expr: command.expr, native: reads, complaint });
    }
  }
  return cases;
}

function unreadable(text: string, why: string): Case[] {
  return text.split('\n').flatMap((line, i) => {
    if (!/^\s*eval/i.test(line)) return [];
    return [{ line: i + 1, expr: line.trim(), native: false, complaint: `the file cannot be read: ${why}` }];
  });
}

function load({ series, stepMs }: LoadCommand, store: SampleStore): void {
  for (const { labels, entries } of series) {
    const samples: TestSample[] = [];
    entries.forEach((entry, i) => {
      if (entry === 'stale' || typeof entry === 'number') samples.push({ t: i * stepMs, v: entry });
    });
    if (samples.length > 0) store.append(labels, samples);
  }
}

async function check(command: EvalCommand, engine: Engine): Promise<Complaint> {
  if (command.range !== null) {
    const { range } = command;
    return judge(command, command.expr, () => engine.queryRange(command.expr, range));
  }
  let variations: Variation[];
  try {
    variations = atVariations(command.expr, command.atMs);
  } catch (error) {
    if (!command.directives.has('fail')) return messageOf(error);
    variations = [];
  }
  for (const variation of [{ expr: command.expr, atMs: command.atMs }, ...variations]) {
    const complaint = await checkInstant(command, variation, engine);
    if (complaint !== undefined) return complaint;
  }
  return undefined;
}

async function checkInstant(
  command: EvalCommand,
  { expr, atMs }: Variation,
  engine: Engine,
): Promise<Complaint> {
  const complaint = await judge(command, `${expr} at ${atMs}`, () => engine.query(expr, atMs));
  if (complaint !== undefined || !hasRangeForm(command, expr)) return complaint;
  const range = { startMs: atMs - 60_000, endMs: atMs + 60_000, stepMs: 60_000 };
  try {
    const { value } = await engine.queryRange(expr, range);
    if (command.directives.has('ordered')) return undefined;
    const middle = middleOf(value, atMs, command.expected.kind === 'scalar');
    const wrong = compareValue(middle, command);
    return wrong === undefined ? undefined : `${expr} at ${atMs} in range mode: ${wrong}`;
  } catch (error) {
    return `${expr} at ${atMs} in range mode: ${messageOf(error)}`;
  }
}

/** The derived range query is left out where there is none, and where the range itself shows in the answer. */
function hasRangeForm({ directives, expected }: EvalCommand, expr: string): boolean {
  if (directives.has('fail') || /(?:start|end|range|step)\(\)/.test(expr)) return false;
  return expected.kind === 'series' || expected.kind === 'scalar';
}

function middleOf(value: QueryValue, atMs: number, asScalar: boolean): QueryValue {
  if (value.type !== 'matrix') throw new Error(`a range query gave a ${value.type}`);
  const samples = value.series.flatMap(({ labels, samples }) =>
    listOf(samples)
      .filter(({ t }) => t === atMs)
      .map((sample) => ({ labels, ...sample })),
  );
  return asScalar ? { type: 'scalar', t: atMs, v: samples[0]!.v } : { type: 'vector', samples };
}

async function judge(
  command: EvalCommand,
  what: string,
  ask: () => Promise<QueryResult>,
): Promise<Complaint> {
  const failure = command.directives.get('fail');
  let result: QueryResult;
  try {
    result = await ask();
  } catch (error) {
    const message = messageOf(error);
    if (failure === undefined) return `${what}: ${message}`;
    if (failure.every((text) => matchesText(text, message))) return undefined;
    return `${what}: failed with ${JSON.stringify(message)}, expected ${JSON.stringify(failure)}`;
  }
  if (failure !== undefined) return `${what}: expected to fail`;
  const complaint = compareAnnotations(command, result) ?? compareValue(result.value, command);
  return complaint === undefined ? undefined : `${what}: ${complaint}`;
}

function compareAnnotations({ directives }: EvalCommand, { warnings, infos }: QueryResult): Complaint {
  for (const [directive, found] of [
    ['warn', warnings],
    ['info', infos],
  ] as const) {
    const texts = directives.get(directive);
    if (texts !== undefined) {
      if (found.length === 0) return `expected ${directive} and there is none`;
      const missing = texts.find((text) => !found.some((message) => matchesText(text, message)));
      if (missing !== undefined)
        return `no ${directive} ${JSON.stringify(missing)} in ${JSON.stringify(found)}`;
      const extra = found.find((message) => !texts.some((text) => matchesText(text, message)));
      if (extra !== undefined) return `unexpected ${directive} ${JSON.stringify(extra)}`;
    }
    if (directives.has(`no_${directive}`) && found.length > 0)
      return `unexpected ${directive} ${found.join('; ')}`;
  }
  return undefined;
}

function matchesText(expected: ExpectedText, message: string): boolean {
  if (expected.kind === 'any') return true;
  return expected.kind === 'msg' ? message === expected.text : new RegExp(expected.text).test(message);
}
