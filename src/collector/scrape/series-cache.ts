import { createByteTable } from '../../util/byte-table.ts';
import { createTextMemo } from './text-memo.ts';

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

/** What the texts of a target's series stand for, so that each is taken apart, relabelled and encoded once. */
export interface SeriesCache {
  /** The next body is read; with `anew`, series are not expected in the order of the one before. */
  begin(body: Uint8Array, anew: boolean): void;
  /** Where the series that is expected next ends, if it stands at `at`; else -1. */
  expectedEnd(at: number): number;
  /** By bytes `from` to before `to` of the body. `null` where relabelling dropped it; undefined where it is new. */
  get(from: number, to: number): KnownSeries | null | undefined;
  add(from: number, to: number, labelBytes: Uint8Array | null): KnownSeries | undefined;
  /** The number of the scrape under way. */
  readonly scrape: number;
  /** Says that the series is in this scrape, and is to be marked stale once it is not. */
  track(series: KnownSeries): void;
  /** Forgets what was tracked since the last `done`: the scrape is of no use after all. */
  untrack(): void;
  /** Tracked in the scrape before and not in this one; `undefined` now and then while it looks. */
  vanished(): Iterable<Uint8Array | undefined>;
  /** Ends this scrape, some at a time. What no scrape had for a while is forgotten, unless this one failed. */
  done(failed: boolean): Generator<undefined, void>;
  /** All that would be marked stale if the target ended now. */
  tracked(): Iterable<Uint8Array>;
}

interface Entry {
  readonly series: KnownSeries | null;
  usedIn: number;
}

const NEVER = 0;
const LOOKED_AT_ONCE = 5_000;
const UNASKED = -1;
// A target that flaps keeps what it had. Source: prometheus/scrape/scrape.go iterDone
const KEPT_SCRAPES = 2;
const FAILED_ENTRIES = 1000;

/** `seed` is random, but for tests. */
export function createSeriesCache(seed: number): SeriesCache {
  const entries = createTextMemo<Entry>(seed);
  const marks = createMarks(seed);
  let scrape = 1;
  let goodSize = 0;
  // Those tracked in the scrape before, and in this one.
  let before: StaleMark[] = [];
  let now: StaleMark[] = [];

  const isOver = ({ usedIn, series }: Entry) => {
    if (scrape - usedIn <= KEPT_SCRAPES) return false;
    if (series !== null) marks.giveBack(series.mark);
    return true;
  };

  return {
    begin: (body, anew) => entries.begin(body, anew),
    expectedEnd: (at) => entries.expectedEnd(at),
    get(from, to) {
      const entry = entries.get(from, to);
      if (entry === undefined) return undefined;
      entry.usedIn = scrape;
      return entry.series;
    },
    add(from, to, labelBytes) {
      const series = labelBytes && {
        labelBytes,
        ref: UNASKED,
        seenIn: NEVER,
        mark: marks.take(labelBytes),
      };
      entries.add(from, to, { series, usedIn: scrape });
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
      for (let i = 0; i < before.length; i += 1)
        if (before[i]!.trackedIn !== scrape) yield before[i]!.labelBytes;
        else if (i % LOOKED_AT_ONCE === LOOKED_AT_ONCE - 1) yield undefined;
    },
    *done(failed) {
      before = now;
      now = [];
      scrape += 1;
      // A target that fails in ever new ways must not fill the memory.
      if (failed && entries.size <= goodSize * 2 + FAILED_ENTRIES) return;
      if (!failed) goodSize = entries.size;
      yield* entries.forgetting(isOver);
    },
    *tracked() {
      for (const { labelBytes } of before) yield labelBytes;
    },
  };
}

/** Marks by the bytes of labels: two texts may be one series. */
function createMarks(seed: number) {
  const table = createByteTable(seed);
  const marks: (StaleMark | undefined)[] = [];
  const viewOf = ({ buffer, byteOffset, length }: Uint8Array) => new DataView(buffer, byteOffset, length);
  return {
    take(labelBytes: Uint8Array): StaleMark {
      const view = viewOf(labelBytes);
      const key = table.find(0, view, 0, view.byteLength);
      const mark = marks[key] ?? { labelBytes, trackedIn: NEVER, texts: 0 };
      if (key < 0) marks[table.add(0, view, 0, view.byteLength)] = mark;
      mark.texts += 1;
      return mark;
    },
    giveBack(mark: StaleMark): void {
      mark.texts -= 1;
      if (mark.texts > 0) return;
      const view = viewOf(mark.labelBytes);
      const key = table.find(0, view, 0, view.byteLength);
      table.remove(key);
      marks[key] = undefined;
    },
  };
}
