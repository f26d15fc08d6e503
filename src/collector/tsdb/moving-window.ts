import {
  addSamples,
  addSummary,
  clearSummary,
  createSummary,
  type RangeSummary,
} from '../storage/range-summary.ts';
import { liveSamples, summaryOf } from './chunk-summary.ts';
import { type DiskRows, type RangeSink, type WalkedSeries, walkRange } from './range-walk.ts';
import type { RecentSamples } from './recent-samples.ts';
import { createColumns } from './sample-columns.ts';
import type { SealedChunk } from './sealed-chunk.ts';
import { lowerBound } from './series.ts';

/**
 * A window that moves on over one series, in three parts: its oldest samples one by one, the chunks after them, still
 * compressed and with what they come to, and what all the rest comes to, to which new samples are added. Nothing is
 * ever taken out of a summary, so no rounding piles up: when the samples run out more are decoded from the chunks, and
 * when those do, or something changed behind its back, all is made anew. A window of few chunks keeps those that are
 * sealed while it moves, and is made anew from them instead of from disk.
 */
export interface MovingWindow {
  /** The samples with `endT` - `rangeMs` < t <= `endT`. Valid until the next call on any window. */
  summaryUntil(endT: number): RangeSummary;
}

export interface MovingWindowOptions {
  readonly series: WalkedSeries;
  readonly disk: DiskRows;
  readonly rangeMs: number;
  readonly recent: RecentSamples;
  /** Whatever ended before this time is gone by retention. */
  readonly removedBefore: () => number;
}

// What is held decides what a window costs in memory, and how seldom chunks are decoded and read from disk.
const HELD_SAMPLES = 16;
const HELD_CHUNKS = 4;
const SHORT_MS = 2 * 3_600_000;
const MOST_OF_SHORT = 8;

const result = createSummary();
const newest = createColumns(1);

export function createMovingWindow({
  series,
  disk,
  recent,
  rangeMs,
  removedBefore,
}: MovingWindowOptions): MovingWindow {
  const { memory } = series;
  const t = new Float64Array(HELD_SAMPLES);
  const v = new Float64Array(HELD_SAMPLES);
  let chunks: SealedChunk[] = [];
  /** Chunks of which `rest` begins, one after another. */
  let later: SealedChunk[] = [];
  const isShort = rangeMs <= SHORT_MS && memory !== undefined;
  const ofChunks = createSummary();
  const rest = createSummary();
  // Windows made at the same time should not all be made anew at the same time.
  const turn = series.ref + Math.round(rangeMs / 60_000);
  const state = {
    from: 0,
    held: 0,
    samplesRoom: 1 + (turn % HELD_SAMPLES),
    chunksRoom: isShort ? MOST_OF_SHORT : 1 + (turn % HELD_CHUNKS),
    /** Between `later` and the open chunk is nothing. */
    isWhole: false,
    /** The end of what holds the oldest sample: retention takes it as a whole. */
    heldEndT: Number.POSITIVE_INFINITY,
    seenEndT: Number.NEGATIVE_INFINITY,
    /** All of the series is seen up to here. */
    seenT: Number.NEGATIVE_INFINITY,
    seenRewrites: -1,
    /** Of its open chunk, which begins with this time, so many samples. */
    seenOpenT: Number.NaN,
    seenCount: 0,
    rebuilds: 0,
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
        if (!isOpen) state.isWhole = false;
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
    chunks = [];
    later = [];
    state.isWhole = isShort;
    clearSummary(ofChunks);
    clearSummary(rest);
    // It may be further back than what was seen.
    state.isAtEnd = false;
    endOfWalk = endT;
    walkRange(series, disk, endT - rangeMs + 1, endT, rebuilding, isShort ? 'all' : 'first');
    state.samplesRoom = HELD_SAMPLES;
    state.chunksRoom = isShort ? MOST_OF_SHORT : HELD_CHUNKS;
    state.rebuilds += 1;
  };

  /** Samples after `startT` from the chunks that are held; false when there are none left. */
  const refill = (startT: number): boolean => {
    state.from = 0;
    state.held = 0;
    clearSummary(ofChunks);
    let passed = 0;
    for (const chunk of chunks) {
      if (chunk.maxT <= startT) passed += 1;
      else if (state.held === HELD_SAMPLES) addSummary(ofChunks, summaryOf(chunk));
      else {
        const columns = liveSamples(chunk);
        const from = lowerBound(columns.t, startT + 1, columns.length);
        const end = Math.min(columns.length, from + HELD_SAMPLES - state.held);
        t.set(columns.t.subarray(from, end), state.held);
        v.set(columns.v.subarray(from, end), state.held);
        state.held += end - from;
        if (end === columns.length) passed += 1;
        else addSamples(ofChunks, columns.t, columns.v, end, columns.length);
      }
    }
    if (passed > 0) chunks = chunks.slice(passed);
    return state.held > 0;
  };

  /** Windows whose last chunk begins at the same time are not made anew at the same time. */
  const isTurnToRebuild = () => {
    const left = ofChunks.count;
    if (isShort || chunks.length !== 1 || left < HELD_SAMPLES) return false;
    return (turn + state.rebuilds) % Math.ceil(left / HELD_SAMPLES) === 0;
  };

  /** Makes the window anew of the chunks that were sealed meanwhile and the open one; false where that cannot be. */
  const rollOver = (startT: number, endT: number): boolean => {
    if (!state.isWhole || memory === undefined || memory.lastT > endT || later.length === 0) return false;
    const { open } = memory;
    chunks = later;
    later = [];
    clearSummary(rest);
    state.heldEndT = chunks[0]!.maxT;
    if (open !== undefined && open.maxT > startT) {
      const columns = liveSamples(open);
      addSamples(
        rest,
        columns.t,
        columns.v,
        lowerBound(columns.t, startT + 1, columns.length),
        columns.length,
      );
    }
    return refill(startT);
  };

  /** Keeps what was open when it was last looked at, and whatever was sealed since. */
  const keepSealed = () => {
    if (!state.isWhole || memory === undefined || memory.openT === state.seenOpenT) return;
    const { sealed } = memory;
    const from = sealed.findIndex(({ minT }) => minT === state.seenOpenT);
    if (from < 0 || later.length + sealed.length - from > MOST_OF_SHORT) state.isWhole = false;
    else later.push(...sealed.slice(from));
  };

  const add = (startT: number, endT: number) => {
    if (memory === undefined ? state.isAtEnd : memory.lastT <= state.seenT) return;
    keepSealed();
    const hasOneMore =
      memory !== undefined &&
      (memory.openT === state.seenOpenT
        ? memory.openCount === state.seenCount + 1
        : memory.openCount === 1 &&
          later.at(-1)?.minT === state.seenOpenT &&
          later.at(-1)?.count === state.seenCount);
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
    if (memory !== undefined && memory.openT === state.seenOpenT && memory.lastT <= endT) {
      const some = recent.after(memory, state.seenCount);
      if (some !== undefined && (some.length === 0 || some.t[0]! > startT)) {
        addSamples(rest, some.t, some.v, 0, some.length);
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
    if (chunks.length > 0 && refill(startT)) {
      if (isTurnToRebuild()) rebuild(endT);
      return;
    }
    if ((ofChunks.count > 0 || rest.count > 0) && !rollOver(startT, endT)) rebuild(endT);
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
