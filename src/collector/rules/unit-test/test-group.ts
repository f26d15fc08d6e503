import { type Label, type Labels, toLabels } from '../../../model/labels.ts';
import type { QueryValue } from '../../../model/query-result.ts';
import type { RuleGroup } from '../../../model/rule-group.ts';
import type { Clock } from '../../../util/clock.ts';
import { messageOf } from '../../../util/coded-error.ts';
import { createEngine, type Engine } from '../../promql/engine.ts';
import { formatDuration, quote } from '../../promql/go-format.ts';
import { parseLabels } from '../../promql/series-notation.ts';
import type { KeyValue } from '../../storage/storage.ts';
import { createGroupEvaluation, type GroupEvaluation } from '../group-evaluation.ts';
import { printSpan } from '../template/value.ts';
import { inAlertOrder, inOrder, sameAlerts, sameSamples } from './expected.ts';
import { createInputSeries } from './input-series.ts';
import { type AlertFacts, describeAlerts, describeSamples, type SampleFacts } from './report.ts';
import { createSampleMemory } from './sample-memory.ts';
import type { ExprTest, TestGroup } from './test-file.ts';

export interface TestSettings {
  /** In the order of their evaluation. */
  readonly groups: readonly RuleGroup[];
  readonly evaluationIntervalMs: number;
  readonly fuzzy: boolean;
  readonly clock: Clock;
}

const forgets: KeyValue = {
  get: () => undefined,
  set: () => Promise.resolve(),
  delete: () => Promise.resolve(),
  entries: () => [],
};

/**
 * Runs one test group: rules are evaluated every interval from the start to the last time anything is asked for,
 * alerts compared as time passes, expressions at the end. Gives what went wrong, as promtool words it.
 */
export async function runTestGroup(test: TestGroup, settings: TestSettings): Promise<readonly string[]> {
  const startMs = test.start_timestamp ?? 0;
  const nameless = test.alert_rule_test.find(({ alertname }) => alertname === '');
  if (nameless !== undefined) {
    const place = test.name === '' ? '' : ` (in TestGroup ${test.name})`;
    const at = formatDuration(nameless.eval_time);
    return [`an item under alert_rule_test misses required attribute alertname at eval_time ${at}${place}`];
  }
  const memory = createSampleMemory();
  let input: ReturnType<typeof createInputSeries>;
  try {
    input = createInputSeries(test, startMs, test.interval || settings.evaluationIntervalMs, memory);
  } catch (error) {
    return [messageOf(error)];
  }
  const engine = createEngine({
    querier: () => memory.querier,
    clock: settings.clock,
    subqueryStepMs: settings.evaluationIntervalMs,
  });
  const groups = settings.groups.map((group) =>
    createGroupEvaluation(group, settings.evaluationIntervalMs, {
      query: engine.query,
      appender: () => memory.appender,
      keyValue: forgets,
      clock: settings.clock,
      externalLabels: toLabels(test.external_labels ?? {}),
      externalUrl: test.external_url,
      findSilence: async () => () => undefined,
      writesMissed: false,
    }),
  );
  const failures: string[] = [];
  const lastMs = Math.max(
    0,
    ...[...test.alert_rule_test, ...test.promql_expr_test].map((one) => one.eval_time),
  );
  const never = new AbortController().signal;
  for (let at = 0; at <= lastMs; at += settings.evaluationIntervalMs) {
    input.load(startMs + at);
    for (const group of groups) await group.evaluate(startMs + at, never);
    const broken = groups.flatMap((group) => ruleErrors(group, at));
    if (broken.length > 0) return [...failures, ...broken];
    const due = test.alert_rule_test
      .filter(({ eval_time: asked }) => asked >= at && asked < at + settings.evaluationIntervalMs)
      .sort((a, b) => a.eval_time - b.eval_time);
    for (const one of due) failures.push(...alertFailures(one, test.name, groups));
  }
  for (const one of test.promql_expr_test) {
    const why = await exprFailure(one, startMs, engine, settings.fuzzy);
    if (why !== undefined) {
      failures.push(`    expr: ${quote(one.expr)}, time: ${formatDuration(one.eval_time)},${why}`);
    }
  }
  return failures;
}

function ruleErrors(group: GroupEvaluation, atMs: number): string[] {
  return group
    .errors()
    .map(([name, why]) => `    rule: ${name}, time: ${printSpan(atMs * 1e6)}, err: ${why}`);
}

function alertFailures(
  one: TestGroup['alert_rule_test'][number],
  testName: string,
  groups: readonly GroupEvaluation[],
): string[] {
  const got = inAlertOrder(groups.flatMap((group) => firing(group, one.alertname)));
  const expected = inAlertOrder(
    one.exp_alerts.map((alert) => ({
      labels: sorted({ ...alert?.exp_labels, alertname: one.alertname }),
      annotations: sorted(alert?.exp_annotations ?? {}),
    })),
  );
  if (sameAlerts(expected, got)) return [];
  const name = testName === '' ? '' : `    name: ${testName},\n`;
  const place = `${name}    alertname: ${one.alertname}, time: ${formatDuration(one.eval_time)}, `;
  return [`${place}\n        exp:${describeAlerts(expected)}, \n        got:${describeAlerts(got)}`];
}

function firing(group: GroupEvaluation, alertname: string): AlertFacts[] {
  if (!group.group.rules.some((rule) => rule.kind === 'alerting' && rule.alert === alertname)) return [];
  return group
    .state()
    .rules.flatMap(({ rule, alerts }) => (rule.kind === 'alerting' && rule.alert === alertname ? alerts : []))
    .filter(({ state }) => state === 'firing')
    .map(({ labels, annotations }) => ({ labels, annotations }));
}

/** As they are written: an expected label that is empty is still expected. */
function sorted(written: Readonly<Record<string, string>>): Labels {
  return (Object.entries(written) as Label[]).sort(([a], [b]) => (a < b ? -1 : 1));
}

async function exprFailure(
  one: ExprTest,
  startMs: number,
  engine: Engine,
  fuzzy: boolean,
): Promise<string | undefined> {
  let got: readonly SampleFacts[];
  let expected: readonly SampleFacts[];
  try {
    got = inOrder(samplesOf((await engine.query(one.expr, startMs + one.eval_time)).value));
    expected = inOrder(one.exp_samples.map(expectedSample));
  } catch (error) {
    return ` err: ${messageOf(error)}`;
  }
  if (sameSamples(expected, got, fuzzy)) return undefined;
  return `\n        exp: ${describeSamples(expected)}\n        got: ${describeSamples(got)}`;
}

function samplesOf(value: QueryValue): SampleFacts[] {
  if (value.type === 'scalar') return [{ labels: [], value: value.v }];
  if (value.type === 'vector') return value.samples.map(({ labels, v }) => ({ labels, value: v }));
  throw new Error('rule result is not a vector or scalar');
}

function expectedSample({ labels, value, histogram }: ExprTest['exp_samples'][number]): SampleFacts {
  if (histogram !== '') throw new Error('native histograms are not supported yet; expect floats');
  if (labels.trim() === '') return { labels: [], value };
  try {
    const parsed = parseLabels(labels.trim());
    if (parsed.rest.trim() !== '') throw new Error(`unexpected ${JSON.stringify(parsed.rest)}`);
    return { labels: parsed.labels, value };
  } catch (error) {
    throw new Error(`labels ${quote(labels)}: parse error: ${messageOf(error)}`, { cause: error });
  }
}
