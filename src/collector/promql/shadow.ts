import { labelsKey } from '../../model/labels.ts';
import type { QueryValue } from '../../model/query-result.ts';

/** How often answers from summaries are worked out again from every sample, and who hears of it. */
export interface ShadowOptions {
  /** Between 0 and 1. */
  readonly share: number;
  readonly random: () => number;
  /** Called for each answer that was worked out twice, with the expression. */
  readonly onCompared: (text: string, agreed: boolean) => void;
}

// Far more than rounding may make of a sum, and of a difference of two sums.
const TOLERANCE = 1e-9;

/** Whether two answers to one question are the same but for rounding. */
export function isSameAnswer(a: QueryValue, b: QueryValue): boolean {
  if (a.type === 'scalar' && b.type === 'scalar') return isClose(a.v, b.v);
  if (a.type === 'string' && b.type === 'string') return true;
  if (a.type === 'matrix' && b.type === 'matrix') return a.series.length === b.series.length;
  if (a.type !== 'vector' || b.type !== 'vector' || a.samples.length !== b.samples.length) return false;
  const values = new Map(a.samples.map(({ labels, v }) => [labelsKey(labels), v]));
  return b.samples.every(({ labels, v }) => {
    const other = values.get(labelsKey(labels));
    return other !== undefined && isClose(v, other);
  });
}

const isClose = (a: number, b: number) =>
  Object.is(a, b) || a === b || Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b));
