import { isStaleAt } from '../../model/stale-marker.ts';
import type { SeriesRef } from '../storage/storage.ts';
import { decodeChunk } from './chunk.ts';
import { createColumns } from './sample-columns.ts';
import type { MemorySeries } from './series.ts';

/**
 * The newest samples of open chunks, decoded once for all the windows over a series, which look one after the other at what
 * came since the last time.
 */
export interface RecentSamples {
  /**
   * What the open chunk has after its first `seen` samples, stale markers left out; undefined where that is a lot. Valid
   * until the next call.
   */
  after(series: MemorySeries, seen: number): Recent | undefined;
}

interface Recent {
  readonly t: Float64Array;
  readonly v: Float64Array;
  readonly length: number;
}

interface Entry {
  readonly birth: number;
  readonly openT: number;
  readonly rewrites: number;
  readonly from: number;
  readonly to: number;
  readonly samples: Recent;
}

const MOST_SAMPLES = 16;
/** Of some 500 bytes each. */
const MOST_SERIES = 20_000;

export function createRecentSamples(): RecentSamples {
  const entries = new Map<SeriesRef, Entry>();
  let columns = createColumns(256);

  const decode = (series: MemorySeries, from: number, to: number): Recent => {
    const t = new Float64Array(to - from);
    const v = new Float64Array(to - from);
    const { open } = series;
    if (open === undefined) return { t, v, length: 0 };
    if (columns.t.length < open.count) columns = createColumns(open.count * 2);
    decodeChunk(open, columns, 0);
    let length = 0;
    for (let i = from; i < to; i += 1) {
      if (Number.isNaN(columns.v[i]!) && isStaleAt(columns.words, i)) continue;
      t[length] = columns.t[i]!;
      v[length] = columns.v[i]!;
      length += 1;
    }
    return { t, v, length };
  };

  return {
    after(series, seen) {
      const { ref, birth, openT, openCount, rewrites } = series;
      if (openCount - seen > MOST_SAMPLES) return undefined;
      const known = entries.get(ref);
      const isSame =
        known !== undefined &&
        known.birth === birth &&
        known.openT === openT &&
        known.rewrites === rewrites &&
        known.from === seen &&
        known.to === openCount;
      if (isSame) return known.samples;
      if (known === undefined && entries.size >= MOST_SERIES) entries.clear();
      const samples = decode(series, seen, openCount);
      entries.set(ref, { birth, openT, rewrites, from: seen, to: openCount, samples });
      return samples;
    },
  };
}
