import type { Journal } from '../../journal/journal.ts';
import type { Commit, CommitLog } from '../storage/commit-log.ts';
import type { SeriesRef } from '../storage/storage.ts';
import type { BatchTable } from './batch-table.ts';
import type { DiskSeries } from './disk-series.ts';
import { decodeBatch } from './sample-batch.ts';

export interface CommitLogOptions {
  readonly batches: BatchTable;
  readonly series: DiskSeries;
  readonly journal: Journal;
  /** The newest commit when the store was opened. */
  readonly newest: number;
  readonly labelsInMemory: (ref: SeriesRef) => Uint8Array | undefined;
}

/** What the store tells its log, and asks of it. */
export interface KeptCommitLog extends CommitLog {
  added(position: number): void;
  /** Commits after this one must stay on disk; Infinity when none need. */
  heldAfter(): number;
}

export function createCommitLog(options: CommitLogOptions): KeptCommitLog {
  const { batches, series, journal } = options;
  const listeners = new Set<() => void>();
  let newest = options.newest;
  let held = Number.POSITIVE_INFINITY;
  return {
    get newest() {
      return newest;
    },
    after: (position, samples) =>
      journal.read(() => {
        const commits: Commit[] = [];
        let room = samples;
        for (const { id, body } of batches.after(position)) {
          const batch = decodeBatch(body);
          commits.push({ position: id, samples: batch });
          room -= batch.length;
          if (room <= 0) break;
        }
        return commits;
      }),
    labelBytes: (ref) => options.labelsInMemory(ref) ?? journal.read(() => series.labelsOf(ref)),
    hold(position) {
      held = position ?? Number.POSITIVE_INFINITY;
    },
    sizeAfter: (position) => journal.read(() => batches.sizeAfter(position)),
    newestBeyond: (position, bytes, minT) => journal.read(() => batches.newestBeyond(position, bytes, minT)),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    added(position) {
      newest = Math.max(newest, position);
      for (const listener of listeners) listener();
    },
    heldAfter: () => held,
  };
}

/** Of a store that is not kept: there is nothing to come back to. */
export const EMPTY_COMMIT_LOG: CommitLog = {
  newest: 0,
  after: () => [],
  labelBytes: () => undefined,
  hold: () => {},
  sizeAfter: () => ({ commits: 0, bytes: 0 }),
  newestBeyond: (position) => position,
  subscribe: () => () => {},
};
