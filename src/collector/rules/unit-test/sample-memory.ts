import { decodeLabels, type Labels, labelsKey, labelValue, METRIC_NAME } from '../../../model/labels.ts';
import type { Matcher } from '../../../model/matcher.ts';
import { setStaleAt, wordsOf } from '../../../model/stale-marker.ts';
import { compileMatcher } from '../../storage/label-matcher.ts';
import type { Appender, Querier, StoredSeries } from '../../storage/storage.ts';

/** Series of one test, in memory. What is out of order is dropped, as Prometheus' storage drops it. */
export interface SampleMemory {
  readonly querier: Querier;
  /** One appender serves all batches: commits are at once. */
  readonly appender: Appender;
  /** The number of the series with these labels, for `append` and `appendStale`. */
  reference(labels: Labels): number;
}

interface Kept extends StoredSeries {
  t: Float64Array;
  v: Float64Array;
  length: number;
}

export function createSampleMemory(): SampleMemory {
  const all: Kept[] = [];
  const byKey = new Map<string, number>();
  const byName = new Map<string, Kept[]>();

  const reference = (labels: Labels): number => {
    const key = labelsKey(labels);
    const known = byKey.get(key);
    if (known !== undefined) return known;
    const kept = createKept(labels);
    byKey.set(key, all.push(kept) - 1);
    const name = labelValue(labels, METRIC_NAME);
    const sameName = byName.get(name);
    if (sameName === undefined) byName.set(name, [kept]);
    else sameName.push(kept);
    return all.length - 1;
  };

  const select = (matchers: readonly Matcher[]): Kept[] => {
    const name = matchers.find(({ name, op }) => name === METRIC_NAME && op === '=');
    const rest = matchers.filter((matcher) => matcher !== name).map(compiled);
    const among = name === undefined ? all : (byName.get(name.value) ?? []);
    return among.filter(({ labels }) =>
      rest.every((matcher) => matcher.matches(labelValue(labels, matcher.name))),
    );
  };

  const values = (matchers: readonly Matcher[], of: (labels: Labels) => readonly string[]): string[] =>
    [...new Set(select(matchers).flatMap(({ labels }) => of(labels)))].sort();

  return {
    querier: {
      select,
      labelNames: (matchers) => values(matchers, (labels) => labels.map(([name]) => name)),
      labelValues: (name, matchers) =>
        values(matchers, (labels) => [labelValue(labels, name)]).filter((value) => value !== ''),
    },
    appender: {
      reference: (bytes) => reference(decodeLabels(bytes)),
      append: (ref, t, v) => {
        push(all[ref]!, t, v);
      },
      appendWords: (ref, t, high, low) => {
        const kept = all[ref]!;
        if (push(kept, t, 0)) wordsOf(kept.v).set([low, high], (kept.length - 1) * 2);
      },
      appendStale: (ref, t) => {
        const kept = all[ref]!;
        if (push(kept, t, 0)) setStaleAt(wordsOf(kept.v), kept.length - 1);
      },
      commit: () => Promise.resolve({ metricNames: new Set(), samples: 0, rejected: 0 }),
      rollback: () => {},
    },
    reference,
  };
}

const matchers = new WeakMap<Matcher, ReturnType<typeof compileMatcher>>();

/** The same expressions are asked thousands of times. */
function compiled(matcher: Matcher): ReturnType<typeof compileMatcher> {
  const known = matchers.get(matcher);
  if (known !== undefined) return known;
  const made = compileMatcher(matcher);
  matchers.set(matcher, made);
  return made;
}

function createKept(labels: Labels): Kept {
  const kept: Kept = {
    labels,
    t: new Float64Array(8),
    v: new Float64Array(8),
    length: 0,
    samples(minT, maxT) {
      const from = firstFrom(kept, minT);
      const to = firstFrom(kept, maxT + 1);
      return { t: kept.t.slice(from, to), v: kept.v.slice(from, to), length: to - from };
    },
  };
  return kept;
}

/** The index of the first sample at or after `t`. */
function firstFrom({ t: times, length }: Kept, t: number): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! < t) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** False when there is a sample at `t` or later already. */
function push(kept: Kept, t: number, v: number): boolean {
  const at = kept.length;
  if (at > 0 && kept.t[at - 1]! >= t) return false;
  if (at === kept.t.length) {
    kept.t = grown(kept.t);
    kept.v = grown(kept.v);
  }
  kept.t[at] = t;
  kept.v[at] = v;
  kept.length += 1;
  return true;
}

function grown(values: Float64Array): Float64Array {
  const out = new Float64Array(values.length * 2);
  // As words: a stale marker is a NaN whose bits must last.
  wordsOf(out).set(wordsOf(values));
  return out;
}
