import { METRIC_NAME, walkLabels } from '../../model/labels.ts';
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
export const TIMESERIES = 1;
export const LABELS = 1;
export const SAMPLES = 2;
export const HISTOGRAMS = 4;

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;

export const NAMELESS = 'a label has no name';
export const UNNAMED = 'a series has no metric name';
export const tooManyLabels = (limits: RemoteWriteLimits) => `a series has more than ${limits.labels} labels`;

const NAME = Buffer.from(METRIC_NAME);
export const MOST_KEY_BYTES = 512 * 1024;

/** The bytes themselves, which are canonical, or why they name no series. */
export function checkLabelBytes(labelBytes: Uint8Array, limits: RemoteWriteLimits): Uint8Array | string {
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
