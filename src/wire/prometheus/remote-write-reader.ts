import { isUtf8 } from 'node:buffer';
import { PbfReader } from 'pbf';
import {
  encodeLabels,
  isCanonical,
  type Label,
  METRIC_NAME,
  toLabels,
  walkLabels,
} from '../../model/labels.ts';
import { CodedError, messageOf } from '../../util/coded-error.ts';
import type { RemoteWriteLimits } from './remote-write-limits.ts';

/** Who takes what a request holds, as it is read. */
export interface WriteRequestVisitor {
  /** Whether the series is known by bytes `from` to before `to`; its samples come next if so. */
  known(bytes: Uint8Array, from: number, to: number): boolean;
  /**
   * A series with at least one sample that is not; the bytes are those of `encodeLabels`, good until the next call. False
   * when it is not taken: its samples are then passed over.
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
 * Reads a `prometheus.WriteRequest`, some series a step, so that the caller may give others their turn in between. No
 * object is made per sample, and none per series that is known: its labels are looked for as they came. Exemplars and
 * metadata are passed over.
 *
 * @throws REMOTE_WRITE_MALFORMED, REMOTE_WRITE_LIMIT: nothing of the request may be kept.
 */
export function* readWriteRequest(
  bytes: Uint8Array,
  limits: RemoteWriteLimits,
  visitor: WriteRequestVisitor,
): Generator<void, void> {
  const reader = new PbfReader(bytes);
  const plain = createPlainReader(bytes, limits, visitor);
  let samples = 0;
  for (let fields = 1; reader.pos < reader.length; fields += 1) {
    const room = limits.samples - samples;
    const read = plain.read(reader.pos, room);
    if (read < 0) samples += readField(reader, limits, visitor, room);
    else {
      samples += read;
      reader.pos = plain.end;
    }
    if (fields % SERIES_A_STEP === 0) yield;
  }
  if (reader.pos !== reader.length) throw malformed('it is cut off');
}

/** Reads a series that looks as nearly all do: canonical labels where it is not known, then samples of a value and a time. */
interface PlainReader {
  /** Answers how many samples the field at `at` held, and -1 when it is none of those: nothing happened then. */
  read(at: number, room: number): number;
  /** Where the field ends that was read. */
  readonly end: number;
}

function createPlainReader(
  bytes: Uint8Array,
  limits: RemoteWriteLimits,
  visitor: WriteRequestVisitor,
): PlainReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { length } = bytes;
  let fieldEnd = 0;
  let contentAt = 0;

  /** Whether a field with this tag begins at `at` and ends by `limit`. */
  const enters = (tag: number, at: number, limit: number) => {
    if (at + 2 > limit || bytes[at] !== tag) return false;
    let size = bytes[at + 1]!;
    contentAt = at + 2;
    if (size >= 0x80) {
      size &= 0x7f;
      for (let shift = 7; ; shift += 7) {
        if (contentAt >= limit || shift > 21) return false;
        const byte = bytes[contentAt]!;
        contentAt += 1;
        size |= (byte & 0x7f) << shift;
        if (byte < 0x80) break;
      }
    }
    fieldEnd = contentAt + size;
    return fieldEnd <= limit;
  };

  /** Of the sample whose content is from `from` to before `to`, where its time begins; -1 when it looks otherwise. */
  const timeOf = (from: number, to: number) => {
    // A value of 0 is left out.
    const at = bytes[from] === VALUE_TAG ? from + 9 : from;
    const first = at + 1;
    const size = to - first;
    if (at >= to || bytes[at] !== TIME_TAG || size < 1 || size > MOST_TIME_BYTES) return -1;
    for (let i = first; i < to - 1; i += 1) if (bytes[i]! < 0x80) return -1;
    return bytes[to - 1]! < 0x80 ? first : -1;
  };

  return {
    read(at, room) {
      if (!enters(SERIES_TAG, at, length)) return -1;
      const seriesEnd = fieldEnd;
      const start = contentAt;
      let next = start;
      while (enters(LABEL_TAG, next, seriesEnd)) next = fieldEnd;
      const labelsEnd = next;
      let samples = 0;
      while (next < seriesEnd) {
        if (!enters(SAMPLE_TAG, next, seriesEnd) || timeOf(contentAt, fieldEnd) < 0) return -1;
        next = fieldEnd;
        samples += 1;
      }
      if (samples === 0 || samples > room) return -1;
      if (!visitor.known(bytes, start, labelsEnd)) {
        const key = bytes.subarray(start, labelsEnd);
        if (key.length > MOST_KEY_BYTES || !isCanonical(key)) return -1;
        const labelBytes = checked(key, limits);
        const isTaken = typeof labelBytes !== 'string' && visitor.series(labelBytes, samples);
        if (typeof labelBytes === 'string') visitor.refused(samples, labelBytes);
        if (!isTaken) {
          fieldEnd = seriesEnd;
          return samples;
        }
      }
      for (next = labelsEnd; next < seriesEnd; next = fieldEnd) {
        enters(SAMPLE_TAG, next, seriesEnd);
        const hasValue = bytes[contentAt] === VALUE_TAG;
        let time = 0;
        for (let i = timeOf(contentAt, fieldEnd), scale = 1; i < fieldEnd; i += 1, scale *= 0x80)
          time += (bytes[i]! & 0x7f) * scale;
        const low = hasValue ? view.getUint32(contentAt + 1, true) : 0;
        const high = hasValue ? view.getUint32(contentAt + 5, true) : 0;
        visitor.sample(time, high, low);
      }
      fieldEnd = seriesEnd;
      return samples;
    },
    get end() {
      return fieldEnd;
    },
  };
}

/** Answers how many samples the field held; `room` is how many may yet come. */
function readField(
  reader: PbfReader,
  limits: RemoteWriteLimits,
  visitor: WriteRequestVisitor,
  room: number,
): number {
  try {
    if (reader.nextField(reader.length) !== TIMESERIES) {
      reader.skip(reader.type);
      return 0;
    }
    return readSeries(reader, enter(reader, reader.length), limits, visitor, room);
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw malformed(messageOf(error), error);
  }
}

function readSeries(
  reader: PbfReader,
  end: number,
  limits: RemoteWriteLimits,
  visitor: WriteRequestVisitor,
  room: number,
): number {
  const start = reader.pos;
  const labelsEnd = endOfLabels(reader.buf, start, end);
  let samples = 0;
  let histograms = 0;
  let scattered = false;
  reader.pos = labelsEnd;
  for (let field = nextField(reader, end); field !== 0; field = nextField(reader, end)) {
    if (field === SAMPLES) samples += 1;
    else if (field === HISTOGRAMS) histograms += 1;
    else if (field === LABELS) scattered = true;
  }
  if (samples + histograms > room)
    throw new CodedError(
      'REMOTE_WRITE_LIMIT',
      'the write request has too many samples; nothing was stored: send smaller batches',
      { status: 413 },
    );
  if (histograms > 0) visitor.refused(histograms, 'native histograms are not stored');
  if (samples === 0) return histograms;
  if (scattered || !visitor.known(reader.buf, start, labelsEnd)) {
    const labelBytes = scattered
      ? readScattered(reader, start, end, limits)
      : readLabels(reader, start, labelsEnd, limits);
    if (typeof labelBytes === 'string') {
      visitor.refused(samples, labelBytes);
      reader.pos = end;
      return samples + histograms;
    }
    if (!visitor.series(labelBytes, samples)) {
      reader.pos = end;
      return samples + histograms;
    }
  }
  reader.pos = scattered ? start : labelsEnd;
  for (let field = nextField(reader, end); field !== 0; field = nextField(reader, end)) {
    if (field === SAMPLES) readSample(reader, enter(reader, end), visitor);
  }
  return samples + histograms;
}

// To look at the clock costs as much as a series.
const SERIES_A_STEP = 32;
const SERIES_TAG = (TIMESERIES << 3) | BYTES;
const LABEL_TAG = (LABELS << 3) | BYTES;
const SAMPLE_TAG = (SAMPLES << 3) | BYTES;
const VALUE_TAG = (1 << 3) | FIXED64;
const TIME_TAG = (2 << 3) | VARINT;
// 49 bits: a safe integer that is not negative.
const MOST_TIME_BYTES = 7;

/** The labels that stand first, which are all of them with any sender we know. */
function endOfLabels(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] === LABEL_TAG) {
    let length = bytes[at + 1]!;
    let next = at + 2;
    if (length >= 0x80) {
      length &= 0x7f;
      let byte = 0x80;
      for (let shift = 7; byte >= 0x80 && shift <= 28; shift += 7) {
        byte = next < end ? bytes[next]! : 0x80;
        length += (byte & 0x7f) * 2 ** shift;
        next += 1;
      }
      if (byte >= 0x80) throw malformed(`a field of byte ${at} has no length`);
    }
    if (next + length > end) throw malformed(`a field of byte ${at} ends after its message`);
    at = next + length;
  }
  return at;
}

/** The canonical bytes of the labels, or why they name no series. */
function readLabels(
  reader: PbfReader,
  start: number,
  end: number,
  limits: RemoteWriteLimits,
): Uint8Array | string {
  const span = reader.buf.subarray(start, end);
  if (span.length <= MOST_KEY_BYTES && isCanonical(span)) return checked(span, limits);
  return readScattered(reader, start, end, limits);
}

function checked(labelBytes: Uint8Array, limits: RemoteWriteLimits): Uint8Array | string {
  let labels = 0;
  let named = false;
  let nameless = false;
  walkLabels(labelBytes, 0, labelBytes.length, (nameAt, nameEnd) => {
    labels += 1;
    if (nameEnd === nameAt) nameless = true;
    if (nameEnd - nameAt === NAME.length && NAME.compare(labelBytes, nameAt, nameEnd) === 0) named = true;
    return true;
  });
  if (labels > limits.labels) return tooManyLabels(limits);
  if (nameless) return NAMELESS;
  return named ? labelBytes : UNNAMED;
}

/** The same, whatever the order and the spelling. */
function readScattered(
  reader: PbfReader,
  start: number,
  end: number,
  limits: RemoteWriteLimits,
): Uint8Array | string {
  const labels: Label[] = [];
  const names = new Set<string>();
  let size = 0;
  let wrong = '';
  reader.pos = start;
  for (let field = nextField(reader, end); field !== 0; field = nextField(reader, end)) {
    if (field !== LABELS) continue;
    const [name, value] = readLabel(reader, enter(reader, end));
    size += name.length + value.length + LABEL_OVERHEAD;
    if (labels.length === limits.labels) wrong ||= tooManyLabels(limits);
    else if (size > MOST_KEY_BYTES) wrong ||= `a series has labels of more than ${MOST_KEY_BYTES} bytes`;
    else if (name.length === 0) wrong ||= NAMELESS;
    else if (!isUtf8(name) || !isUtf8(value)) wrong ||= 'a label is not UTF-8';
    if (wrong !== '') continue;
    const label: Label = [textOf(name), textOf(value)];
    labels.push(label);
    // A name given twice makes no series, as in Prometheus.
    if (names.size === names.add(label[0]).size)
      wrong = `label ${JSON.stringify(label[0].slice(0, 64))} is given twice`;
  }
  if (wrong !== '') return wrong;
  const made = toLabels(labels);
  return made.some(([name]) => name === METRIC_NAME) ? encodeLabels(made) : UNNAMED;
}

const NAMELESS = 'a label has no name';
const UNNAMED = 'a series has no metric name';
const tooManyLabels = (limits: RemoteWriteLimits) => `a series has more than ${limits.labels} labels`;

const NAME = Buffer.from(METRIC_NAME);
const MOST_KEY_BYTES = 512 * 1024;
const LABEL_OVERHEAD = 10;
const NOTHING = new Uint8Array(0);

const textOf = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');

function readLabel(reader: PbfReader, end: number): readonly [name: Uint8Array, value: Uint8Array] {
  let name: Uint8Array = NOTHING;
  let value: Uint8Array = NOTHING;
  for (let field = nextField(reader, end); field !== 0; field = nextField(reader, end)) {
    if (field !== 1 && field !== 2) continue;
    const stop = enter(reader, end);
    const text = reader.buf.subarray(reader.pos, stop);
    if (field === 1) name = text;
    else value = text;
    reader.pos = stop;
  }
  return [name, value];
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
