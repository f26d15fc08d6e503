import type { PodEvent } from '../../model/event.ts';
import type { Labels } from '../../model/labels.ts';
import type { Life } from '../../model/life.ts';
import type { Matcher } from '../../model/matcher.ts';
import type { AgentRecord, NodeState, PodState, WorkloadState } from '../../model/record.ts';
import type { Samples } from '../../model/sample.ts';
import type { RangeSummary } from './range-summary.ts';

/** A store's own number for a series; stable while the store is open. */
export type SeriesRef = number;

/** What a commit changed, so that whoever reads those series can look again. */
export interface Committed {
  /** Names (`__name__`) of the series that got samples. */
  readonly metricNames: ReadonlySet<string>;
  readonly samples: number;
  /** Samples refused: out of order beyond the window, or a different value at a time already taken. */
  readonly rejected: number;
}

/**
 * One batch of samples on its way in. Nothing is visible before `commit`, and `commit` resolves only when the batch
 * is durable. Of a batch of more than a thousand a reader may find a part before that, never what is not durable. An
 * appender serves one batch.
 */
export interface Appender {
  /** The series with these labels, made when new. `labelBytes` as by `encodeLabels`. */
  reference(labelBytes: Uint8Array): SeriesRef;
  /**
   * The same without making one: by bytes `from` to before `to`, of which nothing is made. Undefined too where it is
   * known by other bytes. Only where a store can.
   */
  find?(bytes: Uint8Array, from: number, to: number): SeriesRef | undefined;
  /**
   * Whether a number from an earlier batch still stands for its series, so that it may be used again in this one. Numbers
   * are not given twice. Only where a store can tell.
   */
  isReferenced?(ref: SeriesRef): boolean;
  /** `t` integer milliseconds; `startT` is when a counter began, if known. */
  append(ref: SeriesRef, t: number, v: number, startT?: number): void;
  /** The same, the value as its high and low word: no bit of a stale marker can be lost on the way. */
  appendWords(ref: SeriesRef, t: number, high: number, low: number): void;
  /** Marks the series as ended at `t`. */
  appendStale(ref: SeriesRef, t: number): void;
  commit(): Promise<Committed>;
  rollback(): void;
}

export interface StoredSeries {
  readonly labels: Labels;
  /**
   * Samples with minT <= t <= maxT, stale markers included. The arrays belong to the caller until the next call on
   * any series of the same selection.
   */
  samples(minT: number, maxT: number): Samples;
  /**
   * The same, many of them a piece at a time: between two the caller may let others have the thread. Only where there can
   * be so many that it matters.
   */
  reading?(minT: number, maxT: number): Samples | Generator<undefined, Samples>;
  /**
   * The newest sample with t <= maxT as columns of one, a stale marker too, where it is known without looking at samples.
   * Belongs to the caller until the next call on any series of the store.
   */
  newest?(maxT: number): Samples | undefined;
  /**
   * What the same samples come to, stale markers left out, without looking at all of them; only where a store can.
   * Belongs to the caller until the next call on any series of the store.
   */
  summary?(minT: number, maxT: number): RangeSummary;
}

/** A series, and a window of it that moves on from one question to the next. */
export interface MovingSeries extends StoredSeries {
  /** The samples with `endT` - `rangeMs` < t <= `endT`, as `summary` tells them. Cheapest when `endT` only grows. */
  summaryUntil(endT: number): RangeSummary;
}

/** Windows of one length over all series that match, for whoever asks again and again. */
export interface MovingWindows {
  /** Another number whenever `search` might find others. */
  readonly generation: number;
  /** Series that may have samples in the window until `endT` or a later one; `undefined` now and then, as in `Querier`. */
  search(endT: number): Iterable<MovingSeries | undefined>;
}

/** Reads only, synchronous, beside the data. Bounds are inclusive integer milliseconds. */
export interface Querier {
  /** Series that match all matchers and may have samples in the bounds, in no particular order. */
  select(matchers: readonly Matcher[], minT: number, maxT: number): Iterable<StoredSeries>;
  /**
   * The same, and `undefined` while none is found: between two the caller may let others have the thread. Only where
   * there can be so many that it matters.
   */
  search?(matchers: readonly Matcher[], minT: number, maxT: number): Iterable<StoredSeries | undefined>;
  /** Only where a store has them; the caller lets go of what it asks for no longer. */
  windows?(matchers: readonly Matcher[], rangeMs: number): MovingWindows;
  /** Another number after every commit, each visible part of one, and whatever else may change an answer. */
  readonly changes?: number;
  labelNames(matchers: readonly Matcher[], minT: number, maxT: number): string[];
  labelValues(name: string, matchers: readonly Matcher[], minT: number, maxT: number): string[];
}

export interface RecordQuery {
  readonly namespace?: string;
  readonly pod?: string;
  readonly uid?: string;
  readonly workload?: string;
  readonly container?: string;
  /** Of events: the kind of what they are about, `Pod`, `Deployment`, …; in upper or lower case, like the next two. */
  readonly object?: string;
  readonly type?: string;
  readonly reason?: string;
  /** Inclusive, integer milliseconds. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  /** Newest first; 100 when left out, at most 10,000. */
  readonly limit?: number;
}

/** Events, lives and states, each exactly once by its id. */
export interface EventLog {
  /** Resolves with the records that were new, once all are durable. */
  append(records: readonly AgentRecord[]): Promise<readonly AgentRecord[]>;
  events(query: RecordQuery): readonly PodEvent[];
  /** The same, whatever is asked for, and others have their turn in between. */
  searchEvents(query: RecordQuery): Promise<readonly PodEvent[]>;
  lives(query: RecordQuery): readonly Life[];
  /** Newest state of each pod, deleted ones only when `deleted` is set. */
  pods(query: RecordQuery & { readonly deleted?: boolean }): readonly PodState[];
  workloads(query: RecordQuery): readonly WorkloadState[];
  nodes(): readonly NodeState[];
  /** Called after each commit with what was new; returns the unsubscribe function. */
  subscribe(listener: (records: readonly AgentRecord[]) => void): () => void;
}

/** Small durable facts by name: alert state, positions. Values are JSON. */
export interface KeyValue {
  get(key: string): unknown;
  set(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
  /** Entries whose key starts with `prefix`, in key order. */
  entries(prefix: string): readonly (readonly [key: string, value: unknown])[];
}

export interface Store {
  appender(): Appender;
  querier(): Querier;
  readonly events: EventLog;
  readonly keyValue: KeyValue;
  close(): Promise<void>;
}
