import { RE2JS, RE2JSSyntaxException } from 're2js';
import { type Labels, labelValue, METRIC_NAME } from '../../../model/labels.ts';
import type { Evaluation } from '../evaluation/evaluation.ts';
import { executionError } from '../evaluation/execution-error.ts';
import { isLabelName, withLabel } from '../evaluation/label-set.ts';
import { mergeEqualSeries } from '../evaluation/step-series.ts';
import { mapInTurns } from '../evaluation/turn.ts';
import type { Expr } from '../expr.ts';
import { type FunctionImplementation, stringArgument, vectorArgument } from './function.ts';
import { expandTemplate, type Submatch } from './regexp-template.ts';

/** Sets label `name` of each series to what `toValue` says; undefined leaves the series as it is. */
async function relabel(
  arg: Expr,
  name: string,
  toValue: (labels: Labels) => string | undefined,
  evaluation: Evaluation,
) {
  const series = await mapInTurns(await vectorArgument(arg, evaluation), evaluation.turn, (one) => {
    const value = toValue(one.labels);
    if (value === undefined) return one;
    const labels = withLabel(one.labels, name, value);
    return { ...one, labels, dropName: one.dropName && name !== METRIC_NAME };
  });
  return { kind: 'vector' as const, series: await mergeEqualSeries(series, evaluation.turn) };
}

const labelReplace: FunctionImplementation = async (call, evaluation) => {
  const [to, replacement, from, pattern] = call.args.slice(1).map(stringArgument) as [
    string,
    string,
    string,
    string,
  ];
  const regexp = compile(pattern);
  if (!isLabelName(to)) throw executionError(`invalid destination label name in label_replace(): ${to}`);
  return relabel(
    call.args[0]!,
    to,
    (labels) => {
      const matcher = regexp.matcher(labelValue(labels, from));
      if (!matcher.matches()) return undefined;
      return expandTemplate(replacement, submatchOf(matcher, regexp));
    },
    evaluation,
  );
};

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern, RE2JS.DOTALL);
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    throw executionError(`invalid regular expression in label_replace(): ${pattern}`);
  }
}

/** Groups by number and by name; one that took no part, or does not exist, is empty. */
function submatchOf(matcher: ReturnType<RE2JS['matcher']>, regexp: RE2JS): Submatch {
  const names = regexp.namedGroups() as Record<string, number>;
  return (group) => {
    const number = /^\d+$/.test(group) ? Number(group) : Object.hasOwn(names, group) ? names[group]! : -1;
    return number >= 0 && number <= matcher.groupCount() ? (matcher.group(number) ?? '') : '';
  };
}

const labelJoin: FunctionImplementation = async (call, evaluation) => {
  const [to, separator, ...sources] = call.args.slice(1).map(stringArgument) as [string, string, ...string[]];
  for (const source of sources) {
    if (!isLabelName(source)) throw executionError(`invalid source label name in label_join(): ${source}`);
  }
  if (!isLabelName(to)) throw executionError(`invalid destination label name in label_join(): ${to}`);
  const join = (labels: Labels) => sources.map((source) => labelValue(labels, source)).join(separator);
  return relabel(call.args[0]!, to, join, evaluation);
};

export const labelFunctions: Readonly<Record<string, FunctionImplementation>> = {
  label_replace: labelReplace,
  label_join: labelJoin,
};
