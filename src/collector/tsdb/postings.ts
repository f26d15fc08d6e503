import type { Label, Labels } from '../../model/labels.ts';
import type { LabelMatcher } from '../storage/label-matcher.ts';
import type { MemorySeries } from './series.ts';

/** Which series in memory have which label. Also interns labels: one object for each name and value. */
export interface Postings {
  intern(labels: Labels): Labels;
  add(series: MemorySeries): void;
  remove(series: MemorySeries): void;
  select(matchers: readonly LabelMatcher[]): Iterable<MemorySeries>;
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

  /** The sets of series one of which each match must be in; undefined when the matcher does not narrow. */
  const candidates = (matcher: LabelMatcher): readonly Set<MemorySeries>[] | undefined => {
    if (matcher.matchesEmpty) return undefined;
    const values = names.get(matcher.name);
    if (values === undefined) return [];
    if (matcher.values !== undefined)
      return matcher.values.map((value) => values.get(value)?.series).filter((set) => set !== undefined);
    const sets: Set<MemorySeries>[] = [];
    for (const [value, entry] of values) if (matcher.matches(value)) sets.push(entry.series);
    return sets;
  };

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
      for (const matcher of matchers) {
        const sets = candidates(matcher);
        if (sets === undefined) continue;
        const total = sets.reduce((sum, set) => sum + set.size, 0);
        if (total < size || narrowing === undefined) [narrowest, narrowing, size] = [sets, matcher, total];
      }
      const rest = matchers.filter((matcher) => matcher !== narrowing);
      for (const set of narrowest)
        for (const series of set) if (matchesAll(series.labels, rest)) yield series;
    },
    get size() {
      return all.size;
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
