/** A series of a target as the store knows it. */
export interface KnownSeries {
  /** As by `encodeLabels`. */
  readonly labelBytes: Uint8Array;
  /** The scrape that last had it. */
  seenIn: number;
  /** As by `CreatedTimes`; `null` where nothing of the kind begins, undefined where nobody asked. */
  createdKey?: string | null;
  /** The newest of its samples, and when its counter began, where that is of interest. */
  lastT?: number;
  createdT?: number;
}

/** What a target's texts of series stand for, so that each is taken apart, relabelled and encoded once. */
export interface SeriesCache {
  /** `null` where relabelling dropped it; undefined where it is new. */
  get(text: string): KnownSeries | null | undefined;
  add(text: string, labelBytes: Uint8Array | null): KnownSeries | undefined;
  /** The number of the scrape under way. */
  readonly scrape: number;
  /** Says that the series is in this scrape, and is to be marked stale once it is not. */
  track(series: KnownSeries): void;
  /** Forgets what was tracked since the last `done`: the scrape is of no use after all. */
  untrack(): void;
  /** Tracked in the scrape before and not in this one. */
  vanished(): Iterable<Uint8Array>;
  /** Ends this scrape. What no scrape had for a while is forgotten, unless this one failed. */
  done(failed: boolean): void;
  /** All that would be marked stale if the target ended now. */
  tracked(): Iterable<Uint8Array>;
}

interface Entry {
  readonly series: KnownSeries | null;
  usedIn: number;
}

// A target that flaps keeps what it had. Source: prometheus/scrape/scrape.go iterDone
const KEPT_SCRAPES = 2;
const FAILED_ENTRIES = 1000;

export function createSeriesCache(): SeriesCache {
  const entries = new Map<string, Entry>();
  let scrape = 1;
  let goodSize = 0;
  // By the bytes of labels, one character each: two texts may be one series.
  let before = new Map<string, Uint8Array>();
  let now = new Map<string, Uint8Array>();

  return {
    get(text) {
      const entry = entries.get(text);
      if (entry === undefined) return undefined;
      entry.usedIn = scrape;
      return entry.series;
    },
    add(text, labelBytes) {
      const series = labelBytes === null ? null : { labelBytes, seenIn: 0 };
      // Not a slice, which would keep the whole body it was cut from.
      entries.set(Buffer.from(text, 'utf8').toString('utf8'), { series, usedIn: scrape });
      return series ?? undefined;
    },
    get scrape() {
      return scrape;
    },
    track(series) {
      now.set(keyOf(series.labelBytes), series.labelBytes);
    },
    untrack() {
      now = new Map();
    },
    *vanished() {
      for (const [key, labelBytes] of before) if (!now.has(key)) yield labelBytes;
    },
    done(failed) {
      before = now;
      now = new Map();
      scrape += 1;
      // A target that fails in ever new ways must not fill the memory.
      if (failed && entries.size <= goodSize * 2 + FAILED_ENTRIES) return;
      if (!failed) goodSize = entries.size;
      for (const [text, entry] of entries) if (scrape - entry.usedIn > KEPT_SCRAPES) entries.delete(text);
    },
    tracked: () => before.values(),
  };
}

const keyOf = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
