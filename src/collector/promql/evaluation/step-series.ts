import { type Labels, labelsKey } from '../../../model/labels.ts';
import { executionError } from './execution-error.ts';
import { dropMetadata } from './label-set.ts';
import type { StepColumns } from './step-columns.ts';
import type { Turn } from './turn.ts';

/**
 * One series of an instant vector over all steps of a query at once. `values[k]` counts where `present[k]` is 1; both
 * have one entry a step. Whoever gets a series from an evaluation owns its arrays and may write to them.
 */
export interface StepSeries extends StepColumns {
  readonly labels: Labels;
  /** The metric's name goes when the query ends: only where the engine removes names late. */
  readonly dropName: boolean;
}

/** What an expression gives over all steps. A range vector never stands alone: see `range-vector.ts`. */
export type StepValue =
  | { readonly kind: 'scalar'; readonly values: Float64Array }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'vector'; readonly series: StepSeries[] };

export function newSeries(labels: Labels, steps: number, dropName = false): StepSeries {
  return { labels, values: new Float64Array(steps), present: new Uint8Array(steps), dropName };
}

/** The same with columns from elsewhere. */
export function seriesOf(labels: Labels, { values, present }: StepColumns, dropName = false): StepSeries {
  return { labels, values, present, dropName };
}

/** A series without labels that has a value at every step. */
export function constantSeries(labels: Labels, values: Float64Array): StepSeries {
  return { labels, values, present: new Uint8Array(values.length).fill(1), dropName: false };
}

export const hasPoints = ({ present }: StepSeries): boolean =>
  present.length === 1 ? present[0] === 1 : present.includes(1);

/** The same values under a metric whose meaning changed: its name goes now, or at the end. */
export function withoutName(series: StepSeries, removeLate: boolean): StepSeries {
  return { ...series, dropName: true, labels: removeLate ? series.labels : dropMetadata(series.labels) };
}

/** Series with equal labels become one. @throws QUERY_EXECUTION where two have a value at the same step */
export async function mergeEqualSeries(all: StepSeries[], turn: Turn): Promise<StepSeries[]> {
  if (all.length < 2) return all;
  const byLabels = new Map<string, StepSeries>();
  for (const series of all) {
    if (turn.isOver()) await turn.pause();
    const key = labelsKey(series.labels);
    const first = byLabels.get(key);
    if (first === undefined) byLabels.set(key, series);
    else mergeInto(first, series);
  }
  return byLabels.size === all.length ? all : [...byLabels.values()];
}

/** @throws QUERY_EXECUTION where two series have equal labels */
export async function checkDistinct(all: readonly StepSeries[], turn: Turn): Promise<void> {
  if (all.length < 2) return;
  const keys = new Set<string>();
  for (const { labels } of all) {
    if (turn.isOver()) await turn.pause();
    keys.add(labelsKey(labels));
  }
  if (keys.size < all.length) throw sameLabels();
}

const sameLabels = () => executionError('vector cannot contain metrics with the same labelset');

function mergeInto(target: StepSeries, series: StepSeries): void {
  for (let k = 0; k < series.present.length; k += 1) {
    if (series.present[k] === 0) continue;
    if (target.present[k] === 1) {
      throw sameLabels();
    }
    target.present[k] = 1;
    target.values[k] = series.values[k]!;
  }
}
