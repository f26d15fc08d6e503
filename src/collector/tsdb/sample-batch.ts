import { PbfReader } from 'pbf';
import type { SeriesRef } from '../storage/storage.ts';

/** The samples of one commit as columns, in the order they were appended; values as words. */
export interface SampleBatch {
  length: number;
  refs: Float64Array;
  t: Float64Array;
  high: Uint32Array;
  low: Uint32Array;
}

/** Columns for one batch after another: made anew each time they would cost page faults and collections of garbage. */
export interface SpareBatches {
  /** An empty one. */
  take(): SampleBatch;
  /** Nobody reads it any more. */
  give(batch: SampleBatch): void;
}

const MOST_SPARE = 4;
const MOST_SPARE_SAMPLES = 2 ** 16;

export function createSpareBatches(): SpareBatches {
  const spare: SampleBatch[] = [];
  return {
    take() {
      const batch = spare.pop() ?? { length: 0, ...columns(64) };
      batch.length = 0;
      return batch;
    },
    give(batch) {
      if (spare.length < MOST_SPARE && batch.refs.length <= MOST_SPARE_SAMPLES) spare.push(batch);
    },
  };
}

export function pushSample(batch: SampleBatch, ref: SeriesRef, t: number, high: number, low: number): void {
  if (batch.length === batch.refs.length) growBatch(batch);
  const at = batch.length;
  batch.refs[at] = ref;
  batch.t[at] = t;
  batch.high[at] = high;
  batch.low[at] = low;
  batch.length += 1;
}

/** Takes out samples outside the bounds (inclusive), and answers how many those were. */
export function dropOutside(batch: SampleBatch, minT: number, maxT: number): number {
  let kept = 0;
  for (let i = 0; i < batch.length; i += 1) {
    const t = batch.t[i]!;
    if (t < minT || t > maxT) continue;
    batch.refs[kept] = batch.refs[i]!;
    batch.t[kept] = t;
    batch.high[kept] = batch.high[i]!;
    batch.low[kept] = batch.low[i]!;
    kept += 1;
  }
  const dropped = batch.length - kept;
  batch.length = kept;
  return dropped;
}

// Written to one batch after another; grows to the largest that is not kept for long.
let written = new Uint8Array(2 ** 16);
let view = new DataView(written.buffer);
// Two varints of ten bytes, and the value.
const MOST_SAMPLE_BYTES = 28;
const MOST_KEPT_BYTES = 2 ** 21;

/**
 * The bytes of a batch in the journal: a varint count, then for each sample the series (zigzag varint, difference
 * to the one before), the time in milliseconds (likewise), and the value's low and high word, little-endian. Valid until
 * the next call.
 */
export function encodeBatch({ length, refs, t, high, low }: SampleBatch): Uint8Array {
  const most = length * MOST_SAMPLE_BYTES + 10;
  if (most > written.length || written.length > MOST_KEPT_BYTES) {
    written = new Uint8Array(most);
    view = new DataView(written.buffer);
  }
  let at = writeVarint(0, length);
  let ref = 0;
  let time = 0;
  for (let i = 0; i < length; i += 1) {
    at = writeDifference(at, refs[i]! - ref);
    at = writeDifference(at, t[i]! - time);
    ref = refs[i]!;
    time = t[i]!;
    view.setUint32(at, low[i]!, true);
    view.setUint32(at + 4, high[i]!, true);
    at += 8;
  }
  return written.subarray(0, at);
}

function writeDifference(at: number, difference: number): number {
  const code = difference < 0 ? -difference * 2 - 1 : difference * 2;
  if (code >= 0x80) return writeVarint(at, code);
  written[at] = code;
  return at + 1;
}

function writeVarint(start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    written[at] = (rest % 0x80) | 0x80;
    at += 1;
  }
  written[at] = rest;
  return at + 1;
}

export function decodeBatch(bytes: Uint8Array): SampleBatch {
  const reader = new PbfReader(bytes);
  const length = reader.readVarint();
  const batch: SampleBatch = { length, ...columns(length) };
  let ref = 0;
  let t = 0;
  for (let i = 0; i < length; i += 1) {
    ref += reader.readSVarint();
    t += reader.readSVarint();
    batch.refs[i] = ref;
    batch.t[i] = t;
    batch.low[i] = reader.readFixed32();
    batch.high[i] = reader.readFixed32();
  }
  return batch;
}

function columns(length: number) {
  return {
    refs: new Float64Array(length),
    t: new Float64Array(length),
    high: new Uint32Array(length),
    low: new Uint32Array(length),
  };
}

function growBatch(batch: SampleBatch): void {
  const bigger = columns(batch.refs.length * 4);
  bigger.refs.set(batch.refs);
  bigger.t.set(batch.t);
  bigger.high.set(batch.high);
  bigger.low.set(batch.low);
  Object.assign(batch, bigger);
}
