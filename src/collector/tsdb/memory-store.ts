import { randomInt } from 'node:crypto';
import { openJournal } from '../../journal/journal.ts';
import { createKeyValue, keyValueSchema } from '../../journal/key-value.ts';
import { type Clock, systemClock } from '../../util/clock.ts';
import { createAppender } from './appender.ts';
import { EMPTY_COMMIT_LOG } from './commit-log.ts';
import { boundsOf, createEventLog, recordsSchema } from './event-log.ts';
import { createHead } from './head.ts';
import { DEFAULT_STORE_LIMITS, type Retention, type StoreLimits } from './limits.ts';
import { createQuerier } from './querier.ts';
import { MAINTENANCE_MS, repeat } from './repeat.ts';
import { createSpareBatches } from './sample-batch.ts';
import { releaseChunks } from './series.ts';
import type { Tsdb } from './store.ts';
import { statsOf } from './store-stats.ts';
import { findTimeBounds } from './time-bounds.ts';

export interface MemoryStoreOptions {
  readonly clock?: Clock;
  /** Kept for ever when left out; only `timeMs` counts. */
  readonly retention?: Retention;
  readonly limits?: Partial<StoreLimits>;
}

const nothing = () => {};

/** The same store without a file: nothing survives `close`. Takes samples of any time. */
export function createMemoryStore(options: MemoryStoreOptions = {}): Tsdb {
  const clock = options.clock ?? systemClock;
  const timeMs = options.retention?.timeMs ?? Number.POSITIVE_INFINITY;
  const journal = openJournal(':memory:', { clock, schemas: [keyValueSchema, recordsSchema] });
  const head = createHead({
    limits: { ...DEFAULT_STORE_LIMITS, ...options.limits },
    seed: randomInt(2 ** 31),
    firstRef: 1,
    recall: () => undefined,
  });
  const { columns } = head;
  const spare = createSpareBatches();
  const events = createEventLog(journal, boundsOf(options.retention ?? { timeMs, bytes: 0 }));
  let removedBefore = Number.NEGATIVE_INFINITY;
  const querier = createQuerier(head, {
    chunks: () => [],
    rows: () => [],
    found: nothing,
    removedBefore: () => removedBefore,
    *selectDropped() {},
  });

  const maintain = async () => {
    if (!Number.isFinite(timeMs)) return;
    const cutoff = clock.now() - timeMs;
    removedBefore = Math.max(removedBefore, cutoff);
    for (const row of head.rows()) {
      const old = columns.sealed.get(row)?.filter((chunk) => chunk.maxT < cutoff) ?? [];
      releaseChunks(columns, row, old);
      if (columns.lastT[row]! < cutoff) head.drop(row);
    }
    await events.prune(clock.now());
  };
  const stopMaintenance = Number.isFinite(timeMs) ? repeat(clock, MAINTENANCE_MS, maintain) : nothing;

  return {
    appender: () => createAppender(head, spare, async (batch) => head.apply(batch)),
    querier: () => querier,
    events,
    commits: EMPTY_COMMIT_LOG,
    keyValue: createKeyValue(journal),
    stats: () => statsOf(head, 0, journal),
    timeBounds: () => findTimeBounds(head, Number.NEGATIVE_INFINITY, []),
    state: () => ({ kind: 'ok' }),
    concerns: () => [],
    maintain,
    async close() {
      stopMaintenance();
      await journal.close();
    },
  };
}
