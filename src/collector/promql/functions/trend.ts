import { executionError } from '../evaluation/execution-error.ts';
import type { RangeWindow } from '../evaluation/range-windows.ts';
import { addTo, type KahanSum } from '../kahan-sum.ts';
import { applyToRange, type FunctionImplementation, overRange, scalarArgument } from './function.ts';

/**
 * Least-squares line through a window: slope per second, and its value at `interceptMs`. A constant series has slope
 * 0 exactly. Source: prometheus/promql/functions.go, `linearRegression`
 */
function regression(
  { t, v, from, to }: RangeWindow,
  interceptMs: number,
): { readonly slope: number; readonly intercept: number } {
  const x: KahanSum = { sum: 0, c: 0 };
  const y: KahanSum = { sum: 0, c: 0 };
  const xy: KahanSum = { sum: 0, c: 0 };
  const x2: KahanSum = { sum: 0, c: 0 };
  const first = v[from]!;
  let constant = true;
  for (let i = from; i < to; i += 1) {
    const value = v[i]!;
    if (constant && i > from && value !== first) constant = false;
    const seconds = (t[i]! - interceptMs) / 1e3;
    addTo(x, seconds);
    addTo(y, value);
    addTo(xy, seconds * value);
    addTo(x2, seconds * seconds);
  }
  if (constant) {
    const infinite = Math.abs(first) === Number.POSITIVE_INFINITY;
    return infinite ? { slope: Number.NaN, intercept: Number.NaN } : { slope: 0, intercept: first };
  }
  const n = to - from;
  const sumX = x.sum + x.c;
  const sumY = y.sum + y.c;
  const covariance = xy.sum + xy.c - (sumX * sumY) / n;
  const variance = x2.sum + x2.c - (sumX * sumX) / n;
  const slope = covariance / variance;
  return { slope, intercept: sumY / n - (slope * sumX) / n };
}

const deriv = overRange((window, out, step) => {
  if (window.to - window.from < 2) return false;
  out[step] = regression(window, window.t[window.from]!).slope;
  return true;
});

const predictLinear: FunctionImplementation = async (call, evaluation) => {
  const seconds = await scalarArgument(call.args[1]!, evaluation);
  return applyToRange(call.args[0]!, evaluation, (window, out, step) => {
    if (window.to - window.from < 2) return false;
    const { slope, intercept } = regression(window, window.evalMs);
    out[step] = slope * seconds[step]! + intercept;
    return true;
  });
};

/** Holt's double exponential smoothing. Source: https://en.wikipedia.org/wiki/Exponential_smoothing */
function smooth({ v, from, to }: RangeWindow, smoothing: number, trendFactor: number): number {
  let before = 0;
  let level = v[from]!;
  let trend = v[from + 1]! - v[from]!;
  for (let i = from + 1; i < to; i += 1) {
    const scaled = smoothing * v[i]!;
    if (i > from + 1) trend = trendFactor * (level - before) + (1 - trendFactor) * trend;
    const rest = (1 - smoothing) * (level + trend);
    before = level;
    level = scaled + rest;
  }
  return level;
}

function checkFactor(name: string, factor: number): void {
  if (factor > 0 && factor < 1) return;
  throw executionError(`invalid ${name} factor. Expected: 0 < ${name[0]}f < 1, got: ${factor.toFixed(6)}`);
}

const doubleExponentialSmoothing: FunctionImplementation = async (call, evaluation) => {
  const smoothing = await scalarArgument(call.args[1]!, evaluation);
  const trend = await scalarArgument(call.args[2]!, evaluation);
  return applyToRange(call.args[0]!, evaluation, (window, out, step) => {
    checkFactor('smoothing', smoothing[step]!);
    checkFactor('trend', trend[step]!);
    if (window.to - window.from < 2) return false;
    out[step] = smooth(window, smoothing[step]!, trend[step]!);
    return true;
  });
};

export const trendFunctions: Readonly<Record<string, FunctionImplementation>> = {
  deriv,
  predict_linear: predictLinear,
  double_exponential_smoothing: doubleExponentialSmoothing,
};
