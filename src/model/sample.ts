/** One value at one time: `t` in integer milliseconds since the epoch. */
export interface Sample {
  readonly t: number;
  readonly v: number;
}

/**
 * Samples as columns, the first `length` entries of each; `t` strictly increasing. A stale marker is an entry of
 * `v` whose bits are those of `model/stale-marker`, to be asked with `isStaleAt`: JavaScript does not promise to
 * keep a NaN's bits once it is a number.
 */
export interface Samples {
  readonly t: Float64Array;
  readonly v: Float64Array;
  readonly length: number;
  /** So many of the first are known to be whole numbers, and none of them a stale marker; 0 when left out. */
  readonly whole?: number;
}

/** The same one by one. */
export function listOf({ t, v, length }: Samples): Sample[] {
  return Array.from({ length }, (_, i) => ({ t: t[i]!, v: v[i]! }));
}

export function columnsOf(samples: readonly Sample[]): Samples {
  return {
    t: Float64Array.from(samples, ({ t }) => t),
    v: Float64Array.from(samples, ({ v }) => v),
    length: samples.length,
  };
}
