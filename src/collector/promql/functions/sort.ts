import { compareLabels, labelValue } from '../../../model/labels.ts';
import { sortInRangeQuery } from '../evaluation/annotations.ts';
import type { Evaluation } from '../evaluation/evaluation.ts';
import { sortInTurns } from '../evaluation/sort-by-labels.ts';
import { hasPoints, type StepSeries } from '../evaluation/step-series.ts';
import type { Call } from '../expr.ts';
import { type FunctionImplementation, stringArgument, vectorArgument } from './function.ts';

type Order = (a: StepSeries, b: StepSeries) => number;

/** Sorts the answer of a query at one time; over a range answers are in the order of their labels anyway. */
function sorted(orderOf: (call: Call) => Order): FunctionImplementation {
  return async (call, evaluation: Evaluation) => {
    const series = (await vectorArgument(call.args[0]!, evaluation)).filter(hasPoints);
    if (evaluation.grid.steps > 1) {
      evaluation.annotations.add(sortInRangeQuery(call));
      return { kind: 'vector', series };
    }
    return { kind: 'vector', series: await sortInTurns(series, orderOf(call), evaluation.turn) };
  };
}

/** By value, NaN last in both directions. */
const byValue =
  (direction: 1 | -1): Order =>
  (a, b) => {
    const [x, y] = [a.values[0]!, b.values[0]!];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    return x === y ? 0 : direction * (x < y ? -1 : 1);
  };

/** By the values of the named labels in turn, numbers in them by size; then by all labels. */
const byLabels =
  (names: readonly string[], direction: 1 | -1): Order =>
  (a, b) => {
    for (const name of names) {
      const order = compareNaturally(labelValue(a.labels, name), labelValue(b.labels, name));
      if (order !== 0) return direction * order;
    }
    return direction * compareLabels(a.labels, b.labels);
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

const labelNames = (call: Call) => call.args.slice(1).map(stringArgument);

export const sortFunctions: Readonly<Record<string, FunctionImplementation>> = {
  sort: sorted(() => byValue(1)),
  sort_desc: sorted(() => byValue(-1)),
  sort_by_label: sorted((call) => byLabels(labelNames(call), 1)),
  sort_by_label_desc: sorted((call) => byLabels(labelNames(call), -1)),
};
