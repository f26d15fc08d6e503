import { type Labels, METRIC_NAME } from '../../../model/labels.ts';
import type { VectorMatching } from '../expr.ts';
import { createLabelsKey, dropLabels, keepLabels } from './label-set.ts';
import type { Turn } from './turn.ts';

/** The labels two series must have in common to match. */
export function matchingLabels({ on, labels }: VectorMatching): (series: Labels) => Labels {
  const names = new Set(labels);
  if (on) return (series) => keepLabels(series, names);
  names.add(METRIC_NAME);
  return (series) => dropLabels(series, names);
}

/** A string equal for series that match. */
export const signatureOf = ({ on, labels }: VectorMatching): ((series: Labels) => string) =>
  createLabelsKey(labels, !on);

/** Items by their key, both in the order they came. */
export async function groupBy<T>(
  items: Iterable<T>,
  keyOf: (item: T) => string,
  turn: Turn,
): Promise<Map<string, T[]>> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    if (turn.isOver()) await turn.pause();
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
