import { CodedError } from '../../../util/coded-error.ts';

/**
 * How much a query may hold in memory at a time, in samples of 16 bytes as Prometheus counts them.
 * A step of a series costs 9 bytes here, present or not.
 */
export interface SampleBudget {
  /** @throws QUERY_TOO_MANY_SAMPLES */
  take(samples: number): void;
  give(samples: number): void;
  readonly taken: number;
  /** The most taken at a time. */
  readonly peak: number;
  /** Counts samples that are looked at. */
  look(samples: number): void;
  readonly looked: number;
}

const SAMPLE_BYTES = 16;
const STEP_BYTES = 9;

/** What `series` series of `steps` steps cost. */
export const costOfSteps = (series: number, steps: number): number =>
  (series * steps * STEP_BYTES) / SAMPLE_BYTES;

export function createSampleBudget(maxSamples: number): SampleBudget {
  let taken = 0;
  let peak = 0;
  let looked = 0;
  return {
    take(samples) {
      taken += samples;
      if (taken > peak) peak = taken;
      if (taken <= maxSamples) return;
      throw new CodedError(
        'QUERY_TOO_MANY_SAMPLES',
        'query processing would load too many samples into memory in query execution',
        { status: 422 },
      );
    },
    give(samples) {
      taken -= samples;
    },
    get taken() {
      return taken;
    },
    get peak() {
      return peak;
    },
    look(samples) {
      looked += samples;
    },
    get looked() {
      return looked;
    },
  };
}
