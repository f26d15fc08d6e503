import type { Label, Labels } from '../../model/labels.ts';
import type { LabelMatcher } from '../storage/label-matcher.ts';
import type { MemorySeries } from './series.ts';

/** Which series in memory have which label. Also interns labels: one object for each name and value. */
export interface Postings {
  intern(labels: Labels): Labels;
  add(series: MemorySeries): void;
  remove(series: MemorySeries): void;
  /** Yields `undefined` now and then while it looks, so that a reader need not wait for the next match. */
  select(matchers: readonly LabelMatcher[]): Iterable<MemorySeries | undefined>;
  readonly size: number;
}

interface Value {
  readonly label: Label;
  readonly series: Set<MemorySeries>;
}

export function createPostings(): Postings {
  const names = new Map<string, Map<string, Value>>();
  const all = new Set<MemorySeries>();

  const entryOf = ([name, value]: Label): Value | undefined => names.get(name)?.get(value);

  const make = (label: Label): Value => {
    let values = names.get(label[0]);
    if (values === undefined) {
      values = new Map();
      names.set(label[0], values);
    }
    let entry = values.get(label[1]);
    if (entry === undefined) {
      entry = { label, series: new Set() };
      values.set(label[1], entry);
    }
    return entry;
  };

  /**
   * The sets of series one of which each match must be in, when those of `most` series do not suffice already;
   * undefined when the matcher does not narrow that far.
   */
  function* candidates(
    matcher: LabelMatcher,
    most: number,
  ): Generator<undefined, readonly Set<MemorySeries>[] | undefined> {
    if (matcher.matchesEmpty) return undefined;
    const values = names.get(matcher.name);
    if (values === undefined) return [];
    if (matcher.values !== undefined)
      return matcher.values.map((value) => values.get(value)?.series).filter((set) => set !== undefined);
    // To try the values of a label that has more of them than series are left costs more than it saves.
    if (values.size > most) return undefined;
    const sets: Set<MemorySeries>[] = [];
    for (const [value, entry] of values) {
      if (matcher.matches(value)) sets.push(entry.series);
      yield undefined;
    }
    return sets;
  }

  return {
    intern: (labels) => labels.map((label) => entryOf(label)?.label ?? label),
    add(series) {
      all.add(series);
      for (const label of series.labels) make(label).series.add(series);
    },
    remove(series) {
      all.delete(series);
      for (const label of series.labels) {
        const entry = entryOf(label);
        entry?.series.delete(series);
        if (entry?.series.size === 0) names.get(label[0])?.delete(label[1]);
        if (names.get(label[0])?.size === 0) names.delete(label[0]);
      }
    },
    *select(matchers) {
      let narrowest: readonly Set<MemorySeries>[] = [all];
      let narrowing: LabelMatcher | undefined;
      let size = all.size;
      // Those with known values first: they cost nothing to look up.
      const byCost = [...matchers].sort((a, b) => Number(!a.values) - Number(!b.values));
      for (const matcher of byCost) {
        const sets = yield* candidates(matcher, size);
        if (sets === undefined) continue;
        const total = sets.reduce((sum, set) => sum + set.size, 0);
        if (total < size || narrowing === undefined) [narrowest, narrowing, size] = [sets, matcher, total];
      }
      const rest = matchers.filter((matcher) => matcher !== narrowing).map(remembering);
      for (const set of narrowest)
        for (const series of set) yield matchesAll(series.labels, rest) ? series : undefined;
    },
    get size() {
      return all.size;
    },
  };
}

const REMEMBERED_ANSWERS = 10_000;

/** Asks a matcher without known values once a value: series share few. */
function remembering(matcher: LabelMatcher): LabelMatcher {
  if (matcher.values !== undefined) return matcher;
  const answers = new Map<string, boolean>();
  return {
    ...matcher,
    matches(value) {
      let answer = answers.get(value);
      if (answer === undefined) {
        answer = matcher.matches(value);
        if (answers.size < REMEMBERED_ANSWERS) answers.set(value, answer);
      }
      return answer;
    },
  };
}

export function matchesAll(labels: Labels, matchers: readonly LabelMatcher[]): boolean {
  for (const matcher of matchers) {
    let value = '';
    for (const label of labels) {
      if (label[0] !== matcher.name) continue;
      value = label[1];
      break;
    }
    if (!matcher.matches(value)) return false;
  }
  return true;
}
