import { compileMatcher } from '../../src/collector/storage/label-matcher.ts';
import type { Querier, StoredSeries } from '../../src/collector/storage/storage.ts';
import { type Labels, labelsKey, labelValue } from '../../src/model/labels.ts';
import type { Matcher } from '../../src/model/matcher.ts';
import { setStaleAt, wordsOf } from '../../src/model/stale-marker.ts';

/** A value at a time, or the end of a series. */
export interface TestSample {
  readonly t: number;
  readonly v: number | 'stale';
}

/** Series in memory, just enough to ask the engine about them. */
export interface SampleStore {
  readonly querier: Querier;
  /** Samples of one series come in the order of their times; one at a time already there replaces it. */
  append(labels: Labels, samples: readonly TestSample[]): void;
  clear(): void;
}

interface Kept {
  readonly labels: Labels;
  readonly byTime: Map<number, TestSample>;
}

export function createSampleStore(): SampleStore {
  const all = new Map<string, Kept>();
  const matching = (matchers: readonly Matcher[]): Kept[] => {
    const compiled = matchers.map(compileMatcher);
    return [...all.values()].filter(({ labels }) =>
      compiled.every((matcher) => matcher.matches(labelValue(labels, matcher.name))),
    );
  };
  const inBounds = (matchers: readonly Matcher[], minT: number, maxT: number) =>
    matching(matchers).filter(({ byTime }) => [...byTime.keys()].some((t) => t >= minT && t <= maxT));
  return {
    querier: {
      select: (matchers, minT, maxT) => inBounds(matchers, minT, maxT).map(toStored),
      labelNames: (matchers, minT, maxT) => [
        ...new Set(inBounds(matchers, minT, maxT).flatMap(({ labels }) => labels.map(([name]) => name))),
      ],
      labelValues: (name, matchers, minT, maxT) => [
        ...new Set(
          inBounds(matchers, minT, maxT)
            .map(({ labels }) => labelValue(labels, name))
            .filter((value) => value !== ''),
        ),
      ],
    },
    append(labels, samples) {
      const key = labelsKey(labels);
      const kept = all.get(key) ?? { labels, byTime: new Map() };
      all.set(key, kept);
      for (const sample of samples) kept.byTime.set(sample.t, sample);
    },
    clear: () => all.clear(),
  };
}

function toStored({ labels, byTime }: Kept): StoredSeries {
  return {
    labels,
    samples(minT, maxT) {
      const found = [...byTime.values()].filter(({ t }) => t >= minT && t <= maxT).sort((a, b) => a.t - b.t);
      const t = Float64Array.from(found, (sample) => sample.t);
      const v = Float64Array.from(found, (sample) => (sample.v === 'stale' ? 0 : sample.v));
      const words = wordsOf(v);
      found.forEach((sample, i) => {
        if (sample.v === 'stale') setStaleAt(words, i);
      });
      return { t, v, length: found.length };
    },
  };
}
