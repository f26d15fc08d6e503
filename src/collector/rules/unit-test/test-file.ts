import { type Alias, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { z } from 'zod';
import { CodedError } from '../../../util/coded-error.ts';
import { durationMs } from '../../../util/duration.ts';

const text = z.string();
const duration = text.transform((written, context) => {
  const ms = durationMs(written);
  if (ms !== undefined) return ms;
  context.addIssue({ code: 'custom', message: `"${written}" is not a duration; write it like 30s or 5m` });
  return z.NEVER;
});
const NAMED: Readonly<Record<string, number>> = {
  '.nan': Number.NaN,
  '.inf': Number.POSITIVE_INFINITY,
  '+.inf': Number.POSITIVE_INFINITY,
  '-.inf': Number.NEGATIVE_INFINITY,
};
const float = text.transform((written, context) => {
  const value = NAMED[written.toLowerCase()] ?? Number(written.replaceAll('_', ''));
  if (written !== '' && (!Number.isNaN(value) || written.toLowerCase() === '.nan')) return value;
  context.addIssue({ code: 'custom', message: `"${written}" is not a number` });
  return z.NEVER;
});
const flag = z.enum(['true', 'false']).transform((written) => written === 'true');
const startTime = text.transform((written, context) => {
  const ms = /^-?\d+(\.\d+)?$/.test(written) ? Math.round(Number(written) * 1000) : Date.parse(written);
  if (Number.isSafeInteger(ms)) return ms;
  context.addIssue({ code: 'custom', message: `"${written}" is neither RFC 3339 nor Unix seconds` });
  return z.NEVER;
});
const texts = z.record(text, text);
// A key without a value is the same as no key, for a list or a map.
const optional = <T extends z.ZodType>(of: T) => of.nullish().transform((value) => value ?? undefined);
const listOf = <T extends z.ZodType>(of: T) =>
  z
    .array(of)
    .nullish()
    .transform((value) => value ?? []);

const expectedAlert = z.strictObject({ exp_labels: optional(texts), exp_annotations: optional(texts) });
const alertTest = z.strictObject({
  eval_time: duration.default(0),
  alertname: text.default(''),
  exp_alerts: listOf(expectedAlert.nullish()),
});
const expectedSample = z.strictObject({
  labels: text.default(''),
  value: float.default(0),
  histogram: text.default(''),
});
const exprTest = z.strictObject({
  expr: text.default(''),
  eval_time: duration.default(0),
  exp_samples: listOf(expectedSample),
});
const series = z.strictObject({ series: text.default(''), values: text.default('') });
const testGroup = z.strictObject({
  interval: optional(duration),
  input_series: listOf(series),
  alert_rule_test: listOf(alertTest),
  promql_expr_test: listOf(exprTest),
  external_labels: optional(texts),
  external_url: text.default(''),
  start_timestamp: optional(startTime),
  name: text.default(''),
});
const testFile = z.strictObject({
  rule_files: listOf(text),
  evaluation_interval: optional(duration),
  group_eval_order: listOf(text),
  fuzzy_compare: flag.default(false),
  tests: listOf(testGroup),
});

/** A file of unit tests under the names its authors write. Durations and times are milliseconds. */
export type TestFile = z.output<typeof testFile>;
export type TestGroup = TestFile['tests'][number];
export type ExprTest = TestGroup['promql_expr_test'][number];

/**
 * Reads a file in the format of `promtool test rules`.
 * @throws RULE_TEST_INVALID naming each place and what is wrong there.
 * Source: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
 */
export function parseTestFile(
  content: string,
  options: { readonly ignoreUnknownFields?: boolean } = {},
): TestFile {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines });
  const lineAt = (offset: number) => lines.linePos(offset).line;
  if (document.errors.length > 0) {
    const [error] = document.errors;
    throw invalid([`line ${lineAt(error!.pos[0])}: ${error!.message.split('\n')[0]}`]);
  }
  const written = plain(document.contents, (node) => plain(node.resolve(document) ?? null, () => null)) ?? {};
  const parsed = testFile.safeParse(written);
  if (parsed.success) return checked(parsed.data);
  const lineOf = (path: readonly PropertyKey[]): number => {
    const node = document.getIn(path, true) as Node | undefined;
    return lineAt(node?.range?.[0] ?? 0);
  };
  const unknown = parsed.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [],
  );
  const others = parsed.error.issues.filter((issue) => issue.code !== 'unrecognized_keys');
  if (options.ignoreUnknownFields && others.length === 0) {
    for (const path of unknown) remove(written, path);
    return checked(testFile.parse(written));
  }
  throw invalid([
    ...(options.ignoreUnknownFields ? [] : unknown).map(
      (path) => `line ${lineOf(path)}: field ${String(path.at(-1))} not found in type ${typeAt(path)}`,
    ),
    ...others.map(({ path, message }) => `line ${lineOf(path)}: ${path.join('.')}: ${message}`),
  ]);
}

function checked(file: TestFile): TestFile {
  const seen = new Set<string>();
  for (const name of file.group_eval_order) {
    if (seen.has(name)) throw invalidFile(`group name repeated in evaluation order: ${name}`);
    seen.add(name);
  }
  if (file.evaluation_interval === 0) throw invalidFile('evaluation_interval must be more than 0');
  return file;
}

const invalidFile = (message: string) => new CodedError('RULE_TEST_INVALID', message, { status: 422 });
const invalid = (problems: readonly string[]) =>
  invalidFile(`yaml: unmarshal errors:\n  ${problems.join('\n  ')}`);

/** What promtool calls the place a field stands in. */
function typeAt(path: readonly PropertyKey[]): string {
  const parent = path.slice(0, -1).findLast((step) => typeof step === 'string');
  const names: Readonly<Record<string, string>> = {
    tests: 'testGroup',
    input_series: 'series',
    alert_rule_test: 'alertTestCase',
    promql_expr_test: 'promqlTestCase',
    exp_alerts: 'alert',
    exp_samples: 'sample',
  };
  return (parent === undefined ? undefined : names[String(parent)]) ?? 'unitTestFile';
}

function remove(from: unknown, path: readonly PropertyKey[]): void {
  let at = from as Record<PropertyKey, unknown>;
  for (const step of path.slice(0, -1)) at = at[step] as Record<PropertyKey, unknown>;
  delete at[path.at(-1)!];
}

/**
 * Maps, lists, and texts as they are spelt: `values: 0x10` is a text of the series notation, no number. An alias is
 * resolved once and no further, so that aliases of aliases cannot grow without bound.
 */
function plain(node: unknown, ofAlias: (node: Alias) => unknown): unknown {
  if (isAlias(node)) return ofAlias(node);
  if (isSeq(node)) return node.items.map((item) => plain(item, ofAlias));
  if (isMap(node)) {
    const out: Record<string, unknown> = Object.create(null);
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? (typeof key.value === 'string' ? key.value : (key.source ?? '')) : '';
      const inner = plain(value, ofAlias);
      if (inner !== null || !isScalar(value)) out[name] = inner;
    }
    return out;
  }
  if (!isScalar(node) || node.value === null) return null;
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
}
