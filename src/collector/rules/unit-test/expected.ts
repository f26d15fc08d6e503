import { compareLabels, type Labels, labelsKey } from '../../../model/labels.ts';
import type { AlertFacts, SampleFacts } from './report.ts';

/** Both orders are by labels; promtool compares lists, not sets. */
export const inOrder = <T extends { readonly labels: Labels }>(facts: readonly T[]): readonly T[] =>
  [...facts].sort((a, b) => compareLabels(a.labels, b.labels));

export const inAlertOrder = (alerts: readonly AlertFacts[]): readonly AlertFacts[] =>
  [...alerts].sort(
    (a, b) => compareLabels(a.labels, b.labels) || compareLabels(a.annotations, b.annotations),
  );

export function sameAlerts(expected: readonly AlertFacts[], got: readonly AlertFacts[]): boolean {
  const key = ({ labels, annotations }: AlertFacts) => `${labelsKey(labels)}|${labelsKey(annotations)}`;
  return expected.length === got.length && expected.every((alert, i) => key(alert) === key(got[i]!));
}

/** Values must be equal to the bit; with `fuzzy` the neighbouring float is equal too. NaN equals nothing. */
export function sameSamples(
  expected: readonly SampleFacts[],
  got: readonly SampleFacts[],
  fuzzy: boolean,
): boolean {
  return (
    expected.length === got.length &&
    expected.every(
      ({ labels, value }, i) =>
        labelsKey(labels) === labelsKey(got[i]!.labels) && sameValue(value, got[i]!.value, fuzzy),
    )
  );
}

function sameValue(a: number, b: number, fuzzy: boolean): boolean {
  return a === b || (fuzzy && (neighbour(a, 1) === b || neighbour(a, -1) === b));
}

/** The next float upwards or downwards. */
function neighbour(value: number, direction: 1 | -1): number {
  if (Number.isNaN(value) || value === direction * Number.POSITIVE_INFINITY) return value;
  if (value === 0) return direction * Number.MIN_VALUE;
  const bits = new BigInt64Array(1);
  const floats = new Float64Array(bits.buffer);
  floats[0] = value;
  bits[0] = bits[0]! + BigInt(value > 0 ? direction : -direction);
  return floats[0]!;
}
