import type { Journal } from '../../journal/journal.ts';
import type { Clock } from '../../util/clock.ts';
import { createTurns, nextTurn } from '../../util/turns.ts';
import type { Committed, SeriesRef } from '../storage/storage.ts';
import type { BatchTable } from './batch-table.ts';
import type { DiskSeries } from './disk-series.ts';
import type { Head } from './head.ts';
import { writeInTurns } from './maintenance.ts';
import { dropOutside, encodeBatch, encoding, type SampleBatch } from './sample-batch.ts';

export interface IntakeOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly head: Head;
  readonly batches: BatchTable;
  readonly series: DiskSeries;
  /** The newest commit that is in the head. */
  readonly applied: number;
  /** Series that were on disk only and are in the head again; whoever writes that down takes them out. */
  readonly recalled: Set<SeriesRef>;
  /** Older samples are refused. */
  readonly retentionMs: number;
  /** A commit is in the head. */
  readonly onApplied: (id: number) => void;
}

/** The way of a batch into a store on disk: first the journal, then the head, in the same order; large ones in turns. */
export interface Intake {
  keep(batch: SampleBatch): Promise<Committed>;
  /** All commits up to this one are in the head. */
  readonly applied: number;
  /** How many samples were older or newer than is taken. */
  readonly outside: number;
}

const SERIES_AT_ONCE = 2_000;
const SERIES_A_TURN = 500;
const SERIES_WITH_SAMPLES = 200;
const SAMPLES_A_TURN = 20_000;
/** What more takes than the commit should not be done in its turn. */
const SAMPLES_WITH_COMMIT = 2_000;
/** A sender whose clock runs ahead must not make all other series look silent. */
export const FUTURE_MS = 3_600_000;
const NOTHING = () => {};

export function createIntake(options: IntakeOptions): Intake {
  const { journal, clock, head, batches, series, recalled } = options;
  const inTurns = createTurns(clock);
  let { applied } = options;
  let outside = 0;

  const addRow = (ref: SeriesRef) => {
    const row = head.rowOf(ref);
    if (row >= 0) series.add(ref, head.keyOf(row));
  };

  const store = (refs: ReadonlySet<SeriesRef>) =>
    writeInTurns(options, [...refs], addRow, (stored) => stored.forEach(head.stored), SERIES_A_TURN);

  /** Rows of very many new series go before their samples, some at a time, so that others get their turn; answers the rest. */
  const storeMostOf = async (batch: SampleBatch): Promise<ReadonlySet<SeriesRef>> => {
    let some = new Set<SeriesRef>();
    // Mostly there is none, and no need to look at each sample.
    if (head.unstored === 0) return some;
    for (let i = 0; i < batch.length; i += 1) {
      if (i % SAMPLES_A_TURN === SAMPLES_A_TURN - 1) await nextTurn();
      if (head.isStored(batch.refs[i]!)) continue;
      some.add(batch.refs[i]!);
      if (some.size < SERIES_AT_ONCE) continue;
      await store(some);
      some = new Set();
    }
    if (some.size <= SERIES_WITH_SAMPLES) return some;
    await store(some);
    return new Set();
  };

  const encoded = async (batch: SampleBatch) => {
    await nextTurn();
    return inTurns(encoding(batch));
  };

  // Commits are taken in as they were written.
  let last: Promise<unknown> = Promise.resolve();
  const apply = (id: number, batch: SampleBatch): Promise<Committed> => {
    const turn = batch.length > SAMPLES_WITH_COMMIT ? nextTurn() : undefined;
    const work = last
      .then(() => turn)
      .then(() => inTurns(head.applying(batch)))
      .then((committed) => {
        applied = id;
        options.onApplied(id);
        return committed;
      });
    last = work.catch(NOTHING);
    return work;
  };

  return {
    async keep(batch) {
      const now = clock.now();
      const refused = dropOutside(batch, now - options.retentionMs, now + FUTURE_MS);
      outside += refused;
      if (batch.length === 0) return { metricNames: new Set<string>(), samples: 0, rejected: refused };
      const unstored = await storeMostOf(batch);
      const body = batch.length > SAMPLES_A_TURN ? await encoded(batch) : undefined;
      const wanted = [...recalled];
      const id = await journal.write(() => {
        for (const ref of unstored) addRow(ref);
        for (const ref of wanted) series.recall(ref);
        return batches.add(newestOf(batch), body ?? encodeBatch(batch));
      });
      for (const ref of unstored) head.stored(ref);
      for (const ref of wanted) recalled.delete(ref);
      const committed = await apply(id, batch);
      return { ...committed, rejected: committed.rejected + refused };
    },
    get applied() {
      return applied;
    },
    get outside() {
      return outside;
    },
  };
}

function newestOf(batch: SampleBatch): number {
  let newest = batch.t[0]!;
  for (let i = 1; i < batch.length; i += 1) newest = Math.max(newest, batch.t[i]!);
  return newest;
}
