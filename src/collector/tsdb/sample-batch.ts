import { PbfReader, PbfWriter } from 'pbf';
import type { SeriesRef } from '../storage/storage.ts';

/** The samples of one commit as columns, in the order they were appended; values as words. */
export interface SampleBatch {
  length: number;
  refs: Float64Array;
  t: Float64Array;
  high: Uint32Array;
  low: Uint32Array;
}

export function createBatch(): SampleBatch {
  return { length: 0, ...columns(64) };
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

/**
 * The bytes of a batch in the journal: a varint count, then for each sample the series (zigzag varint, difference
 * to the one before), the time in milliseconds (likewise), and the value's low and high word, little-endian.
 */
export function encodeBatch(batch: SampleBatch): Uint8Array {
  const writer = new PbfWriter(new Uint8Array(batch.length * 12 + 16));
  writer.writeVarint(batch.length);
  let ref = 0;
  let t = 0;
  for (let i = 0; i < batch.length; i += 1) {
    writer.writeSVarint(batch.refs[i]! - ref);
    writer.writeSVarint(batch.t[i]! - t);
    ref = batch.refs[i]!;
    t = batch.t[i]!;
    writer.writeFixed32(batch.low[i]!);
    writer.writeFixed32(batch.high[i]!);
  }
  return writer.finish();
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
