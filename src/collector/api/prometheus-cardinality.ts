import { type Labels, METRIC_NAME } from '../../model/labels.ts';
import { sortInTurns } from '../promql/evaluation/sort-by-labels.ts';
import type { Turn } from '../promql/evaluation/turn.ts';

export interface NamedCount {
  readonly name: string;
  readonly value: number;
}

export interface Cardinality {
  readonly labelPairs: number;
  readonly seriesByMetric: readonly NamedCount[];
  readonly valuesByLabel: readonly NamedCount[];
  /** Bytes of a label's values, each once for each of its series. */
  readonly bytesByLabel: readonly NamedCount[];
  /** Series of each `name=value`. */
  readonly seriesByPair: readonly NamedCount[];
}

/** What the series are made of, each list with its `most` largest entries. Others get their turn in between. */
export async function cardinalityOf(
  series: Iterable<{ readonly labels: Labels }>,
  most: number,
  turn: Turn,
): Promise<Cardinality> {
  const labels = new Map<string, Map<string, number>>();
  for (const one of series) {
    for (const [name, value] of one.labels) {
      const values = labels.get(name) ?? new Map<string, number>();
      labels.set(name, values);
      values.set(value, (values.get(value) ?? 0) + 1);
    }
    if (turn.isOver()) await turn.pause();
  }
  const byLabel = [...labels];
  const metrics = [...(labels.get(METRIC_NAME) ?? [])];
  const pairs: NamedCount[] = [];
  const bytes: NamedCount[] = [];
  for (const [name, values] of byLabel) {
    let ofLabel = 0;
    for (const [value, count] of values) {
      if (turn.isOver()) await turn.pause();
      pairs.push({ name: `${name}=${value}`, value: count });
      ofLabel += Buffer.byteLength(value) * count;
    }
    bytes.push({ name, value: ofLabel });
  }
  const largest = async (counts: NamedCount[]) => (await sortInTurns(counts, bySize, turn)).slice(0, most);
  return {
    labelPairs: pairs.length,
    seriesByMetric: await largest(metrics.map(toCount)),
    valuesByLabel: await largest(byLabel.map(([name, values]) => ({ name, value: values.size }))),
    bytesByLabel: await largest(bytes),
    seriesByPair: await largest(pairs),
  };
}

const toCount = ([name, value]: readonly [string, number]): NamedCount => ({ name, value });

const bySize = (a: NamedCount, b: NamedCount) => b.value - a.value || (a.name < b.name ? -1 : 1);
