import { isCanonical } from '../../model/labels.ts';
import type { RemoteWriteLimits } from './remote-write-limits.ts';
import {
  BYTES,
  checkLabelBytes,
  FIXED64,
  LABELS,
  MOST_KEY_BYTES,
  SAMPLES,
  TIMESERIES,
  VARINT,
  type WriteRequestVisitor,
} from './remote-write-parts.ts';

/** Reads a series that looks as nearly all do: canonical labels where it is not known, then samples of a value and a time. */
export interface PlainReader {
  /** Answers how many samples the field at `at` held, and -1 when it is none of those: nothing happened then. */
  read(at: number, room: number): number;
  /** Where the field ends that was read. */
  readonly end: number;
}

export function createPlainReader(
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
        const labelBytes = checkLabelBytes(key, limits);
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

const SERIES_TAG = (TIMESERIES << 3) | BYTES;
const LABEL_TAG = (LABELS << 3) | BYTES;
const SAMPLE_TAG = (SAMPLES << 3) | BYTES;
const VALUE_TAG = (1 << 3) | FIXED64;
const TIME_TAG = (2 << 3) | VARINT;
// 49 bits: a safe integer that is not negative.
const MOST_TIME_BYTES = 7;
