import type { ArithmeticOperator, BinaryOperator, ComparisonOperator } from '../expr.ts';

// Above this, whole exponents are left to the mathematics library.
const LARGEST_SQUARED = 1024;

/**
 * Go's `math.Pow`: where a base is 1 or -1 it differs from JavaScript's, and whole exponents are squared and
 * multiplied, which rounds differently in the last place.
 */
export function power(base: number, exponent: number): number {
  if (base === 1) return 1;
  if (base === -1 && !Number.isFinite(exponent) && !Number.isNaN(exponent)) return 1;
  if (exponent === 0.5) return base === Number.NEGATIVE_INFINITY ? Number.POSITIVE_INFINITY : Math.sqrt(base);
  if (!Number.isInteger(exponent) || Math.abs(exponent) > LARGEST_SQUARED) return base ** exponent;
  let result = 1;
  let square = base;
  for (let rest = Math.abs(exponent); rest > 0; rest >>= 1) {
    if (rest & 1) result *= square;
    square *= square;
  }
  return exponent < 0 ? 1 / result : result;
}

export const arithmetic: Readonly<Record<ArithmeticOperator, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '^': power,
  atan2: Math.atan2,
};

export const comparison: Readonly<Record<ComparisonOperator, (a: number, b: number) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

export const isArithmetic = (op: BinaryOperator): op is ArithmeticOperator => op in arithmetic;
