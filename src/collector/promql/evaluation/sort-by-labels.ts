import { compareLabels, type Labels } from '../../../model/labels.ts';
import type { Turn } from './turn.ts';

const RUN = 500;

/** `items` in the order of their labels. */
export function sortByLabels<T extends { readonly labels: Labels }>(items: T[], turn: Turn): Promise<T[]> {
  return sortInTurns(items, (a, b) => compareLabels(a.labels, b.labels), turn);
}

/** `items` sorted, stably. Sorts in short runs and merges them, so that others get their turn. */
export async function sortInTurns<T>(items: T[], compare: (a: T, b: T) => number, turn: Turn): Promise<T[]> {
  if (items.length <= RUN) return items.sort(compare);
  let runs: T[][] = [];
  for (let at = 0; at < items.length; at += RUN) {
    runs.push(items.slice(at, at + RUN).sort(compare));
    if (turn.isOver()) await turn.pause();
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      merged.push(i + 1 < runs.length ? await merge(runs[i]!, runs[i + 1]!, compare, turn) : runs[i]!);
    }
    runs = merged;
  }
  return runs[0]!;
}

async function merge<T>(a: T[], b: T[], compare: (a: T, b: T) => number, turn: Turn): Promise<T[]> {
  const out = new Array<T>(a.length + b.length);
  let i = 0;
  let j = 0;
  for (let k = 0; k < out.length; k += 1) {
    const takeFirst = j >= b.length || (i < a.length && compare(a[i]!, b[j]!) <= 0);
    out[k] = takeFirst ? a[i++]! : b[j++]!;
    if (k % RUN === 0 && turn.isOver()) await turn.pause();
  }
  return out;
}
