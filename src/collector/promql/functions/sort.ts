import { compareLabels, labelValue } from '../../../model/labels.ts';
import { sortInRangeQuery } from '../evaluation/annotations.ts';
import type { Evaluation } from '../evaluation/evaluation.ts';
import { sortInTurns } from '../evaluation/sort-by-labels.ts';
import { hasPoints, type StepSeries } from '../evaluation/step-series.ts';
import type { Turn } from '../evaluation/turn.ts';
import type { Call } from '../expr.ts';
import { type FunctionImplementation, stringArgument, vectorArgument } from './function.ts';

type Order = (a: StepSeries, b: StepSeries) => number;
type Sort = (series: StepSeries[], call: Call, turn: Turn) => Promise<StepSeries[]>;

/** Sorts the answer of a query at one time; over a range answers are in the order of their labels anyway. */
function sorted(sort: Sort): FunctionImplementation {
  return async (call, evaluation: Evaluation) => {
    const series = (await vectorArgument(call.args[0]!, evaluation)).filter(hasPoints);
    if (evaluation.grid.steps > 1) {
      evaluation.annotations.add(sortInRangeQuery(call));
      return { kind: 'vector', series };
    }
    return { kind: 'vector', series: await sort(series, call, evaluation.turn) };
  };
}

const isNotNumber = ({ values }: StepSeries) => Number.isNaN(values[0]!);

/** By value. NaN comes last in both directions, of several the last first, as in Prometheus. */
const byValue =
  (direction: 1 | -1): Sort =>
  async (series, _call, turn) => {
    const numbers = series.filter((one) => !isNotNumber(one));
    const order: Order = (a, b) => direction * (a.values[0]! - b.values[0]!) || 0;
    return [...(await sortInTurns(numbers, order, turn)), ...series.filter(isNotNumber).reverse()];
  };

/** By the values of the named labels in turn, numbers in them by size; then by all labels. */
const byLabels =
  (direction: 1 | -1): Sort =>
  (series, call, turn) => {
    const names = call.args.slice(1).map(stringArgument);
    const order: Order = (a, b) => {
      for (const name of names) {
        const order = compareNaturally(labelValue(a.labels, name), labelValue(b.labels, name));
        if (order !== 0) return direction * order;
      }
      return direction * compareLabels(a.labels, b.labels);
    };
    return sortInTurns(series, order, turn);
  };

const PARTS = /\d+|\D+/g;

/** `node2` before `node10`: runs of digits compare as numbers, everything else by code unit. */
function compareNaturally(a: string, b: string): number {
  if (a === b) return 0;
  const [x, y] = [a.match(PARTS) ?? [], b.match(PARTS) ?? []];
  for (let i = 0; i < Math.min(x.length, y.length); i += 1) {
    const order = compareParts(x[i]!, y[i]!);
    if (order !== 0) return order;
  }
  return x.length - y.length || (a < b ? -1 : 1);
}

function compareParts(a: string, b: string): number {
  if (a === b) return 0;
  if (/^\d/.test(a) && /^\d/.test(b)) {
    const difference = Number(a) - Number(b);
    if (difference !== 0) return difference;
    return a.length - b.length;
  }
  return a < b ? -1 : 1;
}

export const sortFunctions: Readonly<Record<string, FunctionImplementation>> = {
  sort: sorted(byValue(1)),
  sort_desc: sorted(byValue(-1)),
  sort_by_label: sorted(byLabels(1)),
  sort_by_label_desc: sorted(byLabels(-1)),
};
