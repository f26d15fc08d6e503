import { type Labels, METRIC_NAME } from '../../model/labels.ts';
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
  const pairs = byLabel.flatMap(([name, values]) =>
    [...values].map(([value, count]): NamedCount => ({ name: `${name}=${value}`, value: count })),
  );
  return {
    labelPairs: pairs.length,
    seriesByMetric: largest(metrics.map(toCount), most),
    valuesByLabel: largest(
      byLabel.map(([name, values]) => ({ name, value: values.size })),
      most,
    ),
    bytesByLabel: largest(
      byLabel.map(([name, values]) => ({ name, value: bytesOf(values) })),
      most,
    ),
    seriesByPair: largest(pairs, most),
  };
}

const toCount = ([name, value]: readonly [string, number]): NamedCount => ({ name, value });

function bytesOf(values: ReadonlyMap<string, number>): number {
  let bytes = 0;
  for (const [value, count] of values) bytes += Buffer.byteLength(value) * count;
  return bytes;
}

function largest(counts: readonly NamedCount[], most: number): readonly NamedCount[] {
  return counts.toSorted((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1)).slice(0, most);
}
