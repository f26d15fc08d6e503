import { type Labels, labelsKey, labelValue, METRIC_NAME } from '../../../model/labels.ts';
import type { Clock } from '../../../util/clock.ts';
import type { MovingSeries, MovingWindows, Querier } from '../../storage/storage.ts';
import type { MatrixSelector } from '../expr.ts';
import { dropMetadata } from './label-set.ts';
import { sortByLabels } from './sort-by-labels.ts';
import type { Turn } from './turn.ts';

/**
 * The windows of range selectors that are asked about again and again, as rules do: which series match, and what is in
 * each window, is kept from one evaluation to the next.
 */
export interface StandingWindows {
  /**
   * The series of `selector` in the order of their labels. Undefined the first time, when time goes back, where the
   * querier has none, and where too many are kept already: then look at each by itself.
   */
  find(
    selector: MatrixSelector,
    querier: Querier,
    endT: number,
    turn: Turn,
  ): Promise<StandingVector | undefined>;
  /** Forgets all of them. */
  clear(): void;
}

export interface StandingVector {
  readonly series: readonly StandingSeries[];
  /** No two series are equal once their names are gone. */
  readonly areDistinct: boolean;
}

export interface StandingSeries {
  readonly labels: Labels;
  /** Without the metric's name. */
  readonly bareLabels: Labels;
  readonly metricName: string;
  readonly window: MovingSeries;
}

interface Standing {
  readonly querier: Querier;
  windows: MovingWindows | undefined;
  generation: number;
  vector: StandingVector | undefined;
  newestT: number;
  usedAt: number;
}

/** Windows kept, of one series each: about 2 kB of memory each. */
const MOST_WINDOWS = 60_000;
const MOST_SELECTORS = 10_000;
const IDLE_MS = 15 * 60_000;
const SERIES_BETWEEN_CHECKS = 64;

export function createStandingWindows(clock: Clock, mostWindows = MOST_WINDOWS): StandingWindows {
  const all = new Map<MatrixSelector, Standing>();
  let kept = 0;

  const forget = (selector: MatrixSelector) => {
    kept -= all.get(selector)?.vector?.series.length ?? 0;
    all.delete(selector);
  };
  const forgetIdle = (now: number) => {
    for (const [selector, { usedAt }] of all) if (now - usedAt > IDLE_MS) forget(selector);
  };

  return {
    async find(selector, querier, endT, turn) {
      if (querier.windows === undefined) return undefined;
      const now = clock.monotonic();
      let standing = all.get(selector);
      if (standing === undefined || standing.querier !== querier) {
        forget(selector);
        if (all.size >= MOST_SELECTORS) forgetIdle(now);
        if (all.size >= MOST_SELECTORS) return undefined;
        standing = {
          querier,
          windows: undefined,
          generation: -1,
          vector: undefined,
          newestT: endT,
          usedAt: now,
        };
        all.set(selector, standing);
        return undefined;
      }
      if (endT <= standing.newestT && standing.vector === undefined) return undefined;
      if (endT < standing.newestT) return undefined;
      standing.newestT = endT;
      standing.usedAt = now;
      standing.windows ??= querier.windows(selector.selector.matchers, selector.rangeMs);
      const { generation } = standing.windows;
      if (standing.vector !== undefined && generation === standing.generation) return standing.vector;
      const room = mostWindows - kept + (standing.vector?.series.length ?? 0);
      const vector = await collect(standing.windows, endT, room, turn);
      if (all.get(selector) !== standing) return vector;
      kept += (vector?.series.length ?? 0) - (standing.vector?.series.length ?? 0);
      standing.vector = vector;
      standing.generation = generation;
      if (vector === undefined) {
        standing.windows = undefined;
        forgetIdle(now);
      }
      return vector;
    },
    clear() {
      all.clear();
      kept = 0;
    },
  };
}

/** Undefined where there are more than `room`. */
async function collect(
  windows: MovingWindows,
  endT: number,
  room: number,
  turn: Turn,
): Promise<StandingVector | undefined> {
  const found: StandingSeries[] = [];
  let looked = 0;
  for (const window of windows.search(endT)) {
    if (window !== undefined) {
      const { labels } = window;
      const metricName = labelValue(labels, METRIC_NAME);
      found.push({ labels, bareLabels: dropMetadata(labels), metricName, window });
      if (found.length > room) return undefined;
    }
    looked += 1;
    if (looked % SERIES_BETWEEN_CHECKS === 0 && turn.isOver()) await turn.pause();
  }
  const series = await sortByLabels(found, turn);
  const keys = new Set<string>();
  for (const { bareLabels } of series) {
    if (turn.isOver()) await turn.pause();
    keys.add(labelsKey(bareLabels));
  }
  return { series, areDistinct: keys.size === series.length };
}
