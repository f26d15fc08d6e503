import {
  addSamples,
  addSummary,
  clearSummary,
  createSummary,
  type RangeSummary,
} from '../storage/range-summary.ts';
import { createColumns, type SealedChunk } from './chunk.ts';
import { addChunk, liveSamples } from './chunk-summary.ts';
import { type DiskRows, type RangeSink, type WalkedSeries, walkRange } from './range-walk.ts';
import { lowerBound } from './series.ts';

/**
 * A window that moves on over one series, in three parts: its oldest samples one by one, the chunks after them, still
 * compressed and with what they come to, and what all the rest comes to, to which new samples are added. Nothing is
 * ever taken out of a summary, so no rounding piles up: when the samples run out more are decoded from the chunks, and
 * when those do, or something changed behind its back, all is made anew.
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

// What is held decides what a window costs in memory, and how seldom chunks are decoded and read from disk.
const HELD_SAMPLES = 16;
const HELD_CHUNKS = 4;

const result = createSummary();
const newest = createColumns(1);

export function createMovingWindow({
  series,
  disk,
  rangeMs,
  removedBefore,
}: MovingWindowOptions): MovingWindow {
  const { memory } = series;
  const t = new Float64Array(HELD_SAMPLES);
  const v = new Float64Array(HELD_SAMPLES);
  const chunks: SealedChunk[] = [];
  const ofChunks = createSummary();
  const rest = createSummary();
  // Windows made at the same time should not all be made anew at the same time.
  const turn = series.ref + Math.round(rangeMs / 60_000);
  const state = {
    from: 0,
    held: 0,
    samplesRoom: 1 + (turn % HELD_SAMPLES),
    chunksRoom: 1 + (turn % HELD_CHUNKS),
    /** The end of what holds the oldest sample: retention takes it as a whole. */
    heldEndT: Number.POSITIVE_INFINITY,
    seenEndT: Number.NEGATIVE_INFINITY,
    /** All of the series is seen up to here. */
    seenT: Number.NEGATIVE_INFINITY,
    seenRewrites: -1,
    /** Of its open chunk, which begins with this time, so many samples. */
    seenOpenT: Number.NaN,
    seenCount: 0,
    /** Of a series that is on disk only: all of it was seen. */
    isAtEnd: false,
  };

  /** Takes samples one by one while there is room and nothing comes before them; answers how many. */
  const hold = (allT: Float64Array, allV: Float64Array, from: number, to: number) => {
    if (ofChunks.count > 0 || rest.count > 0 || state.held >= state.samplesRoom) return 0;
    const count = Math.min(state.samplesRoom - state.held, to - from);
    t.set(allT.subarray(from, from + count), state.held);
    v.set(allV.subarray(from, from + count), state.held);
    state.held += count;
    return count;
  };

  let endOfWalk = 0;
  const rebuilding: RangeSink = {
    samples(columns, from, to, endT, chunk, isOpen) {
      if (state.held === 0) state.heldEndT = endT;
      const begin = from + hold(columns.t, columns.v, from, to);
      const keepsChunk = rest.count === 0 && chunks.length < state.chunksRoom && chunk.maxT <= endOfWalk;
      if (!keepsChunk || isOpen) {
        addSamples(rest, columns.t, columns.v, begin, to);
        return;
      }
      chunks.push({ ...chunk, bytes: chunk.bytes.slice() });
      addSamples(ofChunks, columns.t, columns.v, begin, to);
    },
    summary: (part) => addSummary(rest, part),
  };
  const adding: RangeSink = {
    samples: (columns, from, to) => addSamples(rest, columns.t, columns.v, from, to),
    summary: (part) => addSummary(rest, part),
  };

  const rebuild = (endT: number) => {
    state.from = 0;
    state.held = 0;
    state.heldEndT = Number.POSITIVE_INFINITY;
    chunks.length = 0;
    clearSummary(ofChunks);
    clearSummary(rest);
    // It may be further back than what was seen.
    state.isAtEnd = false;
    endOfWalk = endT;
    walkRange(series, disk, endT - rangeMs + 1, endT, rebuilding, true);
    state.samplesRoom = HELD_SAMPLES;
    state.chunksRoom = HELD_CHUNKS;
  };

  /** Samples after `startT` from the chunks that are held; false when there are none left. */
  const refill = (startT: number): boolean => {
    while (chunks.length > 0 && chunks[0]!.maxT <= startT) chunks.shift();
    state.from = 0;
    state.held = 0;
    clearSummary(ofChunks);
    if (chunks.length === 0) return false;
    const columns = liveSamples(chunks[0]!);
    const from = lowerBound(columns.t, startT + 1, columns.length);
    const count = Math.min(HELD_SAMPLES, columns.length - from);
    t.set(columns.t.subarray(from, from + count));
    v.set(columns.v.subarray(from, from + count));
    state.held = count;
    addSamples(ofChunks, columns.t, columns.v, from + count, columns.length);
    for (let i = 1; i < chunks.length; i += 1) addChunk(ofChunks, chunks[i]!);
    return count > 0;
  };

  const add = (startT: number, endT: number) => {
    if (memory === undefined ? state.isAtEnd : memory.lastT <= state.seenT) return;
    const hasOneMore =
      memory !== undefined && memory.openCount === state.seenCount + 1 && memory.openT === state.seenOpenT;
    if (hasOneMore && memory.lastT > startT && memory.lastT <= endT) {
      newest.t[0] = memory.lastT;
      newest.words[0] = memory.lastLow;
      newest.words[1] = memory.lastHigh;
      // A stale marker is told from a sample by the walk.
      if (!Number.isNaN(newest.v[0]!)) {
        addSamples(rest, newest.t, newest.v, 0, 1);
        return;
      }
    }
    walkRange(series, disk, Math.max(state.seenT, startT) + 1, endT, adding);
  };

  const isCurrent = (endT: number) =>
    state.seenRewrites === (memory?.rewrites ?? 0) &&
    endT >= state.seenEndT &&
    endT - state.seenEndT <= rangeMs &&
    state.heldEndT >= removedBefore();

  const move = (endT: number) => {
    if (!isCurrent(endT)) {
      rebuild(endT);
      return;
    }
    const startT = endT - rangeMs;
    add(startT, endT);
    while (state.from < state.held && t[state.from]! <= startT) state.from += 1;
    if (state.from < state.held) return;
    if (chunks.length > 0 && refill(startT)) return;
    if (ofChunks.count > 0 || rest.count > 0) rebuild(endT);
  };

  const remember = (endT: number) => {
    state.seenEndT = endT;
    state.seenRewrites = memory?.rewrites ?? 0;
    if (memory === undefined) {
      state.seenT = endT;
      const { POSITIVE_INFINITY: end } = Number;
      state.isAtEnd ||= disk.rows(series.ref, endT + 1, end, end).length === 0;
      return;
    }
    // What comes in order is later than the newest, though it may be earlier than `endT`.
    state.seenT = Math.min(memory.lastT, endT);
    const hasSeenOpen = memory.openCount > 0 && memory.lastT <= endT;
    state.seenOpenT = hasSeenOpen ? memory.openT : Number.NaN;
    state.seenCount = memory.openCount;
  };

  return {
    summaryUntil(endT) {
      move(endT);
      remember(endT);
      clearSummary(result);
      addSamples(result, t, v, state.from, state.held);
      addSummary(result, ofChunks);
      addSummary(result, rest);
      return result;
    },
  };
}
