import {
  addSamples,
  addSummary,
  clearSummary,
  createSummary,
  type RangeSummary,
} from '../storage/range-summary.ts';
import { createColumns } from './chunk.ts';
import { type DiskRows, type RangeSink, type WalkedSeries, walkRange } from './range-walk.ts';
import type { XorChunk } from './xor-chunk.ts';

/**
 * A window that moves on over one series. Its oldest samples are held one by one and looked at again each time; all
 * that come after are held as one summary, to which new samples are added. Nothing is ever taken out of a summary, so
 * no rounding piles up. When the samples run out, and when something changed behind its back, it is made anew.
 */
export interface MovingWindow {
  /** The samples with `endT` - `rangeMs` < t <= `endT`. Valid until the next call on any window. */
  summaryUntil(endT: number): RangeSummary;
}

export interface MovingWindowOptions {
  readonly series: WalkedSeries;
  readonly disk: DiskRows;
  readonly rangeMs: number;
  /** Whatever ended before this time is gone by retention. */
  readonly removedBefore: () => number;
}

/** Samples held one by one: they cost memory, and making the window anew costs time every so many samples. */
const HELD_SAMPLES = 64;

const result = createSummary();
const newest = createColumns(1);

export function createMovingWindow({
  series,
  disk,
  rangeMs,
  removedBefore,
}: MovingWindowOptions): MovingWindow {
  const { memory } = series;
  // Windows made at the same time should not all be made anew at the same time.
  let room = 1 + ((series.ref * 7 + Math.round(rangeMs / 60_000) * 13) % HELD_SAMPLES);
  let held = 0;
  let t = new Float64Array(0);
  let v = new Float64Array(0);
  let from = 0;
  const rest = createSummary();
  let heldEndT = Number.POSITIVE_INFINITY;
  let seenEndT = Number.NEGATIVE_INFINITY;
  let seenT = Number.NEGATIVE_INFINITY;
  let seenRewrites = -1;
  let seenOpen: XorChunk | undefined;
  let seenCount = 0;
  // Of a series that is on disk only: all of it was seen.
  let isAtEnd = false;

  const rebuilding: RangeSink = {
    samples(columns, first, to, endT) {
      let begin = first;
      if (rest.count === 0 && held < room) {
        if (held === 0) heldEndT = endT;
        const count = Math.min(room - held, to - first);
        t.set(columns.t.subarray(first, first + count), held);
        v.set(columns.v.subarray(first, first + count), held);
        held += count;
        begin += count;
      }
      addSamples(rest, columns.t, columns.v, begin, to);
    },
    summary: (part) => addSummary(rest, part),
  };
  const adding: RangeSink = {
    samples: (columns, first, to) => addSamples(rest, columns.t, columns.v, first, to),
    summary: (part) => addSummary(rest, part),
  };

  const rebuild = (endT: number) => {
    if (t.length < room) {
      t = new Float64Array(room);
      v = new Float64Array(room);
    }
    held = 0;
    from = 0;
    heldEndT = Number.POSITIVE_INFINITY;
    clearSummary(rest);
    walkRange(series, disk, endT - rangeMs + 1, endT, rebuilding, true);
    room = HELD_SAMPLES;
  };

  const add = (startT: number, endT: number) => {
    if (memory === undefined ? isAtEnd : memory.lastT <= seenT) return;
    const open = memory?.open;
    const hasOneMore = open !== undefined && open === seenOpen && open.count === seenCount + 1;
    if (hasOneMore && open.maxT > startT && open.maxT <= endT) {
      newest.t[0] = open.maxT;
      newest.words[0] = open.low;
      newest.words[1] = open.high;
      // A stale marker is told from a sample by the walk.
      if (!Number.isNaN(newest.v[0]!)) return addSamples(rest, newest.t, newest.v, 0, 1);
    }
    walkRange(series, disk, Math.max(seenT, startT) + 1, endT, adding);
  };

  const isCurrent = (endT: number) =>
    seenRewrites === (memory?.rewrites ?? 0) &&
    endT >= seenEndT &&
    endT - seenEndT <= rangeMs &&
    heldEndT >= removedBefore();

  return {
    summaryUntil(endT) {
      const startT = endT - rangeMs;
      let made = !isCurrent(endT);
      if (!made) {
        add(startT, endT);
        while (from < held && t[from]! <= startT) from += 1;
        made = from === held && rest.count > 0;
      }
      if (made) rebuild(endT);
      seenEndT = endT;
      seenRewrites = memory?.rewrites ?? 0;
      if (memory === undefined) {
        seenT = endT;
        isAtEnd ||=
          disk.rows(series.ref, endT + 1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY).length === 0;
      } else {
        // What comes in order is later than the newest, though it may be earlier than `endT`.
        seenT = Math.min(memory.lastT, endT);
        seenOpen = memory.lastT <= endT ? memory.open : undefined;
        seenCount = seenOpen?.count ?? 0;
      }
      clearSummary(result);
      addSamples(result, t, v, from, held);
      addSummary(result, rest);
      return result;
    },
  };
}
