import type { Commit, CommittedBatch } from '../storage/commit-log.ts';

/** Commits that are sent together: their samples one after the other. */
export interface Group extends CommittedBatch {
  /** Of the last commit. */
  readonly position: number;
  /** Where each commit but the first begins, ascending. */
  readonly boundaries: readonly number[];
}

/** Undefined when there are no commits. */
export function groupOf(commits: readonly Commit[]): Group | undefined {
  const last = commits.at(-1);
  if (last === undefined) return undefined;
  const length = commits.reduce((sum, { samples }) => sum + samples.length, 0);
  const columns = {
    refs: new Float64Array(length),
    t: new Float64Array(length),
    high: new Uint32Array(length),
    low: new Uint32Array(length),
  };
  const boundaries: number[] = [];
  let at = 0;
  for (const { samples } of commits) {
    if (at > 0) boundaries.push(at);
    for (const column of ['refs', 't', 'high', 'low'] as const)
      columns[column].set(samples[column].subarray(0, samples.length), at);
    at += samples.length;
  }
  return { ...columns, length, position: last.position, boundaries };
}

/**
 * Where to part the samples from `start` to `end`, which a receiver refused: between two commits where there are
 * several, as near to the middle as can be; else in the middle, while halvings are left. Undefined: not at all.
 */
export function cut(
  { boundaries }: Pick<Group, 'boundaries'>,
  start: number,
  end: number,
  halvings: { left: number },
): number | undefined {
  const middle = (start + end) / 2;
  const inside = boundaries.filter((boundary) => boundary > start && boundary < end);
  if (inside.length > 0)
    return inside.reduce((best, one) => (Math.abs(one - middle) < Math.abs(best - middle) ? one : best));
  if (end - start < 2 || halvings.left === 0) return undefined;
  halvings.left -= 1;
  return Math.floor(middle);
}
