import type { Alert } from '../../model/alert.ts';
import type { Rule, RuleGroup } from '../../model/rule-group.ts';

/** A rule and how its last evaluation went. Times and durations in milliseconds. */
export interface RuleState {
  readonly rule: Rule;
  /** The rule's labels with its group's. */
  readonly labels: Readonly<Record<string, string>>;
  /** The expression as the engine read it, on one line. */
  readonly query: string;
  readonly health: 'unknown' | 'ok' | 'err';
  readonly lastError?: string;
  readonly lastEvaluationMs?: number;
  readonly evaluationMs: number;
  /** Pending, firing, and those resolved within the last 15 minutes. Empty for recording rules. */
  readonly alerts: readonly Alert[];
}

export interface RuleGroupState {
  readonly group: RuleGroup;
  readonly intervalMs: number;
  readonly lastEvaluationMs?: number;
  readonly evaluationMs: number;
  /** Evaluations that were due and never made, since the start. */
  readonly missed: number;
  readonly rules: readonly RuleState[];
}
