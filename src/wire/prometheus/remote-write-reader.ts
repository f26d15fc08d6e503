import { isUtf8 } from 'node:buffer';
import { PbfReader } from 'pbf';
import { encodeLabels, isCanonical, type Label, METRIC_NAME, toLabels } from '../../model/labels.ts';
import { CodedError, messageOf } from '../../util/coded-error.ts';
import type { RemoteWriteLimits } from './remote-write-limits.ts';
import {
  BYTES,
  checkLabelBytes,
  FIXED64,
  HISTOGRAMS,
  LABELS,
  MOST_KEY_BYTES,
  NAMELESS,
  SAMPLES,
  TIMESERIES,
  tooManyLabels,
  UNNAMED,
  VARINT,
  type WriteRequestVisitor,
} from './remote-write-parts.ts';
import { createPlainReader } from './remote-write-plain-reader.ts';

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

const LABEL_TAG = (LABELS << 3) | BYTES;
// To look at the clock costs as much as a series.
const SERIES_A_STEP = 32;
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
  if (span.length <= MOST_KEY_BYTES && isCanonical(span)) return checkLabelBytes(span, limits);
  return readScattered(reader, start, end, limits);
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
