import { timeAt } from '../evaluation/evaluation.ts';
import { evaluateSelector } from '../evaluation/instant-selector.ts';
import { NO_LABELS } from '../evaluation/label-set.ts';
import { constantSeries } from '../evaluation/step-series.ts';
import { unwrapParens } from '../expr.ts';
import { type FunctionImplementation, mapValues, vectorArgument } from './function.ts';

const DAY_MS = 24 * 3600 * 1000;

/** A part of the date of each value (seconds since the epoch, UTC), or of the evaluation time. */
function datePart(part: (date: Date) => number): FunctionImplementation {
  const ofSeconds = (seconds: number) => part(new Date(Math.trunc(seconds) * 1000));
  return async (call, evaluation) => {
    const { grid } = evaluation;
    if (call.args.length === 0) {
      const values = Float64Array.from({ length: grid.steps }, (_, k) => ofSeconds(timeAt(grid, k) / 1000));
      return { kind: 'vector', series: [constantSeries(NO_LABELS, values)] };
    }
    const series = await vectorArgument(call.args[0]!, evaluation);
    return mapValues(series, evaluation, (values) => {
      for (let k = 0; k < values.length; k += 1) values[k] = ofSeconds(values[k]!);
    });
  };
}

const daysInMonth = (date: Date) =>
  new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
const dayOfYear = (date: Date) =>
  Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MS) + 1;

/** The time of each sample: of those picked by a selector their own, of computed ones that of the evaluation. */
const timestamp: FunctionImplementation = async (call, evaluation) => {
  const arg = unwrapParens(call.args[0]!);
  if (arg.kind === 'vector-selector') {
    return mapValues(await evaluateSelector(arg, evaluation, 'time'), evaluation, () => {});
  }
  return mapValues(await vectorArgument(arg, evaluation), evaluation, (values) => {
    for (let k = 0; k < values.length; k += 1) values[k] = timeAt(evaluation.grid, k) / 1000;
  });
};

const constant =
  (of: (evaluation: Parameters<FunctionImplementation>[1]) => number): FunctionImplementation =>
  async (_, evaluation) => ({
    kind: 'scalar',
    values: new Float64Array(evaluation.grid.steps).fill(of(evaluation)),
  });

export const timeFunctions: Readonly<Record<string, FunctionImplementation>> = {
  time: async (_, { grid }) => ({
    kind: 'scalar',
    values: Float64Array.from({ length: grid.steps }, (__, k) => timeAt(grid, k) / 1000),
  }),
  start: constant(({ startMs }) => startMs / 1000),
  end: constant(({ endMs }) => endMs / 1000),
  range: constant(({ startMs, endMs }) => (endMs - startMs) / 1000),
  step: constant(({ stepMs }) => stepMs / 1000),
  pi: constant(() => Math.PI),
  timestamp,
  minute: datePart((date) => date.getUTCMinutes()),
  hour: datePart((date) => date.getUTCHours()),
  day_of_week: datePart((date) => date.getUTCDay()),
  day_of_month: datePart((date) => date.getUTCDate()),
  day_of_year: datePart(dayOfYear),
  days_in_month: datePart(daysInMonth),
  month: datePart((date) => date.getUTCMonth() + 1),
  year: datePart((date) => date.getUTCFullYear()),
};
