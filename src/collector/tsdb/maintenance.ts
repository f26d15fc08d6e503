import type { Journal } from '../../journal/journal.ts';
import type { Clock } from '../../util/clock.ts';
import { nextTurn } from '../../util/turns.ts';
import type { SeriesRef } from '../storage/storage.ts';
import type { BatchTable } from './batch-table.ts';
import type { ChunkTable } from './chunk-table.ts';
import type { DiskSeries } from './disk-series.ts';
import type { Head } from './head.ts';
import type { SealedChunk } from './sealed-chunk.ts';
import { hasSamples, isSilent, oldestInMemory, releaseChunks, settleChunks } from './series.ts';

/** A round of maintenance of a store on disk: chunks to disk, batches that are in them removed, silent series dropped. */
export interface MaintenanceOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly head: Head;
  readonly chunks: ChunkTable;
  readonly batches: BatchTable;
  readonly series: DiskSeries;
  /** All up to this one are in the head. */
  readonly appliedBatch: () => number;
  /** Commits after this one must stay on disk. */
  readonly heldAfter: () => number;
  /** The newest sample by which a series is silent. */
  readonly newestT: () => number;
  /** The series has other chunks on disk. */
  readonly onSettled: (ref: SeriesRef) => void;
  /** A series with samples until then is on disk only. */
  readonly onDropped: (lastT: number) => void;
}

/**
 * All of it in turns: whatever the number of series, others have the thread after some milliseconds. Each method may
 * fail as writes do; the next round takes up what is left.
 */
export interface Maintenance {
  settle(): Promise<void>;
  dropSilent(): Promise<void>;
}

/** What a transaction of maintenance takes at most, of the thread's time and of things. */
const TURN_MS = 4;
const MOST_A_TURN = 200;
const ROWS_A_TURN = 20_000;

/** Does `each` of `items` in as many transactions as it takes, and `after` for those of each once it is committed. */
export async function writeInTurns<Item>(
  { journal, clock }: { readonly journal: Journal; readonly clock: Clock },
  items: readonly Item[],
  each: (item: Item) => void,
  after: (done: readonly Item[]) => void = () => {},
  mostATurn = MOST_A_TURN,
): Promise<void> {
  for (let from = 0; from < items.length; ) {
    const to = await journal.write(() => {
      const endMs = clock.monotonic() + TURN_MS;
      const most = Math.min(items.length, from + mostATurn);
      let at = from;
      do {
        each(items[at]!);
        at += 1;
      } while (at < most && clock.monotonic() < endMs);
      return at;
    });
    after(items.slice(from, to));
    from = to;
  }
}

/** Does a little again and again, each in a transaction of its own, until it says that nothing is left. */
export async function writeUntilDone(journal: Journal, some: () => boolean): Promise<void> {
  while (await journal.write(some));
}

export function createMaintenance(options: MaintenanceOptions): Maintenance {
  const { head, chunks, batches, series } = options;
  const { columns } = head;

  /** Goes over all series that are there when it comes to them. */
  const eachRow = async (look: (row: number, newestT: number) => void) => {
    for (let from = 0; from < columns.length; from += ROWS_A_TURN) {
      if (from > 0) await nextTurn();
      const newestT = options.newestT();
      const to = Math.min(columns.length, from + ROWS_A_TURN);
      for (let row = from; row < to; row += 1) if (columns.births[row] !== 0) look(row, newestT);
    }
  };

  const isUntouched = (row: number) => row >= 0 && head.isUntouched(row);
  const mayBeDropped = (row: number, newestT: number) =>
    isUntouched(row) &&
    isSilent(columns, row, newestT) &&
    (!hasSamples(columns, row) || oldestInMemory(columns, row) === Number.POSITIVE_INFINITY);

  return {
    async settle() {
      // What is committed from now on is not looked for in the head, and stays.
      const applied = options.appliedBatch();
      const due: (readonly [ref: SeriesRef, chunk: SealedChunk])[] = [];
      let oldest = Number.POSITIVE_INFINITY;
      await eachRow((row, newestT) => {
        const settling = settleChunks(columns, row, newestT);
        for (const chunk of settling) due.push([columns.refs[row]!, chunk]);
        oldest = Math.min(oldest, oldestInMemory(columns, row, settling.length));
      });
      await writeInTurns(
        options,
        due,
        ([ref, chunk]) => chunks.add(ref, chunk),
        (settled) => {
          for (const [ref, chunk] of settled) {
            options.onSettled(ref);
            const row = head.rowOf(ref);
            if (row >= 0) releaseChunks(columns, row, [chunk]);
          }
        },
      );
      const upTo = Math.min(applied, options.heldAfter());
      const inChunks = [...batches.ends].filter(([id, maxT]) => id <= upTo && maxT < oldest);
      await writeInTurns(
        options,
        inChunks,
        ([id]) => batches.remove(id),
        (removed) => {
          for (const [id] of removed) batches.ends.delete(id);
        },
      );
    },
    async dropSilent() {
      const silent: SeriesRef[] = [];
      await eachRow((row, newestT) => {
        if (mayBeDropped(row, newestT)) silent.push(columns.refs[row]!);
      });
      const gone = new Set<SeriesRef>();
      await writeInTurns(
        options,
        silent,
        (ref) => {
          const row = head.rowOf(ref);
          if (row < 0 || !mayBeDropped(row, options.newestT())) return;
          gone.add(ref);
          if (hasSamples(columns, row)) series.drop(ref, head.labelsOf(row), columns.lastT[row]!);
          else if (columns.stored[row] === 1) series.forget(ref);
        },
        (refs) => {
          for (const ref of refs) {
            const row = head.rowOf(ref);
            if (!gone.has(ref) || !isUntouched(row)) continue;
            options.onDropped(columns.lastT[row]!);
            head.drop(row);
          }
        },
      );
    },
  };
}
