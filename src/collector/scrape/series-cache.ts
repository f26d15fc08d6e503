/** A series of a target as the store knows it. */
export interface KnownSeries {
  /** As by `encodeLabels`. */
  readonly labelBytes: Uint8Array;
  /** The store's number for it, which may stand for nothing any more; -1 when it was not asked yet. */
  ref: number;
  /** The scrape that last had it. */
  seenIn: number;
  /** Shared by all texts of the same labels. */
  readonly mark: StaleMark;
  /** As by `CreatedTimes`; `null` where nothing of the kind begins, undefined where nobody asked. */
  createdKey?: string | null;
  /** The newest of its samples, and when its counter began, where that is of interest. */
  lastT?: number;
  createdT?: number;
}

/** Of labels: whether they are to be marked stale. */
export interface StaleMark {
  readonly labelBytes: Uint8Array;
  trackedIn: number;
  /** Texts that stand for them. */
  texts: number;
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

const NEVER = 0;
const UNASKED = -1;
// A target that flaps keeps what it had. Source: prometheus/scrape/scrape.go iterDone
const KEPT_SCRAPES = 2;
const FAILED_ENTRIES = 1000;

export function createSeriesCache(): SeriesCache {
  const entries = new Map<string, Entry>();
  // By the bytes of labels, one character each: two texts may be one series.
  const marks = new Map<string, StaleMark>();
  let scrape = 1;
  let goodSize = 0;
  let before: StaleMark[] = [];
  let now: StaleMark[] = [];

  const markOf = (labelBytes: Uint8Array) => {
    const key = keyOf(labelBytes);
    let mark = marks.get(key);
    if (mark === undefined) {
      mark = { labelBytes, trackedIn: NEVER, texts: 0 };
      marks.set(key, mark);
    }
    mark.texts += 1;
    return mark;
  };
  const forget = (text: string, { series }: Entry) => {
    entries.delete(text);
    if (series === null) return;
    series.mark.texts -= 1;
    if (series.mark.texts === 0) marks.delete(keyOf(series.labelBytes));
  };

  return {
    get(text) {
      const entry = entries.get(text);
      if (entry === undefined) return undefined;
      entry.usedIn = scrape;
      return entry.series;
    },
    add(text, labelBytes) {
      const series = labelBytes && { labelBytes, ref: UNASKED, seenIn: NEVER, mark: markOf(labelBytes) };
      // Not a slice, which would keep the whole body it was cut from.
      entries.set(Buffer.from(text, 'utf8').toString('utf8'), { series, usedIn: scrape });
      return series ?? undefined;
    },
    get scrape() {
      return scrape;
    },
    track({ mark }) {
      if (mark.trackedIn === scrape) return;
      mark.trackedIn = scrape;
      now.push(mark);
    },
    untrack() {
      for (const mark of now) mark.trackedIn = NEVER;
      now = [];
    },
    *vanished() {
      for (const { labelBytes, trackedIn } of before) if (trackedIn !== scrape) yield labelBytes;
    },
    done(failed) {
      before = now;
      now = [];
      scrape += 1;
      // A target that fails in ever new ways must not fill the memory.
      if (failed && entries.size <= goodSize * 2 + FAILED_ENTRIES) return;
      if (!failed) goodSize = entries.size;
      for (const [text, entry] of entries) if (scrape - entry.usedIn > KEPT_SCRAPES) forget(text, entry);
    },
    *tracked() {
      for (const { labelBytes } of before) yield labelBytes;
    },
  };
}

const keyOf = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
