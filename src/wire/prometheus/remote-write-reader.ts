import { isUtf8 } from 'node:buffer';
import { PbfReader } from 'pbf';
import { decodeLabels, encodeLabels, toLabels } from '../../model/labels.ts';
import { CodedError, messageOf } from '../../util/coded-error.ts';
import type { RemoteWriteLimits } from './remote-write-limits.ts';

/** Who takes what a request holds, as it is read. */
export interface WriteRequestVisitor {
  /**
   * A series with at least one sample; the bytes are those of `encodeLabels`, good until the next call. False when it
   * is not taken: its samples are then passed over.
   */
  series(labelBytes: Uint8Array, samples: number): boolean;
  /** A sample of that series: milliseconds, and the two words of its value. */
  sample(t: number, high: number, low: number): void;
  /** What cannot be kept whatever the store says: so many samples, and why. */
  refused(samples: number, why: string): void;
}

// Field numbers of prompb/remote.proto and prompb/types.proto.
const TIMESERIES = 1;
const LABELS = 1;
const SAMPLES = 2;
const HISTOGRAMS = 4;

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;

function malformed(what: string, cause?: unknown): CodedError {
  return new CodedError(
    'REMOTE_WRITE_MALFORMED',
    `the write request is malformed: ${what}; nothing was stored`,
    {
      status: 400,
      cause,
    },
  );
}

/**
 * Reads a `prometheus.WriteRequest`, one series a step, so that the caller may give others their turn in between. No
 * object is made per sample, and no string unless something is odd about a series: labels in order are copied from one
 * spelling into the other as bytes. Exemplars and metadata are passed over.
 *
 * @throws REMOTE_WRITE_MALFORMED, REMOTE_WRITE_LIMIT: nothing of the request may be kept.
 */
export function* readWriteRequest(
  bytes: Uint8Array,
  limits: RemoteWriteLimits,
  visitor: WriteRequestVisitor,
): Generator<void, void> {
  const reader = new PbfReader(bytes);
  const key = createSeriesKey(limits);
  let samples = 0;
  while (reader.pos < reader.length) {
    samples += readField(reader, key, visitor, limits.samples - samples);
    yield;
  }
  if (reader.pos !== reader.length) throw malformed('it is cut off');
}

/** Answers how many samples the field held; `room` is how many may yet come. */
function readField(reader: PbfReader, key: SeriesKey, visitor: WriteRequestVisitor, room: number): number {
  try {
    if (reader.nextField(reader.length) !== TIMESERIES) {
      reader.skip(reader.type);
      return 0;
    }
    return readSeries(reader, enter(reader, reader.length), key, visitor, room);
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw malformed(messageOf(error), error);
  }
}

function readSeries(
  reader: PbfReader,
  end: number,
  key: SeriesKey,
  visitor: WriteRequestVisitor,
  room: number,
): number {
  const start = reader.pos;
  let samples = 0;
  let histograms = 0;
  key.clear();
  for (let field = nextField(reader, end); field !== 0; field = nextField(reader, end)) {
    if (field === LABELS) readLabel(reader, enter(reader, end), key);
    else if (field === SAMPLES) samples += 1;
    else if (field === HISTOGRAMS) histograms += 1;
  }
  if (samples + histograms > room)
    throw new CodedError(
      'REMOTE_WRITE_LIMIT',
      'the write request has too many samples; nothing was stored: send smaller batches',
      { status: 413 },
    );
  if (histograms > 0) visitor.refused(histograms, 'native histograms are not stored');
  if (samples === 0) return histograms;
  const labelBytes = key.finish();
  if (typeof labelBytes === 'string') visitor.refused(samples, labelBytes);
  else if (visitor.series(labelBytes, samples)) {
    // Once more, now that the series is known: labels need not stand before samples.
    reader.pos = start;
    for (let field = nextField(reader, end); field !== 0; field = nextField(reader, end))
      if (field === SAMPLES) readSample(reader, enter(reader, end), visitor);
  }
  return samples + histograms;
}

function readLabel(reader: PbfReader, end: number, key: SeriesKey): void {
  let nameAt = 0;
  let nameEnd = 0;
  let valueAt = 0;
  let valueEnd = 0;
  for (let field = nextField(reader, end); field !== 0; field = nextField(reader, end)) {
    if (field !== 1 && field !== 2) continue;
    const stop = enter(reader, end);
    if (field === 1) {
      nameAt = reader.pos;
      nameEnd = stop;
    } else {
      valueAt = reader.pos;
      valueEnd = stop;
    }
    reader.pos = stop;
  }
  key.add(reader.buf, nameAt, nameEnd, valueAt, valueEnd);
}

function readSample(reader: PbfReader, end: number, visitor: WriteRequestVisitor): void {
  let t = 0;
  let high = 0;
  let low = 0;
  for (let field = nextField(reader, end); field !== 0; field = nextField(reader, end)) {
    if (field === 1) {
      expectType(reader, FIXED64);
      low = reader.readFixed32();
      high = reader.readFixed32();
    } else if (field === 2) {
      expectType(reader, VARINT);
      t = reader.readVarint(true);
    }
  }
  if (Number.isSafeInteger(t)) visitor.sample(t, high, low);
  else visitor.refused(1, `a sample at ${t} ms is out of all bounds`);
}

/** The next field of a message that ends at `end`, or 0 there. One that is not read is passed over. */
function nextField(reader: PbfReader, end: number): number {
  const field = reader.pos < end ? reader.nextField(end) : 0;
  if (field === 0 && reader.pos !== end)
    throw malformed(`a field ends at byte ${reader.pos}, its message at ${end}`);
  return field;
}

function expectType(reader: PbfReader, type: number): void {
  if (reader.type !== type)
    throw malformed(`wire type ${reader.type} at byte ${reader.pos}, expected ${type}`);
}

/** Steps into a length-delimited field and answers where it ends. */
function enter(reader: PbfReader, parentEnd: number): number {
  expectType(reader, BYTES);
  const end = reader.readVarint() + reader.pos;
  if (!(end <= parentEnd)) throw malformed(`a field of byte ${reader.pos} ends after its message`);
  return end;
}

/** Collects the labels of a series in the store's spelling. */
interface SeriesKey {
  clear(): void;
  add(from: Uint8Array, nameAt: number, nameEnd: number, valueAt: number, valueEnd: number): void;
  /** The canonical bytes, or why these labels name no series. */
  finish(): Uint8Array | string;
}

const NAME = Buffer.from('__name__');
const MOST_KEY_BYTES = 512 * 1024;

function createSeriesKey(limits: RemoteWriteLimits): SeriesKey {
  let bytes = new Uint8Array(1024);
  let size = 0;
  let labels = 0;
  let lastNameAt = 0;
  let lastNameEnd = 0;
  let inOrder = true;
  let named = false;
  let wrong = '';

  const makeRoom = (more: number) => {
    if (size + more <= bytes.length) return;
    const bigger = new Uint8Array(Math.max(bytes.length * 2, size + more));
    bigger.set(bytes.subarray(0, size));
    bytes = bigger;
  };

  const addText = (from: Uint8Array, at: number, end: number) => {
    let rest = end - at;
    while (rest >= 0x80) {
      bytes[size] = (rest & 0x7f) | 0x80;
      size += 1;
      rest >>>= 7;
    }
    bytes[size] = rest;
    size += 1;
    let seen = 0;
    for (let i = at; i < end; i += 1) {
      const byte = from[i]!;
      seen |= byte;
      bytes[size] = byte;
      size += 1;
    }
    if (seen >= 0x80 && !isUtf8(from.subarray(at, end))) wrong ||= 'a label is not UTF-8';
  };

  return {
    clear() {
      size = 0;
      labels = 0;
      inOrder = true;
      named = false;
      wrong = '';
    },
    add(from, nameAt, nameEnd, valueAt, valueEnd) {
      labels += 1;
      const more = nameEnd - nameAt + valueEnd - valueAt + 10;
      if (labels > limits.labels) wrong ||= `a series has more than ${limits.labels} labels`;
      else if (size + more > MOST_KEY_BYTES)
        wrong ||= `a series has labels of more than ${MOST_KEY_BYTES} bytes`;
      else if (nameEnd === nameAt) wrong ||= 'a label has no name';
      if (wrong !== '') return;
      makeRoom(more);
      const at = size + (nameEnd - nameAt < 0x80 ? 1 : nameEnd - nameAt < 0x4000 ? 2 : 3);
      addText(from, nameAt, nameEnd);
      const after = labels === 1 || compare(bytes, lastNameAt, lastNameEnd, at, size) < 0;
      if (!after || valueEnd === valueAt) inOrder = false;
      lastNameAt = at;
      lastNameEnd = size;
      if (valueEnd > valueAt && isName(bytes, at, size)) named = true;
      addText(from, valueAt, valueEnd);
    },
    finish() {
      if (wrong !== '') return wrong;
      if (!named) return 'a series has no metric name';
      const spelled = bytes.subarray(0, size);
      return inOrder ? spelled : canonical(spelled);
    },
  };
}

function isName(bytes: Uint8Array, at: number, end: number): boolean {
  return end - at === NAME.length && NAME.compare(bytes, at, end) === 0;
}

function compare(bytes: Uint8Array, at: number, end: number, otherAt: number, otherEnd: number): number {
  const length = Math.min(end - at, otherEnd - otherAt);
  for (let i = 0; i < length; i += 1) {
    const difference = bytes[at + i]! - bytes[otherAt + i]!;
    if (difference !== 0) return difference;
  }
  return end - at - (otherEnd - otherAt);
}

/** Sorts; a name given twice makes no series, as in Prometheus. */
function canonical(spelled: Uint8Array): Uint8Array | string {
  const labels = decodeLabels(spelled);
  const names = new Set<string>();
  for (const [name] of labels) {
    if (names.has(name)) return `label ${JSON.stringify(name.slice(0, 64))} is given twice`;
    names.add(name);
  }
  return encodeLabels(toLabels(labels));
}
