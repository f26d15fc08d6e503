import { type Labels, labelsKey, labelValue } from '../../../model/labels.ts';
import type { BinaryExpr, VectorMatching } from '../expr.ts';
import { isComparison } from '../expr.ts';
import { quote } from '../go-format.ts';
import type { Evaluation } from './evaluation.ts';
import { executionError } from './execution-error.ts';
import { dropLabels, dropMetadata, keepLabels, withLabel } from './label-set.ts';
import { groupBy, matchingLabels, signatureOf } from './match-signature.ts';
import { arithmetic, comparison, isArithmetic } from './operator.ts';
import { anyPresent } from './set-operator.ts';
import { type StepSeries, seriesOf } from './step-series.ts';
import { mapInTurns, type Turn } from './turn.ts';

/**
 * An arithmetic or comparison operator between two instant vectors. The "many" side is walked in its order; the
 * "one" side is looked up by the labels both have in common.
 */
export async function matchVectors(
  expr: BinaryExpr,
  lhs: StepSeries[],
  rhs: StepSeries[],
  evaluation: Evaluation,
): Promise<StepSeries[]> {
  const matching = expr.matching!;
  const swapped = matching.cardinality === 'one-to-many';
  const [many, one] = swapped ? [rhs, lhs] : [lhs, rhs];
  const { steps } = evaluation.grid;
  const signature = signatureOf(matching);
  const keyOf = (series: StepSeries) => signature(series.labels);
  const oneBySignature = await groupBy(one, keyOf, evaluation.turn);
  const manyPresent = await anyPresent(many, steps, evaluation.turn);
  await checkOneSide(
    oneBySignature.values(),
    manyPresent,
    matching,
    swapped ? 'left' : 'right',
    evaluation.turn,
  );
  const pairs: Pair[] = [];
  const combine = combination(expr, swapped);
  for (const series of many) {
    if (evaluation.turn.isOver()) await evaluation.turn.pause();
    const key = keyOf(series);
    for (const other of oneBySignature.get(key) ?? []) {
      if (evaluation.turn.isOver()) await evaluation.turn.pause();
      const pair = pairUp(key, series, other, expr, evaluation);
      if (pair === undefined) continue;
      pairs.push(pair);
      combine(series, other, pair);
    }
  }
  await checkManySide(pairs, matching, evaluation.turn);
  return mapInTurns(pairs, evaluation.turn, ({ result, matched }) => {
    if (!filters(expr)) result.present.set(matched);
    return result;
  });
}

/** One series of each side that match, and the steps at which both have a value. */
interface Pair {
  readonly signature: string;
  readonly matched: Uint8Array;
  readonly result: StepSeries;
}

const filters = (expr: BinaryExpr): boolean => isComparison(expr.op) && !expr.returnBool;

function pairUp(
  signature: string,
  many: StepSeries,
  one: StepSeries,
  expr: BinaryExpr,
  { grid, delayedNameRemoval, columns }: Evaluation,
): Pair | undefined {
  const matched = new Uint8Array(grid.steps);
  let any = 0;
  for (let k = 0; k < grid.steps; k += 1) any |= matched[k] = many.present[k]! & one.present[k]!;
  if (any === 0) return undefined;
  const labels = resultLabels(many.labels, one.labels, expr, delayedNameRemoval);
  return { signature, matched, result: seriesOf(labels, columns.take(grid.steps), expr.returnBool) };
}

/** Computes the values of a pair, and for a filter which of them stay. */
function combination(
  expr: BinaryExpr,
  swapped: boolean,
): (many: StepSeries, one: StepSeries, pair: Pair) => void {
  const { op, returnBool } = expr;
  return (many, one, { matched, result }) => {
    const [left, right] = swapped ? [one.values, many.values] : [many.values, one.values];
    const { values, present } = result;
    if (isArithmetic(op)) {
      const fn = arithmetic[op];
      for (let k = 0; k < values.length; k += 1) values[k] = fn(left[k]!, right[k]!);
    } else if (isComparison(op)) {
      const holds = comparison[op];
      for (let k = 0; k < values.length; k += 1) {
        const kept = holds(left[k]!, right[k]!);
        values[k] = returnBool ? Number(kept) : left[k]!;
        present[k] = matched[k]! & Number(kept);
      }
    }
  };
}

function resultLabels(many: Labels, one: Labels, expr: BinaryExpr, delayedNameRemoval: boolean): Labels {
  const matching = expr.matching!;
  const changesMeaning = isArithmetic(expr.op) || (expr.returnBool && !delayedNameRemoval);
  let labels = changesMeaning ? dropMetadata(many) : many;
  if (matching.cardinality === 'one-to-one') {
    const names = new Set(matching.labels);
    labels = matching.on ? keepLabels(labels, names) : dropLabels(labels, names);
  }
  for (const name of matching.include) labels = withLabel(labels, name, labelValue(one, name));
  return labels;
}

/** At no step may two series of the "one" side match the same others, if there are any to match. */
async function checkOneSide(
  groups: Iterable<StepSeries[]>,
  manyPresent: Uint8Array,
  matching: VectorMatching,
  side: 'left' | 'right',
  turn: Turn,
): Promise<void> {
  for (const group of groups) {
    if (group.length < 2) continue;
    const holder = new Int32Array(manyPresent.length).fill(-1);
    for (const [i, series] of group.entries()) {
      if (turn.isOver()) await turn.pause();
      for (let k = 0; k < holder.length; k += 1) {
        if (series.present[k] === 0 || manyPresent[k] === 0) continue;
        if (holder[k]! >= 0) throw manyOnBothSides(series.labels, group[holder[k]!]!.labels, matching, side);
        holder[k] = i;
      }
    }
  }
}

function manyOnBothSides(a: Labels, b: Labels, matching: VectorMatching, side: string): Error {
  const common = printLabels(matchingLabels(matching)(a));
  const duplicates = [printLabels(a), printLabels(b)].sort().join(', ');
  return executionError(
    `found duplicate series for the match group ${common} on the ${side} hand-side of the operation: [${duplicates}]` +
      ';many-to-many matching not allowed: matching labels must be unique on one side',
  );
}

/** Labels as in `{job="api", zone="a"}`. */
const printLabels = (labels: Labels): string =>
  `{${labels.map(([name, value]) => `${/^[A-Za-z_]\w*$/.test(name) ? name : quote(name)}=${quote(value)}`).join(', ')}}`;

/** Several series of the "many" side may match the same one only when asked for, and with different results. */
async function checkManySide(pairs: readonly Pair[], matching: VectorMatching, turn: Turn): Promise<void> {
  const oneToOne = matching.cardinality === 'one-to-one';
  const keyOf = ({ signature, result }: Pair) =>
    oneToOne ? signature : `${signature}|${labelsKey(result.labels)}`;
  for (const group of (await groupBy(pairs, keyOf, turn)).values()) {
    if (group.length < 2) continue;
    const taken = new Uint8Array(group[0]!.matched.length);
    for (const { matched } of group) {
      if (turn.isOver()) await turn.pause();
      for (let k = 0; k < taken.length; k += 1) {
        if (taken[k]! & matched[k]!) {
          throw executionError(
            oneToOne
              ? 'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)'
              : 'multiple matches for labels: grouping labels must ensure unique matches',
          );
        }
        taken[k]! |= matched[k]!;
      }
    }
  }
}
