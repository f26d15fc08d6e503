import type { SeriesRef } from './storage.ts';

/** The samples of one commit as columns, the first `length` of each, in the order they were appended. */
export interface CommittedBatch {
  readonly length: number;
  readonly refs: Float64Array;
  readonly t: Float64Array;
  /** The two words of each value, so that no bit of a stale marker is lost. */
  readonly high: Uint32Array;
  readonly low: Uint32Array;
}

export interface Commit {
  readonly position: number;
  readonly samples: CommittedBatch;
}

/**
 * The commits of a store in their order, on disk, for whoever sends them on. Positions grow; a commit that nobody
 * holds goes once its samples are in chunks.
 */
export interface CommitLog {
  /** Position of the newest commit; 0 before the first. */
  readonly newest: number;
  /** Commits after `position`, oldest first: one where there is one, and more until they hold `samples` samples. */
  after(position: number, samples: number): readonly Commit[];
  /** The labels of a series as `encodeLabels` has them; undefined once its samples are gone by retention. */
  labelBytes(ref: SeriesRef): Uint8Array | undefined;
  /** Commits after `position` stay on disk from now on; undefined: none need. Not kept over a restart. */
  hold(position: number | undefined): void;
  sizeAfter(position: number): { readonly commits: number; readonly bytes: number };
  /** The newest commit after `position` that is beyond the last `bytes`, or ends before `minT`; `position` if none is. */
  newestBeyond(position: number, bytes: number, minT: number): number;
  /** Called after each commit; returns the unsubscribe function. */
  subscribe(listener: () => void): () => void;
}
