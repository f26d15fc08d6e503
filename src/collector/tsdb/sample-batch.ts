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

/** Bytes that grow by what is written at their end. */
interface Pen {
  bytes: Uint8Array;
  view: DataView;
  at: number;
}

// Written to one batch after another.
const shared = penOf(2 ** 16);
// Two varints of ten bytes, and the value.
const MOST_SAMPLE_BYTES = 28;
const MOST_KEPT_BYTES = 2 ** 21;
const SAMPLES_A_STEP = 10_000;

/**
 * The bytes of a batch in the journal: a varint count, then for each sample the series (zigzag varint, difference
 * to the one before), the time in milliseconds (likewise), and the value's low and high word, little-endian. Valid until
 * the next call.
 */
export function encodeBatch(batch: SampleBatch): Uint8Array {
  const most = mostBytes(batch);
  if (most > shared.bytes.length || shared.bytes.length > MOST_KEPT_BYTES) Object.assign(shared, penOf(most));
  shared.at = 0;
  writeVarint(shared, batch.length);
  writeSamples(shared, batch, 0, batch.length);
  return shared.bytes.subarray(0, shared.at);
}

/** The same bytes a piece at a time, and the caller's for good. */
export function* encoding(batch: SampleBatch): Generator<undefined, Uint8Array> {
  const pen = penOf(mostBytes(batch));
  writeVarint(pen, batch.length);
  for (let from = 0; from < batch.length; from += SAMPLES_A_STEP) {
    if (from > 0) yield undefined;
    writeSamples(pen, batch, from, Math.min(batch.length, from + SAMPLES_A_STEP));
  }
  return pen.bytes.subarray(0, pen.at);
}

const mostBytes = ({ length }: SampleBatch) => length * MOST_SAMPLE_BYTES + 10;

function penOf(size: number): Pen {
  const bytes = new Uint8Array(size);
  return { bytes, view: new DataView(bytes.buffer), at: 0 };
}

function writeSamples(pen: Pen, { refs, t, high, low }: SampleBatch, from: number, to: number): void {
  let ref = from === 0 ? 0 : refs[from - 1]!;
  let time = from === 0 ? 0 : t[from - 1]!;
  for (let i = from; i < to; i += 1) {
    writeDifference(pen, refs[i]! - ref);
    writeDifference(pen, t[i]! - time);
    ref = refs[i]!;
    time = t[i]!;
    pen.view.setUint32(pen.at, low[i]!, true);
    pen.view.setUint32(pen.at + 4, high[i]!, true);
    pen.at += 8;
  }
}

function writeDifference(pen: Pen, difference: number): void {
  writeVarint(pen, difference < 0 ? -difference * 2 - 1 : difference * 2);
}

function writeVarint(pen: Pen, value: number): void {
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    pen.bytes[pen.at] = (rest % 0x80) | 0x80;
    pen.at += 1;
  }
  pen.bytes[pen.at] = rest;
  pen.at += 1;
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
