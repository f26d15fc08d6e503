import type { Labels } from '../../../model/labels.ts';
import type { Matcher } from '../../../model/matcher.ts';
import type { StoredSeries } from '../../storage/storage.ts';
import { sortByLabels } from './sort-by-labels.ts';
import type { Turn } from './turn.ts';

/**
 * The order of selections by their labels, remembered: a store finds the same series in the same order again and again, and
 * its labels are the same objects, so that to see that nothing has changed is much cheaper than to sort. Bounded; forgets all
 * at once.
 */
export interface SeriesOrders {
  /** `found` in the order of labels. The matchers are those of an expression that may come again. */
  sort(matchers: readonly Matcher[], found: StoredSeries[], turn: Turn): Promise<StoredSeries[]>;
}

interface Remembered {
  /** As they were found, and at which place each belongs. */
  readonly labels: readonly Labels[];
  readonly places: Int32Array;
}

// Two words each, so some megabytes.
const MOST_SERIES = 200_000;
// Of one selection: the least that pays, and no more than can be looked at without asking whether it is others' turn.
const LEAST_AT_ONCE = 8;
const MOST_AT_ONCE = 20_000;

export function createSeriesOrders(mostSeries = MOST_SERIES): SeriesOrders {
  let remembered = new Map<readonly Matcher[], Remembered>();
  let series = 0;

  const remember = (matchers: readonly Matcher[], labels: readonly Labels[], places: Int32Array) => {
    series += labels.length - (remembered.get(matchers)?.labels.length ?? 0);
    if (series > mostSeries) {
      remembered = new Map();
      series = labels.length;
    }
    remembered.set(matchers, { labels, places });
  };

  return {
    async sort(matchers, found, turn) {
      if (found.length < LEAST_AT_ONCE || found.length > MOST_AT_ONCE) return sortByLabels(found, turn);
      const known = remembered.get(matchers);
      if (known !== undefined && isSame(known.labels, found)) {
        const sorted = new Array<StoredSeries>(found.length);
        for (let i = 0; i < found.length; i += 1) sorted[known.places[i]!] = found[i]!;
        return sorted;
      }
      const labels = found.map((one) => one.labels);
      const placed = await sortByLabels(
        labels.map((own, index) => ({ labels: own, index })),
        turn,
      );
      const places = new Int32Array(found.length);
      const sorted = placed.map(({ index }, place) => {
        places[index] = place;
        return found[index]!;
      });
      remember(matchers, labels, places);
      return sorted;
    },
  };
}

function isSame(labels: readonly Labels[], found: readonly StoredSeries[]): boolean {
  if (labels.length !== found.length) return false;
  for (let i = 0; i < labels.length; i += 1) if (labels[i] !== found[i]!.labels) return false;
  return true;
}
