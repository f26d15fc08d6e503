import { randomInt } from 'node:crypto';
import { type Journal, openJournal } from '../../journal/journal.ts';
import { createKeyValue, keyValueSchema } from '../../journal/key-value.ts';
import type { Schema } from '../../journal/schema.ts';
import type { JournalState } from '../../journal/trouble.ts';
import type { Clock } from '../../util/clock.ts';
import { isCodedError } from '../../util/coded-error.ts';
import type { CommitLog } from '../storage/commit-log.ts';
import type { Store } from '../storage/storage.ts';
import { createAppender } from './appender.ts';
import { type BatchTable, createBatchTable } from './batch-table.ts';
import { createChunkCache } from './chunk-cache.ts';
import { createChunkTable } from './chunk-table.ts';
import { createClockWatch } from './clock-watch.ts';
import { createCommitLog } from './commit-log.ts';
import { createDiskSeries, type DiskSeries } from './disk-series.ts';
import { boundsOf, createEventLog, recordsSchema } from './event-log.ts';
import { createHead, type Head } from './head.ts';
import { createIntake, FUTURE_MS } from './intake.ts';
import {
  DEFAULT_RETENTION,
  DEFAULT_STORE_LIMITS,
  type Retention,
  type StoreLimits,
  type StoreStats,
} from './limits.ts';
import { createMaintenance, writeUntilDone } from './maintenance.ts';
import { createQuerier } from './querier.ts';
import { MAINTENANCE_MS, repeat } from './repeat.ts';
import { isSoundRow } from './row-check.ts';
import { createSpareBatches, decodeBatch } from './sample-batch.ts';
import { samplesSchema } from './samples-schema.ts';
import { statsOf } from './store-stats.ts';
import { findTimeBounds, type TimeBounds } from './time-bounds.ts';

export interface Tsdb extends Store {
  readonly commits: CommitLog;
  stats(): StoreStats;
  /** Of all samples there are; undefined where there is none. */
  timeBounds(): Promise<TimeBounds | undefined>;
  /** How the file fares: disk full, read-only and damage show here. Always `ok` for a memory store. */
  state(): JournalState;
  /** What people should know though it works, in words: damage that was found, a clock that jumped. */
  concerns(): readonly string[];
  /** One round of maintenance: chunks to disk, retention. Runs by itself every minute. */
  maintain(): Promise<void>;
}

export interface StoreOptions {
  /** The file, made when absent; locked until `close`. */
  readonly path: string;
  readonly clock: Clock;
  /** 15 days and 2 GiB when left out. */
  readonly retention?: Retention;
  readonly limits?: Partial<StoreLimits>;
}

const storeSchemas: readonly Schema[] = [keyValueSchema, samplesSchema, recordsSchema];

const CACHED_CHUNK_BYTES = 64 * 1024 ** 2;
// Some 4 MB a minute, which take no more than a few milliseconds: a full store in eight hours.
const ROWS_A_CHECK = 500;
const CHECK_AGAIN_MS = 6 * 3_600_000;
const NOTHING = () => {};

/**
 * Opens the store at `path`: samples, records and small facts in one journal file. A damaged file is salvaged; the
 * store's state tells.
 *
 * @throws what `openJournal` throws: JOURNAL_LOCKED, JOURNAL_TOO_NEW, JOURNAL_FULL, …
 */
export function createStore(options: StoreOptions): Tsdb {
  const open = () =>
    openJournal(options.path, { clock: options.clock, schemas: storeSchemas, isSound: isSoundRow });
  const journal = open();
  try {
    return journal.read(() => createStoreIn(journal, options));
  } catch (error) {
    void journal.close();
    if (!isCodedError(error) || error.code !== 'JOURNAL_CORRUPT') throw error;
  }
  // It is marked as damaged now, and is salvaged when it is opened.
  return createStoreIn(open(), options);
}

function createStoreIn(journal: Journal, options: StoreOptions): Tsdb {
  const { clock } = options;
  const retention = options.retention ?? DEFAULT_RETENTION;
  const chunks = createChunkTable(journal);
  const batches = createBatchTable(journal);
  const series = createDiskSeries(journal);
  const recalled = new Set<number>();
  const head = createHead({
    limits: { ...DEFAULT_STORE_LIMITS, ...options.limits },
    seed: randomInt(2 ** 31),
    firstRef: series.lastRef + 1,
    recall(key) {
      const found = series.find(key);
      if (found?.dropped) recalled.add(found.ref);
      return found;
    },
  });
  const spare = createSpareBatches();
  const cache = createChunkCache(CACHED_CHUNK_BYTES);
  const applied = replay(head, series, batches);
  const commits = createCommitLog({
    batches,
    series,
    journal,
    newest: Math.max(applied, batches.last),
    labelsInMemory(ref) {
      const row = head.rowOf(ref);
      return row < 0 ? undefined : head.keyOf(row);
    },
  });
  let newestDroppedT = series.newestDroppedT();
  let removedBefore = Number.NEGATIVE_INFINITY;
  let checkAgainMs = Number.NEGATIVE_INFINITY;
  const events = createEventLog(journal, boundsOf(retention));

  const clockWatch = createClockWatch(clock, Math.max(head.newestT, newestDroppedT));
  // Samples from when the clock was ahead must not make all series look silent once it is right again.
  const newestT = () => Math.min(head.newestT, clock.now() + FUTURE_MS);

  const intake = createIntake({
    journal,
    clock,
    head,
    batches,
    series,
    applied,
    recalled,
    retentionMs: retention.timeMs,
    onApplied: commits.added,
  });

  const { columns } = head;
  const maintenance = createMaintenance({
    journal,
    clock,
    head,
    chunks,
    batches,
    series,
    appliedBatch: () => intake.applied,
    heldAfter: () => commits.heldAfter(),
    newestT,
    onSettled: (ref) => cache.forget(ref),
    onDropped(lastT) {
      newestDroppedT = Math.max(newestDroppedT, lastT);
    },
  });

  const removeBefore = async (cutoffT: number) => {
    removedBefore = Math.max(removedBefore, cutoffT);
    cache.forgetBefore(cutoffT);
    // While chunks are left, so are their series.
    await writeUntilDone(journal, () => chunks.removeBefore(cutoffT) || series.removeBefore(cutoffT));
  };

  const retain = async () => {
    await writeUntilDone(journal, chunks.summaries.keepFound);
    await journal.write(chunks.forgetDamaged);
    await writeUntilDone(journal, series.keepHashes);
    const now = clock.now();
    if (!clockWatch.mayBeAhead) {
      await removeBefore(now - retention.timeMs);
      await events.prune(now);
    }
    while (journal.usedBytes() > retention.bytes) {
      const end = chunks.oldestEnd();
      if (end === undefined) return;
      await removeBefore(end + 1);
    }
  };

  const round = async () => {
    clockWatch.look();
    head.nextRound();
    await maintenance.settle();
    await maintenance.dropSilent();
    if (clock.now() >= checkAgainMs && journal.read(() => chunks.check(ROWS_A_CHECK)))
      checkAgainMs = clock.now() + CHECK_AGAIN_MS;
    await retain();
  };
  let lastRound: Promise<unknown> = Promise.resolve();
  /** One after another: a round counts what it removes. */
  const maintain = () => {
    const next = lastRound.then(round);
    lastRound = next.catch(NOTHING);
    return next;
  };
  const stopMaintenance = repeat(clock, MAINTENANCE_MS, maintain);

  const querier = createQuerier(head, {
    chunks(ref, minT, maxT, beforeT) {
      const cached = cache.get(ref, minT);
      if (cached !== undefined) {
        return cached.filter((chunk) => chunk.maxT >= minT && chunk.minT <= maxT && chunk.minT < beforeT);
      }
      const found = journal.read(() => chunks.find(ref, minT, maxT, beforeT));
      const row = head.rowOf(ref);
      if (maxT >= (row < 0 ? Number.POSITIVE_INFINITY : columns.persistedT[row]!))
        cache.put(ref, minT, found);
      return found;
    },
    rows: (ref, minT, maxT, beforeT) => journal.read(() => chunks.summaries.rows(ref, minT, maxT, beforeT)),
    found: chunks.summaries.found,
    removedBefore: () => removedBefore,
    *selectDropped(matchers, minT, maxT) {
      if (minT > newestDroppedT) return;
      for (const found of series.selectDropped(matchers, minT, maxT))
        yield found !== undefined && head.rowOf(found.ref) < 0 ? found : undefined;
    },
  });

  return {
    appender: () => createAppender(head, spare, intake.keep),
    querier: () => querier,
    events,
    commits,
    keyValue: createKeyValue(journal),
    stats: () => statsOf(head, intake.outside, journal),
    timeBounds: () => findTimeBounds(head, newestDroppedT, chunks.firstTimes()),
    state: () => journal.state(),
    concerns() {
      const { damage, behind } = journal.state();
      return [damage, behind, clockWatch.trouble].filter((words) => words !== undefined);
    },
    maintain,
    async close() {
      stopMaintenance();
      await journal.close();
    },
  };
}

/** Brings the head back: series that were active, then the commits whose samples are not all in chunks. */
function replay(head: Head, series: DiskSeries, batches: BatchTable): number {
  for (const { labels, ...identity } of series.active()) head.restore(labels, identity);
  let last = 0;
  for (const { id, body } of batches.all()) {
    head.apply(decodeBatch(body), true);
    last = id;
  }
  return last;
}
