import { invalidQuantile } from '../evaluation/annotations.ts';
import type { Evaluation } from '../evaluation/evaluation.ts';
import type { StepSeries } from '../evaluation/step-series.ts';
import type { AggregateExpr } from '../expr.ts';
import { addAt } from '../kahan-sum.ts';
import { quantileOf } from '../quantile.ts';
import type { Reduce } from './aggregation.ts';

/**
 * The aggregations that give one value a group. All go through the series of a group in order, each over all steps,
 * with the operations of Prometheus in its order. Source: prometheus/promql/engine.go, `aggregation`
 */

/** Calls `first` with the first value of each step and `next` with the others. */
function fold(
  group: readonly StepSeries[],
  first: (k: number, value: number) => void,
  next: (k: number, value: number) => void,
): void {
  const seen = new Uint8Array(group[0]!.values.length);
  for (const { values, present } of group) {
    for (let k = 0; k < values.length; k += 1) {
      if (present[k] === 0) continue;
      if (seen[k] === 1) next(k, values[k]!);
      else {
        seen[k] = 1;
        first(k, values[k]!);
      }
    }
  }
}

export const sum: Reduce = (group, { values }) => {
  const cs = new Float64Array(values.length);
  fold(
    group,
    (k, value) => {
      values[k] = value;
    },
    (k, value) => addAt(values, cs, k, value),
  );
  for (let k = 0; k < values.length; k += 1) values[k] = values[k]! + cs[k]!;
};

/** The mean as sum over count; as a running mean from where the sum would overflow. */
export const average: Reduce = (group, { values }) => {
  const cs = new Float64Array(values.length);
  const counts = new Float64Array(values.length);
  const running = new Uint8Array(values.length);
  fold(
    group,
    (k, value) => {
      values[k] = value;
      counts[k] = 1;
    },
    (k, value) => {
      const count = counts[k]! + 1;
      counts[k] = count;
      if (running[k] === 0) {
        const [sumBefore, cBefore] = [values[k]!, cs[k]!];
        addAt(values, cs, k, value);
        if (Math.abs(values[k]!) !== Number.POSITIVE_INFINITY) return;
        running[k] = 1;
        values[k] = sumBefore / (count - 1);
        cs[k] = cBefore / (count - 1);
      }
      const share = (count - 1) / count;
      values[k] = share * values[k]!;
      cs[k] = share * cs[k]!;
      addAt(values, cs, k, value / count);
    },
  );
  for (let k = 0; k < values.length; k += 1) {
    values[k] = running[k] === 1 ? values[k]! + cs[k]! : values[k]! / counts[k]! + cs[k]! / counts[k]!;
  }
};

export const countOf: Reduce = (group, { values }) => {
  const count = (k: number) => {
    values[k] = values[k]! + 1;
  };
  fold(group, count, count);
};

export const groupOf: Reduce = (_, { values }) => {
  values.fill(1);
};

const extreme = (isBetter: (value: number, than: number) => boolean): Reduce => {
  return (group, { values }) =>
    fold(
      group,
      (k, value) => {
        values[k] = value;
      },
      (k, value) => {
        if (isBetter(value, values[k]!) || Number.isNaN(values[k]!)) values[k] = value;
      },
    );
};

export const maximum = extreme((value, than) => value > than);
export const minimum = extreme((value, than) => value < than);

/** Welford's running variance of the whole population. */
export const variance: Reduce = (group, { values }) => {
  const means = new Float64Array(values.length);
  const counts = new Float64Array(values.length);
  fold(
    group,
    (k, value) => {
      values[k] = Number.isFinite(value) ? 0 : Number.NaN;
      means[k] = value;
      counts[k] = 1;
    },
    (k, value) => {
      counts[k] = counts[k]! + 1;
      const delta = value - means[k]!;
      means[k] = means[k]! + delta / counts[k]!;
      values[k] = values[k]! + delta * (value - means[k]!);
    },
  );
  for (let k = 0; k < values.length; k += 1) values[k] = values[k]! / counts[k]!;
};

export const deviation: Reduce = (group, out, firstStep) => {
  variance(group, out, firstStep);
  for (let k = 0; k < out.values.length; k += 1) out.values[k] = Math.sqrt(out.values[k]!);
};

/** `quantile`, with a warning for parameters outside 0 to 1. */
export function quantileAggregation(
  expr: AggregateExpr,
  param: Float64Array,
  { annotations }: Evaluation,
): Reduce {
  warnOfQuantiles(param, (q) => annotations.add(invalidQuantile(q, expr.param!)));
  return (group, { values }, firstStep) => {
    const atStep = new Float64Array(group.length);
    for (let k = 0; k < values.length; k += 1) {
      let n = 0;
      for (const one of group) if (one.present[k] === 1) atStep[n++] = one.values[k]!;
      values[k] = quantileOf(param[firstStep + k]!, atStep.subarray(0, n));
    }
  };
}

function warnOfQuantiles(params: Float64Array, warn: (q: number) => void): void {
  if (params.some(Number.isNaN)) {
    warn(Number.NaN);
    return;
  }
  const max = params.reduce((a, b) => Math.max(a, b));
  const min = params.reduce((a, b) => Math.min(a, b));
  if (max > 1) warn(max);
  if (min < 0) warn(min);
}
