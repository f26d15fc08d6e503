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
  const known = new Map<string, Map<string, Point>>();
  const endings = (before: Map<string, Point> | undefined, now: Map<string, Point>) => {
    const ended: Point[] = [];
    for (const [key, point] of before ?? []) if (!now.has(key)) ended.push({ ...point, ended: true });
    return ended;
  };
  return {
    update(scope, points) {
      const now = new Map(points.map((point) => [seriesKey(point), point]));
      const ended = endings(known.get(scope), now);
      if (now.size > 0) known.set(scope, now);
      else known.delete(scope);
      return ended;
    },
    end(scope) {
      const ended = endings(known.get(scope), new Map());
      known.delete(scope);
      return ended;
    },
    scopes: () => [...known.keys()],
  };
}

// By the signal, not by its name: signals of one family may differ in constants only (`resource="cpu"`).
const numberOf = new Map(catalogue.map((signal, index) => [signal, index]));
const seriesKey = ({ signal, labels }: Point) => `${numberOf.get(signal)}\0${labels.join('\0')}`;
