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

/** Series in the order they came; those that left are passed over, and taken out once they are the most. */
interface List {
  series: MemorySeries[];
  gone: number;
}

interface Value extends List {
  readonly label: Label;
}

/** Of the many values that only one series has, the series itself. */
type Entry = MemorySeries | Value;

const isValue = (entry: Entry): entry is Value => (entry as Value).gone !== undefined;
const listOf = (entry: Entry): readonly MemorySeries[] => (isValue(entry) ? entry.series : [entry]);

/** The label of an entry as its series have it. */
const labelIn = (entry: Entry, name: string): Label =>
  isValue(entry) ? entry.label : entry.labels.find((label) => label[0] === name)!;

const isHere = (series: MemorySeries) => series.listed;

function takeOut(list: List): void {
  list.gone += 1;
  if (list.gone * 2 < list.series.length) return;
  // A new one: somebody may be on their way through the old one.
  list.series = list.series.filter(isHere);
  list.gone = 0;
}

export function createPostings(): Postings {
  const names = new Map<string, Map<string, Entry>>();
  const all: List = { series: [], gone: 0 };

  const intern = (label: Label): Label => {
    const entry = names.get(label[0])?.get(label[1]);
    return entry === undefined ? label : labelIn(entry, label[0]);
  };

  const addTo = (label: Label, series: MemorySeries) => {
    let values = names.get(label[0]);
    if (values === undefined) {
      values = new Map();
      names.set(label[0], values);
    }
    const entry = values.get(label[1]);
    if (entry === undefined) values.set(label[1], series);
    else if (isValue(entry)) entry.series.push(series);
    else values.set(label[1], { label: labelIn(entry, label[0]), series: [entry, series], gone: 0 });
  };

  const removeFrom = (label: Label) => {
    const values = names.get(label[0])!;
    const entry = values.get(label[1])!;
    if (isValue(entry)) takeOut(entry);
    if (isValue(entry) && entry.series.length > 0) return;
    values.delete(label[1]);
    if (values.size === 0) names.delete(label[0]);
  };

  /**
   * The lists of series one of which each match must be in, when those of `most` series do not suffice already;
   * undefined when the matcher does not narrow that far.
   */
  function* candidates(
    matcher: LabelMatcher,
    most: number,
  ): Generator<undefined, readonly (readonly MemorySeries[])[] | undefined> {
    if (matcher.matchesEmpty) return undefined;
    const values = names.get(matcher.name);
    if (values === undefined) return [];
    if (matcher.values !== undefined)
      return matcher.values
        .map((value) => values.get(value))
        .filter((entry) => entry !== undefined)
        .map(listOf);
    // To try the values of a label that has more of them than series are left costs more than it saves.
    if (values.size > most) return undefined;
    const lists: (readonly MemorySeries[])[] = [];
    for (const [value, entry] of values) {
      if (matcher.matches(value)) lists.push(listOf(entry));
      yield undefined;
    }
    return lists;
  }

  return {
    intern: (labels) => labels.map(intern),
    add(series) {
      if (series.listed) return;
      series.listed = true;
      all.series.push(series);
      for (const label of series.labels) addTo(label, series);
    },
    remove(series) {
      if (!series.listed) return;
      series.listed = false;
      takeOut(all);
      for (const label of series.labels) removeFrom(label);
    },
    *select(matchers) {
      let narrowest: readonly (readonly MemorySeries[])[] = [all.series];
      let narrowing: LabelMatcher | undefined;
      let size = all.series.length;
      // Those with known values first: they cost nothing to look up.
      const byCost = [...matchers].sort((a, b) => Number(!a.values) - Number(!b.values));
      for (const matcher of byCost) {
        const lists = yield* candidates(matcher, size);
        if (lists === undefined) continue;
        const total = lists.reduce((sum, list) => sum + list.length, 0);
        if (total < size || narrowing === undefined) [narrowest, narrowing, size] = [lists, matcher, total];
      }
      const rest = matchers.filter((matcher) => matcher !== narrowing).map(remembering);
      // As it is now: what comes while somebody looks is not for them.
      for (const list of narrowest) {
        const end = list.length;
        for (let i = 0; i < end; i += 1) {
          const series = list[i]!;
          yield series.listed && matchesAll(series.labels, rest) ? series : undefined;
        }
      }
    },
    get size() {
      return all.series.length - all.gone;
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
