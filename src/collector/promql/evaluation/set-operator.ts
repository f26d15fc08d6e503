import type { SetOperator, VectorMatching } from '../expr.ts';
import type { Evaluation } from './evaluation.ts';
import { groupBy, signatureOf } from './match-signature.ts';
import type { StepSeries } from './step-series.ts';
import type { Turn } from './turn.ts';

/** `and`, `unless` and `or`: each step by itself. Writes into the presence of `lhs` and `rhs`. */
export async function evaluateSetOperator(
  op: SetOperator,
  matching: VectorMatching,
  lhs: StepSeries[],
  rhs: StepSeries[],
  { grid, turn }: Evaluation,
): Promise<StepSeries[]> {
  const signature = signatureOf(matching);
  const keyOf = (series: StepSeries) => signature(series.labels);
  const presenceBySignature = async (all: StepSeries[]) => {
    const presence = new Map<string, Uint8Array>();
    for (const [key, group] of await groupBy(all, keyOf, turn))
      presence.set(key, await anyPresent(group, grid.steps, turn));
    return presence;
  };
  const [filtered, other] = op === 'or' ? [rhs, lhs] : [lhs, rhs];
  const presence = await presenceBySignature(other);
  const wanted = op === 'and' ? 1 : 0;
  for (const series of filtered) {
    if (turn.isOver()) await turn.pause();
    const matched = presence.get(keyOf(series));
    for (let k = 0; k < grid.steps; k += 1) {
      if ((matched?.[k] ?? 0) !== wanted) series.present[k] = 0;
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
