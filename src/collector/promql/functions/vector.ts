import { type Labels, METRIC_NAME } from '../../../model/labels.ts';
import { NO_LABELS, withLabel } from '../evaluation/label-set.ts';
import { evaluateRange } from '../evaluation/range-vector.ts';
import { mapRange } from '../evaluation/range-windows.ts';
import { anyPresent } from '../evaluation/set-operator.ts';
import { constantSeries, hasPoints, newSeries } from '../evaluation/step-series.ts';
import { type Expr, unwrapParens } from '../expr.ts';
import { type FunctionImplementation, rangeArgument, scalarArgument, vectorArgument } from './function.ts';

/** A scalar as a vector of one series without labels. */
const vector: FunctionImplementation = async (call, evaluation) => {
  const values = await scalarArgument(call.args[0]!, evaluation);
  return { kind: 'vector', series: [constantSeries(NO_LABELS, values)] };
};

/** The value of the only series at each step; NaN where there is none or more than one. */
const scalar: FunctionImplementation = async (call, evaluation) => {
  const series = await vectorArgument(call.args[0]!, evaluation);
  const values = new Float64Array(evaluation.grid.steps).fill(Number.NaN);
  const found = new Uint8Array(values.length);
  for (const one of series) {
    if (evaluation.turn.isOver()) await evaluation.turn.pause();
    for (let k = 0; k < values.length; k += 1) {
      if (one.present[k] === 0) continue;
      values[k] = found[k] === 0 ? one.values[k]! : Number.NaN;
      found[k] = 1;
    }
  }
  return { kind: 'scalar', values };
};

/** 1 with the labels the selector asks for, at each step without any series. */
const absent: FunctionImplementation = async (call, evaluation) => {
  const series = await vectorArgument(call.args[0]!, evaluation);
  return absentAt(call.args[0]!, await anyPresent(series, evaluation.grid.steps, evaluation.turn));
};

const absentOverTime: FunctionImplementation = async (call, evaluation) => {
  const range = evaluateRange(rangeArgument(call.args[0]!), evaluation);
  const any = new Uint8Array(evaluation.grid.steps);
  const present = (_: unknown, out: Float64Array, step: number) => {
    any[step] = 1;
    out[step] = 1;
    return true;
  };
  await mapRange(range, evaluation, present, () => {});
  return absentAt(call.args[0]!, any);
};

function absentAt(arg: Expr, present: Uint8Array) {
  const series = newSeries(requestedLabels(arg), present.length);
  for (let k = 0; k < present.length; k += 1) {
    series.present[k] = 1 - present[k]!;
    series.values[k] = 1;
  }
  return { kind: 'vector' as const, series: hasPoints(series) ? [series] : [] };
}

/** The labels a selector fixes by one `=` each; a label with any other matcher is left out. */
function requestedLabels(arg: Expr): Labels {
  const expr = unwrapParens(arg);
  const selector = expr.kind === 'matrix-selector' ? expr.selector : expr;
  if (selector.kind !== 'vector-selector') return NO_LABELS;
  const fixed = new Set<string>();
  let labels = NO_LABELS;
  for (const { name, op, value } of selector.matchers) {
    if (name === METRIC_NAME) continue;
    const takes = op === '=' && !fixed.has(name);
    labels = withLabel(labels, name, takes ? value : '');
    if (takes) fixed.add(name);
  }
  return labels;
}

export const vectorFunctions: Readonly<Record<string, FunctionImplementation>> = {
  vector,
  scalar,
  absent,
  absent_over_time: absentOverTime,
};
