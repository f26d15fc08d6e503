/** What a store takes before it says no. Every one has a counter in `StoreStats`. */
export interface StoreLimits {
  /** Series that got samples lately and are held in memory. */
  readonly activeSeries: number;
  readonly labelsPerSeries: number;
  readonly labelNameBytes: number;
  readonly labelValueBytes: number;
}

export const DEFAULT_STORE_LIMITS: StoreLimits = {
  activeSeries: 200_000,
  labelsPerSeries: 64,
  labelNameBytes: 256,
  labelValueBytes: 4_096,
};

export interface Retention {
  /** Of samples. */
  readonly timeMs: number;
  readonly bytes: number;
  /** Of events; `timeMs` when left out. */
  readonly eventsMs?: number;
  /** Of lives, and of the states of what was deleted; `timeMs` when left out. */
  readonly livesMs?: number;
}

export const DEFAULT_RETENTION: Retention = { timeMs: 15 * 24 * 3_600_000, bytes: 2 * 1024 ** 3 };

/** Samples this much older than the newest of their series are still taken. */
export const OUT_OF_ORDER_WINDOW_MS = 10 * 60_000;

/** Numbers about a store, for its own metrics. Counts are since it was opened. */
export interface StoreStats {
  readonly activeSeries: number;
  readonly samplesAppended: number;
  readonly samplesRejected: number;
  readonly samplesDuplicate: number;
  readonly seriesRefused: number;
  readonly seriesCreated: number;
  readonly seriesDropped: number;
  readonly storedBytes: number;
}
