import { invalidQuantile } from '../evaluation/annotations.ts';
import type { Evaluation } from '../evaluation/evaluation.ts';
import type { StepSeries } from '../evaluation/step-series.ts';
import type { AggregateExpr } from '../expr.ts';
import { addAt } from '../kahan-sum.ts';
import { quantileOf } from '../quantile.ts';
import type { Reduce } from './grouped.ts';

/**
 * The aggregations that give one value a group. All go through the series of a group in order, each over all steps,
 * with the operations of Prometheus in its order. Source: prometheus/promql/engine.go, `aggregation`
 */

/** Calls `first` with the first value of each step and `next` with the others; `i` counts steps from `from`. */
function fold(
  group: readonly StepSeries[],
  from: number,
  to: number,
  first: (k: number, value: number, i: number) => void,
  next: (k: number, value: number, i: number) => void,
): void {
  const seen = new Uint8Array(to - from);
  for (const { values, present } of group) {
    for (let k = from; k < to; k += 1) {
      if (present[k] === 0) continue;
      const i = k - from;
      if (seen[i] === 1) next(k, values[k]!, i);
      else {
        seen[i] = 1;
        first(k, values[k]!, i);
      }
    }
  }
}

/** The commonest of all, so its loop is written out. */
export const sum: Reduce = (group, out, from, to) => {
  if (group.length === 1) {
    // As the first of a sum, compensated by 0: -0 becomes 0.
    for (let k = from; k < to; k += 1) out.values[k] = group[0]!.values[k]! + 0;
    return;
  }
  const sums = new Float64Array(to - from);
  const cs = new Float64Array(to - from);
  const seen = new Uint8Array(to - from);
  let areAllSeen = false;
  for (const { values, present } of group) {
    if (areAllSeen && isFull(present, from, to)) {
      for (let k = from, i = 0; k < to; k += 1, i += 1) addAt(sums, cs, i, values[k]!);
      continue;
    }
    for (let k = from, i = 0; k < to; k += 1, i += 1) {
      if (present[k] === 0) continue;
      if (seen[i] === 1) addAt(sums, cs, i, values[k]!);
      else {
        seen[i] = 1;
        sums[i] = values[k]!;
      }
    }
    areAllSeen ||= !seen.includes(0);
  }
  for (let k = from, i = 0; k < to; k += 1, i += 1) out.values[k] = sums[i]! + cs[i]!;
};

/** Whether there is a value at each of these steps. */
function isFull(present: Uint8Array, from: number, to: number): boolean {
  const missing = present.indexOf(0, from);
  return missing < 0 || missing >= to;
}

/** The mean as sum over count; as a running mean from where the sum would overflow. */
export const average: Reduce = (group, { values }, from, to) => {
  const sums = new Float64Array(to - from);
  const cs = new Float64Array(to - from);
  const counts = new Float64Array(to - from);
  const running = new Uint8Array(to - from);
  fold(
    group,
    from,
    to,
    (_, value, i) => {
      sums[i] = value;
      counts[i] = 1;
    },
    (_, value, i) => {
      const count = counts[i]! + 1;
      counts[i] = count;
      if (running[i] === 0) {
        const [sumBefore, cBefore] = [sums[i]!, cs[i]!];
        addAt(sums, cs, i, value);
        if (Math.abs(sums[i]!) !== Number.POSITIVE_INFINITY) return;
        running[i] = 1;
        sums[i] = sumBefore / (count - 1);
        cs[i] = cBefore / (count - 1);
      }
      const share = (count - 1) / count;
      sums[i] = share * sums[i]!;
      cs[i] = share * cs[i]!;
      addAt(sums, cs, i, value / count);
    },
  );
  for (let k = from, i = 0; k < to; k += 1, i += 1) {
    values[k] = running[i] === 1 ? sums[i]! + cs[i]! : sums[i]! / counts[i]! + cs[i]! / counts[i]!;
  }
};

export const countOf: Reduce = (group, { values }, from, to) => {
  const count = (k: number) => {
    values[k] = values[k]! + 1;
  };
  fold(group, from, to, count, count);
};

export const groupOf: Reduce = (_, { values }, from, to) => {
  values.fill(1, from, to);
};

const extreme = (isBetter: (value: number, than: number) => boolean): Reduce => {
  return (group, { values }, from, to) =>
    fold(
      group,
      from,
      to,
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
export const variance: Reduce = (group, { values }, from, to) => {
  const means = new Float64Array(to - from);
  const counts = new Float64Array(to - from);
  fold(
    group,
    from,
    to,
    (k, value, i) => {
      values[k] = Number.isFinite(value) ? 0 : Number.NaN;
      means[i] = value;
      counts[i] = 1;
    },
    (k, value, i) => {
      counts[i] = counts[i]! + 1;
      const delta = value - means[i]!;
      means[i] = means[i]! + delta / counts[i]!;
      values[k] = values[k]! + delta * (value - means[i]!);
    },
  );
  for (let k = from; k < to; k += 1) values[k] = values[k]! / counts[k - from]!;
};

export const deviation: Reduce = (group, out, from, to) => {
  variance(group, out, from, to);
  for (let k = from; k < to; k += 1) out.values[k] = Math.sqrt(out.values[k]!);
};

/** `quantile`, with a warning for parameters outside 0 to 1. */
export function quantileAggregation(
  expr: AggregateExpr,
  param: Float64Array,
  { annotations }: Evaluation,
): Reduce {
  warnOfQuantiles(param, (q) => annotations.add(invalidQuantile(q, expr.param!)));
  return (group, { values }, from, to) => {
    const atStep = new Float64Array(group.length);
    for (let k = from; k < to; k += 1) {
      let n = 0;
      for (const one of group) if (one.present[k] === 1) atStep[n++] = one.values[k]!;
      values[k] = quantileOf(param[k]!, atStep.subarray(0, n));
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
