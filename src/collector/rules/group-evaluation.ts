import { encodeLabels, METRIC_NAME, toLabels } from '../../model/labels.ts';
import type { RuleGroup } from '../../model/rule-group.ts';
import type { Clock } from '../../util/clock.ts';
import { messageOf } from '../../util/coded-error.ts';
import { parseExpr } from '../promql/parse-expr.ts';
import { printExpr } from '../promql/print-expr.ts';
import type { Appender, KeyValue } from '../storage/storage.ts';
import { alertMemoryKey, createAlertMemory } from './alert-memory.ts';
import { batchesOf } from './dependencies.ts';
import { createOutputSeries, type OutputSeries } from './output-series.ts';
import {
  createAlertingEvaluator,
  createRecordingEvaluator,
  type Evaluated,
  type RuleEvaluator,
  type RuleWorld,
} from './rule-evaluation.ts';
import type { RuleGroupState, RuleState } from './rule-state.ts';

/** The name Prometheus gives the same count of its own; rules may read either. */
const MISSED_TOTAL = 'prometheus_rule_group_iterations_missed_total';

export interface GroupEvaluation {
  readonly group: RuleGroup;
  /** Keys of what it keeps over a restart. */
  readonly memoryKeys: readonly string[];
  /** Evaluates all rules at `atMs`. Never rejects: what went wrong is in the state of the rule it happened to. */
  evaluate(atMs: number, signal: AbortSignal): Promise<void>;
  addMissed(count: number): void;
  /** The rules whose last evaluation failed: name and why. */
  errors(): readonly (readonly [name: string, why: string])[];
  state(): RuleGroupState;
}

export interface GroupWorld extends RuleWorld {
  readonly appender: () => Appender;
  readonly keyValue: KeyValue;
  readonly clock: Clock;
  /** Whether missed evaluations become a series. */
  readonly writesMissed: boolean;
}

/** One rule group: its rules in the order their reading of each other demands. */
export function createGroupEvaluation(
  group: RuleGroup,
  intervalMs: number,
  world: GroupWorld,
): GroupEvaluation {
  const memoryKeys: string[] = [];
  const ordinals = new Map<string, number>();
  const slots = group.rules.map((rule): Slot => {
    if (rule.kind === 'recording') return createSlot(createRecordingEvaluator(rule, group, world), group);
    const ordinal = ordinals.get(rule.alert) ?? 0;
    ordinals.set(rule.alert, ordinal + 1);
    const key = alertMemoryKey(group, rule.alert, ordinal);
    memoryKeys.push(key);
    const memory = createAlertMemory(world.keyValue, key);
    return createSlot(createAlertingEvaluator(rule, group, world, memory, world.clock.now()), group);
  });
  const batches = batchesOf(group.rules);
  const missedLabels = encodeLabels(
    toLabels({ [METRIC_NAME]: MISSED_TOTAL, job: 'podvitals', rule_group: `${group.file};${group.name}` }),
  );
  let missed = 0;
  let lastEvaluationMs: number | undefined;
  let evaluationMs = 0;

  const evaluateBatch = async (batch: readonly Slot[], atMs: number, last: boolean, signal: AbortSignal) => {
    const appender = world.appender();
    const evaluated = await Promise.all(batch.map((slot) => slot.evaluate(atMs, signal, world.clock)));
    const written: { readonly slot: Slot; readonly result: Evaluated; readonly series: Written }[] = [];
    for (const [index, slot] of batch.entries()) {
      const result = evaluated[index];
      if (result === undefined) continue;
      const series = await slot.output.write(appender, result.samples, atMs - group.queryOffsetMs);
      written.push({ slot, result, series });
    }
    if (last && world.writesMissed) appender.append(appender.reference(missedLabels), atMs, missed);
    try {
      await appender.commit();
      for (const { series, result } of written) {
        series.remember();
        await result.done();
      }
    } catch (error) {
      for (const { slot } of written) slot.fail(error);
    }
  };

  return {
    group,
    memoryKeys,
    async evaluate(atMs, signal) {
      const started = world.clock.monotonic();
      for (const [index, batch] of batches.entries()) {
        if (signal.aborted) return;
        const last = index === batches.length - 1;
        await evaluateBatch(
          batch.map((at) => slots[at]!),
          atMs,
          last,
          signal,
        );
      }
      lastEvaluationMs = atMs;
      evaluationMs = world.clock.monotonic() - started;
    },
    addMissed(count) {
      missed += count;
    },
    errors: () => slots.flatMap((slot) => slot.error() ?? []),
    state: () => ({
      group,
      intervalMs,
      ...(lastEvaluationMs === undefined ? {} : { lastEvaluationMs }),
      evaluationMs,
      missed,
      rules: slots.map((slot) => slot.state()),
    }),
  };
}

type Written = Awaited<ReturnType<OutputSeries['write']>>;

interface Slot {
  readonly output: OutputSeries;
  /** Undefined when the rule failed; its alerts and series stay as they were. */
  evaluate(atMs: number, signal: AbortSignal, clock: Clock): Promise<Evaluated | undefined>;
  fail(error: unknown): void;
  error(): readonly [readonly [name: string, why: string]] | undefined;
  state(): RuleState;
}

function createSlot(evaluator: RuleEvaluator, group: RuleGroup): Slot {
  const { rule } = evaluator;
  const query = printExpr(parseExpr(rule.expr));
  let health: RuleState['health'] = 'unknown';
  let lastError: string | undefined;
  let lastEvaluationMs: number | undefined;
  let evaluationMs = 0;
  const fail = (error: unknown) => {
    health = 'err';
    lastError = messageOf(error);
  };
  return {
    output: createOutputSeries(),
    fail,
    async evaluate(atMs, signal, clock) {
      const started = clock.monotonic();
      try {
        const evaluated = await evaluator.evaluate(atMs, atMs - group.queryOffsetMs, signal);
        health = 'ok';
        lastError = undefined;
        return evaluated;
      } catch (error) {
        fail(error);
        return undefined;
      } finally {
        lastEvaluationMs = atMs;
        evaluationMs = clock.monotonic() - started;
      }
    },
    error: () =>
      lastError === undefined
        ? undefined
        : [[rule.kind === 'alerting' ? rule.alert : rule.record, lastError]],
    state: () => ({
      rule,
      labels: { ...group.labels, ...rule.labels },
      query,
      health,
      ...(lastError === undefined ? {} : { lastError }),
      ...(lastEvaluationMs === undefined ? {} : { lastEvaluationMs }),
      evaluationMs,
      alerts: evaluator.alerts(),
    }),
  };
}
