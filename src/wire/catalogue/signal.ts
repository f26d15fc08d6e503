import type { Label } from '../../model/labels.ts';

/** One name for a series' label, and what OTLP calls it: a resource attribute, or an attribute of the data point. */
export interface SignalLabel {
  readonly name: string;
  readonly attribute: string;
  readonly on: 'resource' | 'point';
}

/**
 * A signal, defined once: exposition, OTLP, translation back, reference pages and dashboards read this.
 *
 * `name` is what Prometheus users know (kube-state-metrics', cAdvisor's, the kubelet's, or `podvitals_*`), the family
 * name without `_bucket`, `_sum` and `_count`. `otlp.name` with `otlp.fixed` leads back to exactly one signal.
 *
 * Where OpenTelemetry has several names for what Prometheus keeps in one family (a container's, its pod's and the
 * node's CPU time; requests by resource), the catalogue holds one signal for each, with the same `name` and help, told
 * apart by their labels and `constants`.
 */
export interface Signal {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** UCUM, as OpenTelemetry has it: `s`, `By`, `1`, `{restart}`. */
  readonly unit: string;
  readonly help: string;
  readonly stability: 'stable' | 'experimental';
  /** Which of the agent's paths shows it; also its `job` label in the store. */
  readonly path: 'kube-state-metrics' | 'cadvisor' | 'kubelet';
  readonly labels: readonly SignalLabel[];
  /** Labels with one value, the same on every series, which do not travel: `cpu="total"`. */
  readonly constants?: readonly Label[];
  readonly otlp: {
    readonly name: string;
    readonly instrument: 'counter' | 'updowncounter' | 'gauge' | 'histogram';
    /** Attributes with one value, which tell apart signals that share an OTLP name. */
    readonly fixed?: Readonly<Record<string, string>>;
  };
  /** Upper bounds in the signal's unit, ascending, without +Inf. Histograms only. */
  readonly bounds?: readonly number[];
}

/** One value of a signal. `labels` holds the values in the order of `signal.labels`; an empty one means absent. */
export type Point = NumberPoint | HistogramPoint;

export interface NumberPoint {
  readonly signal: Signal;
  readonly labels: readonly string[];
  readonly value: number;
  /** When a counter began, integer milliseconds. */
  readonly startMs?: number;
  /** The series has no value any more; on the wire "no recorded value", in a store a stale marker. */
  readonly ended?: true;
}

export interface HistogramPoint {
  readonly signal: Signal;
  readonly labels: readonly string[];
  /** Count of each bucket by itself, +Inf last; one more than `signal.bounds`. */
  readonly buckets: readonly number[];
  readonly sum: number;
  readonly count: number;
  readonly startMs?: number;
  readonly ended?: true;
}
