/** Samples as columns; a value as its two words. */
export interface WrittenSamples {
  readonly refs: ArrayLike<number>;
  readonly t: ArrayLike<number>;
  readonly high: ArrayLike<number>;
  readonly low: ArrayLike<number>;
}

// Tags of prompb/remote.proto and prompb/types.proto: field number and wire type.
const TIMESERIES = 0x0a;
const SAMPLE = 0x12;
const SAMPLE_VALUE = 0x09;
const SAMPLE_TIMESTAMP = 0x10;

/**
 * A `prometheus.WriteRequest` of the samples from `start` to before `end`. Neighbours of one series share a
 * TimeSeries. `labelBytes` gives a series' labels in the spelling of `encodeLabels`; samples of a series it does not
 * know are left out.
 */
export function encodeWriteRequest(
  samples: WrittenSamples,
  start: number,
  end: number,
  labelBytes: (ref: number) => Uint8Array | undefined,
): Uint8Array {
  const request = createBytes((end - start) * 256);
  const series = createBytes(1024);
  for (let i = start; i < end; ) {
    const ref = samples.refs[i]!;
    let next = i + 1;
    while (next < end && samples.refs[next] === ref) next += 1;
    const labels = labelBytes(ref);
    if (labels !== undefined) {
      series.clear();
      // They are spelled as they must be.
      series.copy(labels, 0, labels.length);
      for (let at = i; at < next; at += 1) writeSample(series, samples, at);
      request.byte(TIMESERIES);
      request.varint(series.size());
      request.copy(series.view(), 0, series.size());
    }
    i = next;
  }
  return request.view();
}

function writeSample(out: Bytes, { t, high, low }: WrittenSamples, at: number): void {
  const time = t[at]!;
  out.byte(SAMPLE);
  out.varint(9 + 1 + varintLength(time));
  out.byte(SAMPLE_VALUE);
  out.word(low[at]!);
  out.word(high[at]!);
  out.byte(SAMPLE_TIMESTAMP);
  out.varint(time);
}

function varintLength(value: number): number {
  if (value < 0) return 10;
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length += 1;
  return length;
}

/** Bytes that grow; pbf's writer would copy each message once more to put its length before it. */
interface Bytes {
  byte(value: number): void;
  /** A safe integer; negative ones take ten bytes. */
  varint(value: number): void;
  /** 32 bits, little-endian. */
  word(value: number): void;
  copy(from: Uint8Array, start: number, end: number): void;
  clear(): void;
  size(): number;
  view(): Uint8Array;
}

function createBytes(room: number): Bytes {
  let bytes = new Uint8Array(Math.max(64, room));
  let size = 0;
  const makeRoom = (more: number) => {
    if (size + more <= bytes.length) return;
    const bigger = new Uint8Array(Math.max(bytes.length * 2, size + more));
    bigger.set(bytes.subarray(0, size));
    bytes = bigger;
  };
  const byte = (value: number) => {
    makeRoom(1);
    bytes[size] = value;
    size += 1;
  };
  const bigVarint = (value: number) => {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest >= 0x80n; rest >>= 7n) byte(Number(rest & 0x7fn) | 0x80);
    byte(Number(rest));
  };
  return {
    byte,
    varint(value) {
      if (value < 0) return bigVarint(value);
      let rest = value;
      for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) byte((rest % 0x80) | 0x80);
      byte(rest);
    },
    word(value) {
      makeRoom(4);
      bytes[size] = value & 0xff;
      bytes[size + 1] = (value >>> 8) & 0xff;
      bytes[size + 2] = (value >>> 16) & 0xff;
      bytes[size + 3] = value >>> 24;
      size += 4;
    },
    copy(from, start, end) {
      makeRoom(end - start);
      for (let i = start; i < end; i += 1) bytes[size + i - start] = from[i]!;
      size += end - start;
    },
    clear() {
      size = 0;
    },
    size: () => size,
    view: () => bytes.subarray(0, size),
  };
}
