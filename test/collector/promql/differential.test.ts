import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { resultJson } from '../../../src/collector/api/prometheus-json.ts';
import { exprJson } from '../../../src/collector/api/prometheus-tree.ts';
import { createEngine } from '../../../src/collector/promql/engine.ts';
import { parseExpr } from '../../../src/collector/promql/parse-expr.ts';
import { prettyExpr } from '../../../src/collector/promql/print-expr.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { messageOf } from '../../../src/util/coded-error.ts';
import { fixtures, missing } from '../../support/parts.ts';
import { type RealPrometheus, startPrometheus, startPrometheusWith } from '../../support/prometheus.ts';
import { parseScript } from '../../support/promqltest/script.ts';
import { createRandom, freshSeed } from '../../support/random.ts';
import { randomQuery, randomSeries, toWritten } from '../../support/random-promql.ts';
import { createSampleStore } from '../../support/sample-store.ts';
import { writtenText } from '../../support/written-text.ts';

// The oracle is Prometheus 3.5; the notation and the semantics are those of 3.14. What changed between them is left
// out of the comparison, and each place says so.

interface Answer {
  readonly status: 'success' | 'error';
  readonly error?: string;
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
  readonly data?: { readonly result: readonly AnswerSeries[] };
}
interface AnswerSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string];
  readonly values?: readonly (readonly [number, string])[];
}

const START_MS = 1_700_000_000_000;
/** More of them: `PODVITALS_QUERIES=100000`. */
const QUERIES = Number(process.env.PODVITALS_QUERIES ?? 300);
const FLAGS = ['--enable-feature=promql-experimental-functions'];

describe.skipIf(missing('prometheus', 'promtool'))('random queries have the answers of Prometheus', () => {
  const seed = freshSeed();
  const random = createRandom(seed);
  const series = randomSeries(random, START_MS, 200);
  const store = createSampleStore();
  for (const { labels, samples } of series) store.append(labels, samples);
  const engine = createEngine({ querier: () => store.querier, clock: systemClock, experimental: true });
  let prometheus: RealPrometheus;

  beforeAll(async () => {
    prometheus = await startPrometheusWith(toWritten(series), FLAGS);
  });
  afterAll(() => prometheus.stop());

  async function ask(
    query: string,
    range: { startMs: number; endMs: number; stepMs: number } | null,
    atMs: number,
  ) {
    const ours: Answer = await (range === null
      ? engine.query(query, atMs)
      : engine.queryRange(query, range)
    ).then(
      (result) => JSON.parse(writtenText(resultJson(result))) as Answer,
      (error: unknown) => ({ status: 'error', error: messageOf(error) }),
    );
    const theirs =
      range === null
        ? await prometheus.get('/api/v1/query', { query, time: String(atMs / 1000) })
        : await prometheus.get('/api/v1/query_range', {
            query,
            start: String(range.startMs / 1000),
            end: String(range.endMs / 1000),
            step: String(range.stepMs / 1000),
          });
    return { ours, theirs: theirs as Answer };
  }

  it(
    `${QUERIES} of them, seed ${seed}`,
    async () => {
      const wrong: string[] = [];
      let answered = 0;
      for (let i = 0; i < QUERIES; i += 1) {
        const query = randomQuery(random, random.integer(1, 3));
        const atMs = START_MS + random.integer(0, 3_300_000);
        const stepMs = random.pick([15_000, 37_000, 60_000]);
        const endMs = atMs + stepMs * random.integer(0, 20);
        const range = random.chance(0.5) ? { startMs: atMs, endMs, stepMs } : null;
        const { ours, theirs } = await ask(query, range, atMs);
        const complaint = difference(query, ours, theirs, range !== null);
        if (complaint !== undefined) wrong.push(`${query} ${JSON.stringify(range ?? atMs)}: ${complaint}`);
        if (ours.status === 'success') answered += 1;
      }
      expect(wrong, `seed ${seed}`).toEqual([]);
      expect(answered).toBeGreaterThan(QUERIES / 2);
    },
    Math.max(120_000, QUERIES * 400),
  );
});

function difference(query: string, ours: Answer, theirs: Answer, isRange: boolean): string | undefined {
  if (ours.status !== theirs.status)
    return isNewerStatus(query, ours, theirs)
      ? undefined
      : `${ours.status} ${ours.error}, theirs ${theirs.status} ${theirs.error}`;
  if (ours.status === 'error') {
    const [a, b] = [comparableError(ours.error!), comparableError(theirs.error!)];
    // 3.6 (#16725): a parameter that is no number is told as such.
    if (a === 'Parameter value is NaN' && b === 'Scalar value NaN overflows int64') return undefined;
    // Where several operands match badly, the one met first is told; Prometheus goes through its map of groups.
    const both = [a, b].every((message) => /duplicate series|multiple matches/.test(message));
    return a === b || both || isNewerStatus(query, ours, theirs) ? undefined : `error ${a}, theirs ${b}`;
  }
  const [a, b] = [comparableRemarks(ours), comparableRemarks(theirs)];
  if (a !== b) return `remarks ${a}, theirs ${b}`;
  return resultDifference(query, ours.data!.result, theirs.data!.result, isRange);
}

/** Where versions after 3.5 refuse, also before something else, or no longer refuse, by their changelog. */
function isNewerStatus(query: string, ours: Answer, theirs: Answer): boolean {
  if (ours.status === 'error') {
    // 3.9 (#17668): several matches are refused also where a comparison would filter them out.
    if (/^multiple matches/.test(ours.error!)) return /[=!<>]/.test(query);
    // 3.6 (#16725): a parameter is looked at as a whole, and before what it is for, so also where that is nothing.
    return /^Parameter value is NaN$|^Scalar value .* (?:over|under)flows int64$/.test(ours.error!);
  }
  // 3.9 (#17703, #17708): series that get the same labels may follow one another.
  return (
    /vector cannot contain metrics with the same labelset/.test(theirs.error!) &&
    /label_(?:replace|join)|-\s*\(/.test(query)
  );
}

/** The API puts the parameter before; which of several duplicates is named depends on the order of a map. */
const comparableError = (message: string) =>
  message
    .replace(/for the match group .*\]/, '')
    .replace(/^invalid parameter "query": /, '')
    // 3.7 (#16996, #17031): the place of what follows an aggregation or `end()`.
    .replace(/^1:\d+: (parse error: (?:comparisons between scalars|bool modifier))/, '$1');

function comparableRemarks({ warnings = [], infos = [] }: Answer): string {
  const comparable = [...warnings, ...infos]
    // 3.12 (#18498): sorting what is sorted by labels anyway is warned of.
    .filter((remark) => !remark.includes('sort is ineffective'))
    .map((remark) =>
      remark
        // 3.10 (#15578): what of buckets was corrected is told.
        .replace(/(fixed for monotonicity).*(\(\d+:\d+\))$/, '$1 $2')
        // 3.7 (#16794): of buckets the name is told only where names go late.
        .replace(/((?:bucket label|monotonicity).*) for metric name ".*" (?=\(\d+:\d+\)$)/, '$1 '),
    );
  return [...new Set(comparable)].sort().join('; ');
}

// Go's and JavaScript's mathematics differ in the last place of these, and so does what follows from them.
const TRANSCENDENTAL = /\b(?:exp|a?(?:sin|cos|tan)h?|atan2)\b|\^/;
// An angle that grew beyond all measure has lost the digits that tell where on the circle it is.
const ADRIFT = /\b(?:sin|cos|tan)\(.*(?:\b(?:tan|sinh|cosh|exp)\(|\^)/;
// Over a range Prometheus sums up what was computed in the order of a map, so in any.
const SUMS = /\b(?:sum|avg|stddev|stdvar) (?:by|without)|\b(?:sum|avg|stddev|stdvar)\(/;

function resultDifference(
  query: string,
  ours: readonly AnswerSeries[],
  theirs: readonly AnswerSeries[],
  isRange: boolean,
): string | undefined {
  const keyOf = ({ metric }: AnswerSeries) => JSON.stringify(Object.entries(metric ?? {}).sort());
  const inexact = TRANSCENDENTAL.test(query) || (isRange && SUMS.test(query));
  // How much of the spread of large numbers, such as times, survives depends on the order of the sum.
  const tolerance = !inexact ? 0 : isRange && /stddev|stdvar/.test(query) ? 1e-5 : 1e-9;
  // Of equal values topk and bottomk keep those met first: over a range, and of buckets and counts, in the order of a map.
  if (/^(?:topk|bottomk)/.test(query) && (isRange || /histogram_|count_values/.test(query))) {
    const [a, b] = [valuesByTime(ours), valuesByTime(theirs)];
    return a === b ? undefined : `values ${a}, theirs ${b}`;
  }
  const [a, b] = [ours.map(keyOf), theirs.map(keyOf)];
  // What comes out of a map has no order either, and so does what a subquery works out.
  const isOrdered =
    isRange ||
    (/^(?:sort|topk|bottomk)/.test(query) && !inexact && !/histogram_|count_values|\[\w+:/.test(query));
  // Of an empty label and another, its natural order says of neither that it comes first.
  const label = /^sort_by.*"(\w+)", "job"\)$/.exec(query)?.[1];
  const isDefined = label === undefined || ours.every(({ metric }) => metric[label] && metric.job);
  if (isOrdered && (isRange || isDefined) && a.join() !== b.join())
    return `series ${a.join()}, theirs ${b.join()}`;
  const wanted = new Map(theirs.map((one) => [keyOf(one), one]));
  for (const one of ours) {
    const other = wanted.get(keyOf(one));
    if (other === undefined) return `extra ${keyOf(one)}`;
    wanted.delete(keyOf(one));
    const [a, b] = [one.values ?? [one.value!], other.values ?? [other.value!]];
    if (a.length !== b.length) return `${keyOf(one)}: ${a.length} points, theirs ${b.length}`;
    const isSame = (v: string, k: number) => ADRIFT.test(query) || isClose(v, b[k]![1], tolerance);
    const i = a.findIndex(([t, v], k) => t !== b[k]![0] || !isSame(v, k));
    if (i >= 0) return `${keyOf(one)}: ${a[i]}, theirs ${b[i]}`;
  }
  for (const key of wanted.keys()) return `missing ${key}`;
  return undefined;
}

/** The values at each time by size, whichever series have them. */
function valuesByTime(all: readonly AnswerSeries[]): string {
  const round = (value: string) => String(Number(Number(value).toPrecision(9)));
  const points = all.flatMap(({ value, values }) => values ?? [value!]).map(([t, v]) => `${t} ${round(v)}`);
  return points.sort().join();
}

function isClose(a: string, b: string, tolerance: number): boolean {
  if (a === b) return true;
  const [x, y] = [Number(a), Number(b)];
  return Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(x), Math.abs(y));
}

describe.skipIf(missing('prometheus'))('parsing agrees with Prometheus', () => {
  let prometheus: RealPrometheus;

  beforeAll(async () => {
    prometheus = await startPrometheus('', ['--enable-feature=promql-experimental-functions']);
  });
  afterAll(() => prometheus.stop());

  const parameter = (error: unknown) => `invalid parameter "query": ${messageOf(error)}`;

  /** Undefined where both read the same tree and print it the same, or both refuse. */
  async function compare(query: string): Promise<string | undefined> {
    const tree = (await prometheus.get('/api/v1/parse_query', { query })) as {
      status: string;
      data: unknown;
      error: string;
    };
    let ours: { readonly tree: unknown; readonly pretty: string };
    try {
      const expr = parseExpr(query, { experimental: true });
      ours = { tree: JSON.parse(JSON.stringify(exprJson(expr))), pretty: prettyExpr(expr) };
    } catch (error) {
      return tree.status === 'error' ? undefined : `we refuse: ${parameter(error)}`;
    }
    if (tree.status === 'error') return isNewer(tree.error) ? undefined : `they refuse: ${tree.error}`;
    const format = (await prometheus.get('/api/v1/format_query', { query })) as { data: string };
    // What is no UTF-8 cannot travel as JSON.
    if (!query.includes('\\x')) expect(ours.tree, query).toEqual(tree.data);
    return ours.pretty === format.data ? undefined : `we print ${ours.pretty}, they ${format.data}`;
  }

  /** Functions that came after 3.5, and start() and end() as functions. */
  const isNewer = (error: string) =>
    /unknown function with name "(?:first_over_time|ts_of_\w+|histogram_quantiles|start_timestamp|range|step|m(?:in|ax)_of)"/.test(
      error,
    ) || /unexpected "\("$/.test(error);

  it.skipIf(fixtures === undefined)(
    'on every expression of the fixtures',
    async () => {
      const wrong: string[] = [];
      for (const query of fixtureExpressions()) {
        const complaint = await compare(query);
        if (complaint !== undefined) wrong.push(`${query}: ${complaint}`);
      }
      expect(wrong).toEqual([]);
    },
    120_000,
  );

  it('on what the grammar reads otherwise', async () => {
    for (const query of [
      'a / b offset 5m',
      'a + b @ 10 * c',
      '-1 ^ 2',
      '2.',
      'offset',
      'a[5m] offset 1m @ 5',
      'a-b:c{d!~"e"}',
    ]) {
      expect(await compare(query), query).toBeUndefined();
    }
  });

  const mistakes = [
    'a +',
    'a{',
    'a{b}',
    'a{b=}',
    'a{b="c" d="e"}',
    'sum(',
    'sum by a',
    'sum by (',
    'sum(a b)',
    'a[',
    'a[5m',
    'a b',
    '(a',
    'a)',
    'a}',
    '"a',
    'rate(a[5m],)',
    'rate()',
    'foo(a)',
    '{}',
    'a{a=~"("}',
    'a and 1',
    '1 > 2',
    'a + bool b',
    'topk(a)',
    'topk(1,2)',
    'count_values(1,a)',
    'a[5m][5m]',
    '(a)[5m]',
    'a[5m] offset 1m offset 2m',
    'a @ 1 @ 2',
    'a[0]',
    'a offset 1m[5m]',
    '"a" + 1',
    '-"a"',
    'a[5m] + 1',
    'round(a,1,2)',
    '1 offset 5m',
    'sum(a)[5m]',
    'a + on b c',
    '1 + on(a) 2',
  ];
  for (const query of mistakes) {
    it(`in the words for ${query}`, async () => {
      const { error } = (await prometheus.get('/api/v1/parse_query', { query })) as { error: string };
      expect(() => parseExpr(query)).toThrowError(error.replace('invalid parameter "query": ', ''));
    });
  }
});

function fixtureExpressions(): ReadonlySet<string> {
  const all = new Set<string>();
  const suite = join(fixtures!, 'promqltest');
  for (const file of readdirSync(suite)) {
    for (const command of parseScript(readFileSync(join(suite, file), 'utf8'))) {
      if (command.kind === 'eval') all.add(command.expr);
    }
  }
  for (const file of ['prometheus_alerts.yaml', 'prometheus_rules.yaml']) {
    const { groups } = parseYaml(readFileSync(join(fixtures!, 'mixin', file), 'utf8')) as {
      groups: { rules: { expr: string }[] }[];
    };
    for (const { rules } of groups) for (const { expr } of rules) all.add(String(expr));
  }
  return all;
}
