import type { SetOperator, VectorMatching } from '../expr.ts';
import type { Evaluation } from './evaluation.ts';
import { signatureOf } from './match-signature.ts';
import type { StepSeries } from './step-series.ts';
import type { Turn } from './turn.ts';

/** `and`, `unless` and `or`: each step by itself. Writes into the presence of `lhs` and `rhs`. */
export async function evaluateSetOperator(
  op: SetOperator,
  matching: VectorMatching,
  lhs: StepSeries[],
  rhs: StepSeries[],
  { turn }: Evaluation,
): Promise<StepSeries[]> {
  const signature = signatureOf(matching);
  const keyOf = (series: StepSeries) => signature(series.labels);
  const presenceBySignature = async (all: StepSeries[]) => {
    const presence = new Map<string, Uint8Array>();
    // Mostly one series has a signature: its own presence is that of all.
    const copied = new Set<string>();
    for (const series of all) {
      if (turn.isOver()) await turn.pause();
      const key = keyOf(series);
      const known = presence.get(key);
      if (known === undefined) {
        presence.set(key, series.present);
        continue;
      }
      const any = copied.has(key) ? known : known.slice();
      presence.set(key, any);
      copied.add(key);
      for (let k = 0; k < any.length; k += 1) any[k]! |= series.present[k]!;
    }
    return presence;
  };
  const [filtered, other] = op === 'or' ? [rhs, lhs] : [lhs, rhs];
  const presence = await presenceBySignature(other);
  for (const series of filtered) {
    if (turn.isOver()) await turn.pause();
    const matched = presence.get(keyOf(series));
    if (matched === undefined) {
      if (op === 'and') series.present.fill(0);
    } else if (op === 'and') {
      if (matched.includes(0)) for (let k = 0; k < matched.length; k += 1) series.present[k]! &= matched[k]!;
    } else {
      for (let k = 0; k < matched.length; k += 1) if (matched[k] === 1) series.present[k] = 0;
    }
  }
  return op === 'or' ? [...lhs, ...rhs] : lhs;
}

/** At which steps any of `series` has a value. A new array. */
export async function anyPresent(
  series: readonly StepSeries[],
  steps: number,
  turn: Turn,
): Promise<Uint8Array> {
  const any = new Uint8Array(steps);
  for (const { present } of series) {
    if (turn.isOver()) await turn.pause();
    for (let k = 0; k < steps; k += 1) any[k]! |= present[k]!;
  }
  return any;
}
