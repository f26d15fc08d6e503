import { ln, log2, log10 } from '../go-math.ts';
import {
  elementwise,
  type FunctionImplementation,
  mapValues,
  scalarArgument,
  vectorArgument,
} from './function.ts';

// Go's math.Min and math.Max let an infinity win over NaN.
const min = (a: number, b: number) =>
  a === Number.NEGATIVE_INFINITY || b === Number.NEGATIVE_INFINITY
    ? Number.NEGATIVE_INFINITY
    : Math.min(a, b);
const max = (a: number, b: number) =>
  a === Number.POSITIVE_INFINITY || b === Number.POSITIVE_INFINITY
    ? Number.POSITIVE_INFINITY
    : Math.max(a, b);

const sign = (value: number) => (value < 0 ? -1 : value > 0 ? 1 : value);

/** Values between two bounds; nothing where the lower one is above the upper one. */
function clampBetween(boundsOf: (args: Float64Array[]) => readonly [low: Float64Array, high: Float64Array]) {
  const implementation: FunctionImplementation = async (call, evaluation) => {
    const series = await vectorArgument(call.args[0]!, evaluation);
    const scalars: Float64Array[] = [];
    for (const arg of call.args.slice(1)) scalars.push(await scalarArgument(arg, evaluation));
    const [low, high] = boundsOf(scalars);
    return mapValues(series, evaluation, (values, present) => {
      for (let k = 0; k < values.length; k += 1) {
        if (high[k]! < low[k]!) present[k] = 0;
        else values[k] = max(low[k]!, min(high[k]!, values[k]!));
      }
    });
  };
  return implementation;
}

const unbounded = (like: Float64Array, value: number) => new Float64Array(like.length).fill(value);

/** To the nearest multiple, ties up. */
const round: FunctionImplementation = async (call, evaluation) => {
  const series = await vectorArgument(call.args[0]!, evaluation);
  const nearest = call.args[1] === undefined ? undefined : await scalarArgument(call.args[1], evaluation);
  return mapValues(series, evaluation, (values) => {
    for (let k = 0; k < values.length; k += 1) {
      // The inverse loses less than dividing by the multiple.
      const inverse = 1 / (nearest?.[k] ?? 1);
      values[k] = Math.floor(values[k]! * inverse + 0.5) / inverse;
    }
  });
};

const pairOf =
  (pick: (a: number, b: number) => number): FunctionImplementation =>
  async (call, evaluation) => {
    const a = await scalarArgument(call.args[0]!, evaluation);
    const b = await scalarArgument(call.args[1]!, evaluation);
    return { kind: 'scalar', values: a.map((value, k) => pick(value, b[k]!)) };
  };

export const mathFunctions: Readonly<Record<string, FunctionImplementation>> = {
  abs: elementwise(Math.abs),
  acos: elementwise(Math.acos),
  acosh: elementwise(Math.acosh),
  asin: elementwise(Math.asin),
  asinh: elementwise(Math.asinh),
  atan: elementwise(Math.atan),
  atanh: elementwise(Math.atanh),
  ceil: elementwise(Math.ceil),
  cos: elementwise(Math.cos),
  cosh: elementwise(Math.cosh),
  deg: elementwise((value) => (value * 180) / Math.PI),
  exp: elementwise(Math.exp),
  floor: elementwise(Math.floor),
  ln: elementwise(ln),
  log10: elementwise(log10),
  log2: elementwise(log2),
  rad: elementwise((value) => (value * Math.PI) / 180),
  sgn: elementwise(sign),
  sin: elementwise(Math.sin),
  sinh: elementwise(Math.sinh),
  sqrt: elementwise(Math.sqrt),
  tan: elementwise(Math.tan),
  tanh: elementwise(Math.tanh),
  clamp: clampBetween(([low, high]) => [low!, high!]),
  clamp_max: clampBetween(([high]) => [unbounded(high!, Number.NEGATIVE_INFINITY), high!]),
  clamp_min: clampBetween(([low]) => [low!, unbounded(low!, Number.POSITIVE_INFINITY)]),
  max_of: pairOf(max),
  min_of: pairOf(min),
  round,
};
