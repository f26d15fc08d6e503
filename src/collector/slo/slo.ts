import type { BurnRateWindow } from './policy.ts';

/** A service level objective on a ratio of counters, checked. */
export interface Slo {
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  readonly service: string;
  /** Share of events that shall be good: 0.99. */
  readonly target: number;
  /** What may be bad, 1 - target without its floating-point dust: 0.01. */
  readonly budget: number;
  /** The rolling window of the objective: `30d`. */
  readonly period: string;
  readonly periodMs: number;
  /** Selectors of counters, without a range. One of `good` and `bad` is set. */
  readonly good?: string;
  readonly bad?: string;
  readonly total: string;
  /** Labels whose values have a budget each. */
  readonly by: readonly string[];
  readonly policy: readonly BurnRateWindow[];
  /** Least increase of `total` over the long window before an alert may fire. */
  readonly minimumExposure: number;
}
