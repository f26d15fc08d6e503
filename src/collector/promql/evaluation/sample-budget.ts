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
}

const SAMPLE_BYTES = 16;
const STEP_BYTES = 9;

/** What `series` series of `steps` steps cost. */
export const costOfSteps = (series: number, steps: number): number =>
  (series * steps * STEP_BYTES) / SAMPLE_BYTES;

export function createSampleBudget(maxSamples: number): SampleBudget {
  let taken = 0;
  return {
    take(samples) {
      taken += samples;
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
  };
}
