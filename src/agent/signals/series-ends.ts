import { catalogue } from '../../wire/catalogue/catalogue.ts';
import type { Point } from '../../wire/catalogue/signal.ts';

/** Notices series that were there and are no more, so that they end at once instead of haunting graphs. */
export interface SeriesEnds {
  /**
   * Takes all points of `scope` there are now, and returns an ending for each series of that scope that was there the
   * last time. A scope is a pod's uid, or the empty string for everything that belongs to no pod.
   */
  update(scope: string, points: readonly Point[]): readonly Point[];
  /** Endings for all of a scope that is gone. */
  end(scope: string): readonly Point[];
  /** Scopes that have series. */
  scopes(): readonly string[];
}

export function createSeriesEnds(): SeriesEnds {
  const known = new Map<string, readonly Point[]>();
  // Mostly there are the same series as before, in the same order.
  const areSame = (before: readonly Point[], now: readonly Point[]) =>
    before.length === now.length && before.every((point, index) => sameSeries(point, now[index]!));
  const endings = (before: readonly Point[], now: readonly Point[]): readonly Point[] => {
    const keys = new Set(now.map(seriesKey));
    return before.filter((point) => !keys.has(seriesKey(point))).map((point) => ({ ...point, ended: true }));
  };
  return {
    update(scope, points) {
      const before = known.get(scope) ?? [];
      // Those known already stay: they are old, and what is new and soon forgotten costs the collector of garbage less.
      if (areSame(before, points)) return [];
      const ended = endings(before, points);
      if (points.length > 0) known.set(scope, points);
      else known.delete(scope);
      return ended;
    },
    end(scope) {
      const ended = endings(known.get(scope) ?? [], []);
      known.delete(scope);
      return ended;
    },
    scopes: () => [...known.keys()],
  };
}

function sameSeries(some: Point, other: Point): boolean {
  if (some.signal !== other.signal || some.startMs !== other.startMs) return false;
  if (some.labels.length !== other.labels.length) return false;
  for (let i = 0; i < some.labels.length; i += 1) if (some.labels[i] !== other.labels[i]) return false;
  return true;
}

// By the signal, not by its name: signals of one family may differ in constants only (`resource="cpu"`).
const numberOf = new Map(catalogue.map((signal, index) => [signal, index]));
const seriesKey = ({ signal, labels }: Point) => `${numberOf.get(signal)}\0${labels.join('\0')}`;
