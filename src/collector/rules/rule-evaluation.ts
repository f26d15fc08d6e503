import type { Alert } from '../../model/alert.ts';
import { type Labels, labelsKey, METRIC_NAME, toLabels } from '../../model/labels.ts';
import type { Query, QueryValue, VectorSample } from '../../model/query-result.ts';
import type { AlertingRule, RecordingRule, Rule, RuleGroup } from '../../model/rule-group.ts';
import { CodedError } from '../../util/coded-error.ts';
import { othersFirst } from '../promql/evaluation/turn.ts';
import { type ActiveAlerts, advanceAlerts } from './active-alerts.ts';
import type { AlertMemory } from './alert-memory.ts';
import { alertOutcomes, type TemplateSurroundings } from './alert-outcomes.ts';
import { type OutputSample, SAMPLES_A_TURN } from './output-series.ts';
import type { FindSilence } from './silent-agents.ts';

/** One rule with what it remembers. `evaluate` gives the samples to write, and changes nothing when it rejects. */
export interface RuleEvaluator {
  readonly rule: Rule;
  evaluate(atMs: number, queryMs: number, signal: AbortSignal): Promise<Evaluated>;
  alerts(): readonly Alert[];
}

export interface Evaluated {
  readonly samples: readonly OutputSample[];
  /** Called once the samples are durable. */
  done(): Promise<void>;
}

export interface RuleWorld extends TemplateSurroundings {
  readonly query: Query;
  /** Asked when an alert lost its samples: whether anybody could know. */
  readonly findSilence: FindSilence;
}

/** More alerts than this from one rule are a mistake in the rule; a group's `limit` may set less. */
const MAX_ALERTS = 10_000;

const nothingMore = () => Promise.resolve();

export function createRecordingEvaluator(
  rule: RecordingRule,
  group: RuleGroup,
  world: RuleWorld,
): RuleEvaluator {
  const labels = Object.entries({ ...group.labels, ...rule.labels });
  return {
    rule,
    alerts: () => [],
    async evaluate(_atMs, queryMs, signal) {
      const samples = vectorOf((await world.query(rule.expr, queryMs, signal)).value);
      if (group.limit > 0 && samples.length > group.limit)
        throw overLimit(group.limit, samples.length, 'series');
      return { samples: await recorded(rule, labels, samples), done: nothingMore };
    },
  };
}

async function recorded(
  rule: RecordingRule,
  labels: readonly (readonly [string, string])[],
  samples: readonly VectorSample[],
): Promise<OutputSample[]> {
  const seen = new Set<string>();
  const outputs: OutputSample[] = [];
  for (const sample of samples) {
    const output = toLabels([...sample.labels, ...labels, [METRIC_NAME, rule.record]]);
    const key = labelsKey(output);
    if (seen.has(key)) {
      throw new CodedError(
        'RULE_DUPLICATE_SERIES',
        `${rule.record}: two results have the same labels once the rule's labels are applied; keep a label that tells them apart`,
      );
    }
    seen.add(key);
    outputs.push({ labels: output, value: sample.v });
    if (outputs.length % SAMPLES_A_TURN === 0) await othersFirst();
  }
  return outputs;
}

export function createAlertingEvaluator(
  rule: AlertingRule,
  group: RuleGroup,
  world: RuleWorld,
  memory: AlertMemory,
  nowMs: number,
): RuleEvaluator {
  let active: ActiveAlerts = memory.load(nowMs);
  const limit = group.limit > 0 ? group.limit : MAX_ALERTS;
  return {
    rule,
    alerts: () => [...active.values()],
    async evaluate(atMs, queryMs, signal) {
      const samples = vectorOf((await world.query(rule.expr, queryMs, signal)).value);
      if (samples.length > limit) throw overLimit(limit, samples.length, 'alerts');
      const outcomes = await alertOutcomes(rule, group.labels, samples, world, queryMs);
      const vanished = [...active].some(([key, alert]) => alert.state !== 'resolved' && !outcomes.has(key));
      const unknownWhy = vanished ? await world.findSilence(world.query, queryMs, signal) : () => undefined;
      const next = advanceAlerts(rule, active, outcomes, atMs, unknownWhy);
      return {
        samples: alertSeries(next),
        async done() {
          active = next;
          await memory.save(next, atMs);
        },
      };
    },
  };
}

function alertSeries(alerts: ActiveAlerts): OutputSample[] {
  const samples: OutputSample[] = [];
  for (const { labels, state, activeAt } of alerts.values()) {
    if (state === 'resolved') continue;
    samples.push({ labels: named('ALERTS', [...labels, ['alertstate', state]]), value: 1 });
    samples.push({ labels: named('ALERTS_FOR_STATE', labels), value: Math.floor(activeAt / 1000) });
  }
  return samples;
}

function named(name: string, labels: Labels): Labels {
  return toLabels([...labels, [METRIC_NAME, name]]);
}

function vectorOf(value: QueryValue): readonly VectorSample[] {
  if (value.type === 'vector') return value.samples;
  if (value.type === 'scalar') return [{ labels: [], t: value.t, v: value.v }];
  throw new CodedError(
    'RULE_RESULT_TYPE',
    `a rule's result must be a vector or a scalar, not a ${value.type}; for a range of samples use a function such as rate()`,
  );
}

function overLimit(limit: number, count: number, what: string): CodedError {
  return new CodedError(
    'RULE_LIMIT',
    `exceeded limit of ${limit} with ${count} ${what}; narrow the expression or raise the group's limit`,
  );
}
