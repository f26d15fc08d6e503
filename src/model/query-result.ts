import type { Labels } from './labels.ts';
import type { Sample, Samples } from './sample.ts';

/** The answer to a PromQL question. Annotations go with a valid answer and do not invalidate it. */
export type QueryValue =
  | { readonly type: 'scalar'; readonly t: number; readonly v: number }
  | { readonly type: 'string'; readonly t: number; readonly v: string }
  | { readonly type: 'vector'; readonly samples: readonly VectorSample[] }
  | { readonly type: 'matrix'; readonly series: readonly MatrixSeries[] };

export interface VectorSample extends Sample {
  readonly labels: Labels;
}

export interface MatrixSeries {
  readonly labels: Labels;
  /** Times may be shared with other series of the answer. */
  readonly samples: Samples;
}

export interface QueryResult {
  readonly value: QueryValue;
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  /** What it cost, where whoever answered can say. */
  readonly stats?: QueryStats;
  /**
   * Called, if at all, by whoever needs none of the samples any more: their arrays may then serve another query.
   */
  readonly release?: () => void;
}

export interface QueryStats {
  /** Milliseconds waited for others, and milliseconds from then on. */
  readonly queuedMs: number;
  readonly evaluationMs: number;
  /** Samples looked at, each as often as it was; and the most held at a time. */
  readonly samples: number;
  readonly peakSamples: number;
}

export interface QueryOptions {
  /** How old the newest sample of an instant vector may be; left to whoever answers when left out. */
  readonly lookbackMs?: number;
}

/** Asks at one time, in integer milliseconds. Rejects with a CodedError `QUERY_*` for a bad or stopped query. */
export type Query = (
  expr: string,
  atMs: number,
  signal?: AbortSignal,
  options?: QueryOptions,
) => Promise<QueryResult>;

export type QueryRange = (
  expr: string,
  range: { readonly startMs: number; readonly endMs: number; readonly stepMs: number },
  signal?: AbortSignal,
  options?: QueryOptions,
) => Promise<QueryResult>;
