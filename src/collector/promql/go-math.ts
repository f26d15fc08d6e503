/**
 * Where Go's mathematics rounds otherwise than JavaScript's, and the algorithm is simple: so that answers are those of
 * Prometheus to the bit. The transcendental functions differ in the last place still.
 * Source: https://pkg.go.dev/math
 */

const bits = new DataView(new ArrayBuffer(8));
const SUBNORMAL_SCALE = 2 ** 54;

/** `value` as a fraction of 0.5 or more and below 1, and the power of two it is multiplied by. */
function fractionOf(value: number): readonly [fraction: number, exponent: number] {
  if (value === 0 || !Number.isFinite(value)) return [value, 0];
  const isSubnormal = Math.abs(value) < 2 ** -1022;
  bits.setFloat64(0, isSubnormal ? value * SUBNORMAL_SCALE : value);
  const high = bits.getUint32(0);
  bits.setUint32(0, (high & 0x800fffff) | 0x3fe00000);
  return [bits.getFloat64(0), ((high >>> 20) & 0x7ff) - 1022 - (isSubnormal ? 54 : 0)];
}

/** `fraction` times two to the `exponent`, rounded once. */
function scale(fraction: number, exponent: number): number {
  const [f, own] = fractionOf(fraction);
  const e = own + exponent;
  if (e > 1024) return f * Number.POSITIVE_INFINITY;
  if (e < -1075) return f * 0;
  // Half of a power that would itself be out of range; below the normal numbers only the last step may round.
  return e < -1021 ? f * 2 ** (e + 60) * 2 ** -60 : f * 2 * 2 ** (e - 1);
}

const LARGEST_INTEGER = 2 ** 63;
const LARGEST_EXPONENT = 2 ** 12;

/** Go's `math.Pow`: the whole part of the exponent by squaring the base's fraction, the rest by logarithms. */
export function power(base: number, exponent: number): number {
  if (base === 1 || exponent === 0) return 1;
  if (exponent === 1) return base;
  if (base === -1 && Math.abs(exponent) === Number.POSITIVE_INFINITY) return 1;
  // Zeros, infinities and NaN, and what has no real value.
  if (base === 0 || !Number.isFinite(base) || !Number.isFinite(exponent)) return base ** exponent;
  if (exponent === 0.5) return Math.sqrt(base);
  if (exponent === -0.5) return 1 / Math.sqrt(base);
  let whole = Math.trunc(Math.abs(exponent));
  let rest = Math.abs(exponent) - whole;
  if (whole >= LARGEST_INTEGER || (rest !== 0 && base < 0)) return base ** exponent;
  let result = 1;
  if (rest !== 0) {
    if (rest > 0.5) {
      rest -= 1;
      whole += 1;
    }
    result = Math.exp(rest * ln(base));
  }
  let [square, squareExponent] = fractionOf(base);
  let resultExponent = 0;
  for (; whole !== 0; whole = Math.floor(whole / 2)) {
    if (Math.abs(squareExponent) > LARGEST_EXPONENT) {
      resultExponent += squareExponent;
      break;
    }
    if (whole % 2 === 1) {
      result *= square;
      resultExponent += squareExponent;
    }
    square *= square;
    squareExponent *= 2;
    if (square < 0.5) {
      square += square;
      squareExponent -= 1;
    }
  }
  return exponent < 0 ? scale(1 / result, -resultExponent) : scale(result, resultExponent);
}

// ln 2 in two parts, the first of which times a whole number is exact.
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
// Of the polynomial by which ln((1 + s) / (1 - s)) differs from 2 s, over s; odd and even powers of its argument.
const ODD = [0.6666666666666735, 0.2857142874366239, 0.1818357216161805, 0.14798198605116586] as const;
const EVEN = [0.3999999999940942, 0.22222198432149784, 0.15313837699209373] as const;

/** Go's `math.Log`: FreeBSD's e_log.c without its shortcuts. */
export function ln(value: number): number {
  if (!(value > 0) || value === Number.POSITIVE_INFINITY) return Math.log(value);
  let [fraction, k] = fractionOf(value);
  if (fraction < Math.SQRT1_2) {
    fraction *= 2;
    k -= 1;
  }
  const f = fraction - 1;
  const s = f / (2 + f);
  const s2 = s * s;
  const s4 = s2 * s2;
  const odd = s2 * (ODD[0] + s4 * (ODD[1] + s4 * (ODD[2] + s4 * ODD[3])));
  const even = s4 * (EVEN[0] + s4 * (EVEN[1] + s4 * EVEN[2]));
  const half = 0.5 * f * f;
  return k * LN2_HIGH - (half - (s * (half + (odd + even)) + k * LN2_LOW) - f);
}

/** Go's `math.Log2`: exact for powers of two. */
export function log2(value: number): number {
  const [fraction, exponent] = fractionOf(value);
  return fraction === 0.5 ? exponent - 1 : ln(fraction) * Math.LOG2E + exponent;
}

/** Go's `math.Log10`, so not exact for all powers of ten. */
export const log10 = (value: number): number => ln(value) * Math.LOG10E;
